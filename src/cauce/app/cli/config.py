"""`cauce config show`."""

from operator import attrgetter

import typer

from cauce.app.cli.output import HERE, JsonOption, SpaceOption, print_json, print_table
from cauce.app.settings import declared, load_settings
from cauce.app.space import find_space
from cauce.storage.settings import without_password

app = typer.Typer()
config = typer.Typer(no_args_is_help=True)
app.add_typer(config, name="config", help="See the settings.")


@config.command()
def show(space: SpaceOption = HERE, json: JsonOption = False) -> None:
    """Print each setting, its value, and where the value came from."""
    loaded = load_settings(find_space(space).settings)
    rows = [
        {
            "setting": setting.name,
            "value": _shown(attrgetter(setting.name)(loaded.settings)),
            "origin": loaded.origins[setting.name],
            "variable": setting.variable,
        }
        for setting in declared()
    ]
    if json:
        print_json(rows)
    else:
        print_table(
            ("setting", "value", "from"), [(r["setting"], _text(r["value"]), r["origin"]) for r in rows]
        )


def _shown(value: object) -> object:
    return without_password(value) if isinstance(value, str) else value


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
