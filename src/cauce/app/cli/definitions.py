"""`cauce definitions check|schemas`."""

import typer

from cauce.app.cli.output import HERE, JsonOption, SpaceOption, print_json, print_line
from cauce.app.definitions import load_definitions
from cauce.app.problems import BadFiles
from cauce.app.schemas import schema_files
from cauce.app.settings import load_settings
from cauce.app.space import find_space

app = typer.Typer()
definitions = typer.Typer(no_args_is_help=True)
app.add_typer(definitions, name="definitions", help="Check the definition files.")


@definitions.command()
def check(space: SpaceOption = HERE, json: JsonOption = False) -> None:
    """Check settings and definitions; everything that is wrong is told together."""
    found = find_space(space)
    try:
        settings = load_settings(found.settings).settings
        loaded = load_definitions(found.definitions, settings.purposes)
    except BadFiles as error:
        if not json:
            raise
        print_json({"problems": [problem._asdict() for problem in error.problems]})
        raise typer.Exit(2) from error
    counts = {
        "sources": len(loaded.sources),
        "identities": len(loaded.identities),
        "traits": len(loaded.traits),
        "segments": len(loaded.segments),
        "destinations": len(loaded.destinations),
    }
    if json:
        print_json({"problems": [], **counts})
    else:
        print_line("All definitions fit: " + ", ".join(f"{n} {kind}" for kind, n in counts.items()) + ".")


@definitions.command()
def schemas(space: SpaceOption = HERE) -> None:
    """Write the JSON Schemas of this version into the space, for editors."""
    folder = find_space(space).schemas
    folder.mkdir(exist_ok=True)
    for name, text in schema_files().items():
        (folder / name).write_text(text, encoding="utf-8")
    print_line(f"{folder} holds the schemas of this version.")
