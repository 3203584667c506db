"""`cauce init`."""

from pathlib import Path
from typing import Annotated

import typer

from cauce.app.cli.output import JsonOption, print_json, print_line
from cauce.app.new_space import make_space
from cauce.vocabulary import moment

app = typer.Typer()


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is empty or does not exist.")],
    json: JsonOption = False,
) -> None:
    """Make a space: settings, example definitions, and two keys, which are shown once."""
    made = make_space(folder, now=moment.now())
    if json:
        print_json(
            {
                "space": str(folder),
                "source": made.write_key.key.source,
                "write_key": made.write_key.secret,
                "api_key": made.api_key.secret,
            }
        )
        return
    print_line(f"{folder} is a space now.")
    print_line()
    print_line(f"Write key of the source {made.write_key.key.source}: {made.write_key.secret}")
    print_line(f"API key: {made.api_key.secret}")
    print_line("Keep them: they are stored as hashes only and are not shown again.")
    print_line()
    print_line("Next:")
    print_line(f"  cauce serve {made.space.option}")
    print_line(f"  cauce doctor {made.space.option}")
