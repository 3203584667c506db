"""`cauce group list|show`."""

from typing import Annotated, Any

import typer

from cauce.app.cli.output import (
    COMMAND_LINE,
    HERE,
    JsonOption,
    LimitOption,
    PurposeOption,
    SpaceOption,
    print_json,
    print_line,
    print_table,
)
from cauce.app.cli.profile import print_reasons, print_traits
from cauce.app.compose import Composition
from cauce.app.group_view import as_json, view_group
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.moment import to_iso

app = typer.Typer()
group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="group", help="Look groups up: companies, accounts, households.")


@group.command("list")
def list_(
    space: SpaceOption = HERE,
    after: Annotated[str, typer.Option(help="Go on after this group id, the last one of a page.")] = "",
    limit: LimitOption = 100,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """List the ids of the groups that events name."""
    found = Composition(space).groups.ids(
        purpose=Purpose(purpose), viewer=COMMAND_LINE, after=after, limit=limit
    )
    if json:
        print_json(found)
    else:
        print_table(("group",), [(one,) for one in found])


@group.command()
def show(
    group_id: Annotated[str, typer.Argument(metavar="ID", help="The groupId that events carry.")],
    space: SpaceOption = HERE,
    why: Annotated[bool, typer.Option("--why", help="Also the values that lost, and the rules.")] = False,
    limit: LimitOption = 100,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Show a group: traits with their source and time, and the people who belong to it."""
    found = view_group(
        Composition(space), group_id, purpose=Purpose(purpose), viewer=COMMAND_LINE, why=why, limit=limit
    )
    if json:
        document: dict[str, Any] = as_json(found)
        print_json(document)
        return
    print_line(f"Group {found.group_id}")
    print_line()
    print_traits(found.traits)
    print_line()
    rows = [(", ".join(map(str, one.identifiers)), to_iso(one.since)) for one in found.members]
    print_table(("member", "since"), rows)
    if found.more_members:
        print_line(f"There are more members than {limit}.")
    if why:
        print_line()
        print_reasons(found.why or {})
