"""`cauce backup` and `cauce restore`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cauce.app.backup.manifest import Manifest
from cauce.app.backup.restore import restore as bring_back
from cauce.app.backup.take import back_up
from cauce.app.cli.output import HERE, JsonOption, SpaceOption, print_json, print_line
from cauce.app.compose import Composition
from cauce.vocabulary import moment

app = typer.Typer()


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist or is empty.")],
    space: SpaceOption = HERE,
    json: JsonOption = False,
) -> None:
    """Copy a space into a folder, while it is served or not."""
    composition = Composition(space)
    with _telling() as told:
        manifest = back_up(composition, target, moment.now, told)
    _print(manifest, f"{target} is a backup now", json=json)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="A folder that `cauce backup` made.")],
    target: Annotated[Path, typer.Argument(metavar="DIR", help="The space to make: a new or empty folder.")],
    json: JsonOption = False,
) -> None:
    """Make a space of a backup, after checking every byte of it."""
    with _telling() as told:
        manifest = bring_back(source, target, told)
    _print(manifest, f"{target} is a space now", json=json)


def _print(manifest: Manifest, text: str, *, json: bool) -> None:
    if json:
        print_json(
            {
                "taken": manifest.taken,
                "head": manifest.head,
                "folded": manifest.folded,
                "files": len(manifest.files),
                "bytes": manifest.bytes,
            }
        )
    else:
        print_line(
            f"{text}: {len(manifest.files)} files, {manifest.bytes:,} bytes, "
            f"the log up to position {manifest.head}, taken {manifest.taken}."
        )


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    """What is under way, on standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with Console(stderr=True).status("") as status:
        yield status.update
