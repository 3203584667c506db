"""`cauce identity why`."""

from typing import Annotated

import typer

from cauce.app.cli.output import (
    COMMAND_LINE,
    HERE,
    JsonOption,
    PurposeOption,
    SpaceOption,
    print_json,
    print_line,
    read_moment,
)
from cauce.app.compose import Composition
from cauce.app.identity_why import as_json, as_lines, view_why
from cauce.vocabulary.access import OPERATIONS, Purpose

AsOfOption = Annotated[
    str, typer.Option("--as-of", metavar="TIME", help="As of the events received until then.")
]


def why(
    one: Annotated[str, typer.Argument(metavar="TYPE:VALUE", help="An identifier.")],
    other: Annotated[str, typer.Argument(metavar="TYPE:VALUE", help="Another one.")],
    space: SpaceOption = HERE,
    as_of: AsOfOption = "",
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Say why two identifiers are one person's or two people's, and what would change that."""
    found = view_why(
        Composition(space),
        one,
        other,
        purpose=Purpose(purpose),
        viewer=COMMAND_LINE,
        at=read_moment(as_of) if as_of else None,
    )
    if json:
        print_json(as_json(found))
        return
    for line in as_lines(found):
        print_line(line)
