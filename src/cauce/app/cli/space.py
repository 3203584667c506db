"""`cauce init`, and `cauce space` for what its stores are."""

from pathlib import Path
from typing import Annotated

import typer

from cauce.app.cli.output import HERE, JsonOption, SpaceOption, print_json, print_line, print_table
from cauce.app.compose import Composition
from cauce.app.new_space import make_space
from cauce.app.upgrade import Changed, downgrade, stored_revisions, upgrade
from cauce.storage.revisions import NEWEST
from cauce.vocabulary import moment

app = typer.Typer()
space_app = typer.Typer(no_args_is_help=True)
app.add_typer(space_app, name="space", help="See and change the revisions of a space's stores.")


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


@space_app.command("revisions")
def show_revisions(space: SpaceOption = HERE, json: JsonOption = False) -> None:
    """Print the revision of each store, and the newest that this version knows."""
    found = stored_revisions(Composition(space))
    rows = [{"store": name, "revision": one, "newest": NEWEST[name]} for name, one in found.items()]
    if json:
        print_json(rows)
    else:
        print_table(("store", "revision", "newest"), [list(row.values()) for row in rows])


@space_app.command("upgrade")
def upgrade_stores(space: SpaceOption = HERE, json: JsonOption = False) -> None:
    """Bring stores that an older version made up to date; `cauce serve` does it too."""
    _tell(upgrade(Composition(space)), json)


@space_app.command("downgrade")
def downgrade_stores(
    to: Annotated[str, typer.Option("--to", metavar="REVISION", help="0001 is the first release.")],
    space: SpaceOption = HERE,
    json: JsonOption = False,
) -> None:
    """Bring the stores back to an older revision, for an older version; what that cannot hold is lost."""
    _tell(downgrade(Composition(space), to), json)


def _tell(changed: list[Changed], json: bool) -> None:
    if json:
        print_json([one._asdict() for one in changed])
        return
    for one in changed:
        print_line(f"{one.store}: {one.before} became {one.after}.")
    if not changed:
        print_line("Nothing had to be changed.")
