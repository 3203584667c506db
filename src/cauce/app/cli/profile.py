"""`cauce profile show|graph`."""

from collections.abc import Mapping
from typing import Annotated

import typer

from cauce.app.address_view import address_as_text
from cauce.app.cli.output import (
    COMMAND_LINE,
    HERE,
    JsonOption,
    PurposeOption,
    SpaceOption,
    print_json,
    print_line,
    print_table,
)
from cauce.app.cli.profile_graph import graph
from cauce.app.compose import Composition
from cauce.app.profile_view import ProfileView, as_json, view_profile
from cauce.profile.golden import GoldenValue, TraitReason
from cauce.vocabulary import moment
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.moment import Moment, to_iso

app = typer.Typer()
profile = typer.Typer(no_args_is_help=True)
app.add_typer(profile, name="profile", help="Look people up.")
profile.command()(graph)


@profile.command()
def show(
    identifier: Annotated[
        str, typer.Argument(metavar="TYPE:VALUE", help="Any identifier, such as email:ann@example.org.")
    ],
    space: SpaceOption = HERE,
    why: Annotated[
        bool, typer.Option("--why", help="Also the values that lost, the rules, and why it is one person.")
    ] = False,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Show a person: identifiers, traits with their source and time, segments."""
    view = view_profile(
        Composition(space),
        identifier,
        at=moment.now(),
        purpose=Purpose(purpose),
        viewer=COMMAND_LINE,
        why=why,
    )
    if json:
        print_json(as_json(view))
        return
    print_line(f"Profile {view.profile.profile_id}")
    print_line()
    print_table(("identifier",), [(one,) for one in view.profile.identifiers])
    print_line()
    print_traits(view.profile.traits)
    if view.profile.groups:
        print_line()
        groups = view.profile.groups.items()
        print_table(
            ("group", "since", "traits"),
            [(id_, to_iso(Moment(one.since)), _listed(one.traits)) for id_, one in groups],
        )
    print_line()
    print_table(("segment", "since"), [(key, to_iso(since)) for key, since in view.segments.items()])
    if view.addresses:
        print_line()
        print_table(
            ("address", "known of it", "first seen", "last seen"),
            [
                (address, address_as_text(fact), to_iso(fact.first_seen), to_iso(fact.last_seen))
                for (_, address), fact in view.addresses.items()
            ],
        )
    if why:
        _print_why(view)


def _print_why(view: ProfileView) -> None:
    print_line()
    print_reasons(view.profile.why or {})
    print_line()
    print_table(
        ("seen together", "and", "one person", "why not", "events", "sources", "last time"),
        [
            (
                link.stronger,
                link.weaker,
                "yes" if link.held else "no",
                link.reason,
                link.events,
                ", ".join(link.sources),
                to_iso(link.last_time),
            )
            for link in view.links
        ],
    )


def print_traits(traits: Mapping[str, GoldenValue]) -> None:
    """Print golden values with their source, time and event."""
    print_table(
        ("trait", "value", "source", "time", "message id"),
        [
            (name, _shown(v), "(computed)" if v.computed else v.source, to_iso(Moment(v.time)), v.message_id)
            for name, v in traits.items()
        ],
    )


def print_reasons(reasons: Mapping[str, TraitReason]) -> None:
    """Print the rule of each trait, what made its value, and the values that lost."""
    print_table(
        ("trait", "rule", "value that lost", "source", "time", "message id"),
        [
            (name, reason.rule, _text(lost.value), lost.source, to_iso(Moment(lost.time)), lost.message_id)
            for name, reason in reasons.items()
            for lost in reason.lost
        ],
    )
    rows = [(name, reason.rule, said) for name, reason in reasons.items() if (said := _why(reason))]
    if rows:
        print_line()
        print_table(("trait", "rule", "why"), rows)


def _why(reason: TraitReason) -> str:
    """What else there is to say of how a value came about."""
    said = [reason.evidence] if reason.evidence else []
    if reason.message_ids:
        said.append(f"events: {', '.join(reason.message_ids)}")
    if reason.times is not None:
        said.append(f"asserted {reason.times} times")
    said += [f"{_text(p.value)} by {p.source} at {to_iso(Moment(p.time))}" for p in reason.parts]
    if reason.skipped:
        said.append(f"{reason.skipped} values of another kind skipped")
    return "; ".join(said)


def _shown(value: GoldenValue) -> str:
    return f"{_text(value.value)} (approximate)" if value.approximate else _text(value.value)


def _listed(traits: Mapping[str, GoldenValue]) -> str:
    return ", ".join(f"{name}: {_text(value.value)}" for name, value in traits.items())


def _text(value: object) -> str:
    return value if isinstance(value, str) else encode_json(value).decode()
