"""`cauce profile graph`."""

from typing import Annotated

import typer

from cauce.app.cli.identity_why import AsOfOption
from cauce.app.cli.output import (
    COMMAND_LINE,
    HERE,
    JsonOption,
    PurposeOption,
    SpaceOption,
    print_json,
    print_line,
    print_table,
    read_moment,
)
from cauce.app.compose import Composition
from cauce.app.profile_graph import graph_as_json, view_graph
from cauce.identity.why_words import sentence
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.moment import Moment, to_iso


def graph(
    identifier: Annotated[
        str, typer.Argument(metavar="TYPE:VALUE", help="Any identifier, such as email:ann@example.org.")
    ],
    space: SpaceOption = HERE,
    as_of: AsOfOption = "",
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Show why somebody is one person: her identifiers, their links, and those that do not hold."""
    at = read_moment(as_of) if as_of else None
    found = view_graph(Composition(space), identifier, purpose=Purpose(purpose), viewer=COMMAND_LINE, at=at)
    if json:
        print_json(graph_as_json(found))
        return
    print_line(f"Profile {found.profile_id}")
    print_line()
    print_table(
        ("identifier", "is", "profile", "first seen"),
        [
            (one.identifier, one.standing.replace("_", " "), one.profile_id, _moment(one.first_time))
            for one in found.identifiers
        ],
    )
    print_line()
    print_table(
        ("seen together", "and", "one person", "why not", "events", "sources", "last time"),
        [
            (
                link.stronger,
                link.weaker,
                _HELD[link.held, link.joining],
                "" if link.said is None else sentence(link.said),
                sum(seen.events for seen in link.seen),
                ", ".join(seen.source for seen in link.seen),
                to_iso(max(seen.last_time for seen in link.seen)),
            )
            for link in found.links
        ],
    )
    if found.left_out:
        print_line(f"{found.left_out} more links are not shown.")


_HELD = {(True, True): "yes, by this", (True, False): "yes", (False, False): "no", (False, True): "no"}


def _moment(time: Moment | None) -> str:
    return "" if time is None else to_iso(time)
