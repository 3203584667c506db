"""`cauce version`."""

import sqlite3
import sys
from importlib.metadata import version as version_of

import typer

from cauce.app.cli.output import JsonOption, print_json, print_line

app = typer.Typer()


@app.command()
def version(json: JsonOption = False) -> None:
    """Print the versions of Cauce, Python and SQLite."""
    versions = {
        "cauce": version_of("cauce"),
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
    }
    if json:
        print_json(versions)
    else:
        print_line(", ".join(f"{name} {number}" for name, number in versions.items()))
