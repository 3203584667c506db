"""`cauce segment list|members|preview|why|doubts`."""

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
    read_moment,
)
from cauce.app.compose import Composition
from cauce.app.profile_view import nobody, read_identifier
from cauce.app.segment_preview import preview_segment, wanted_segment
from cauce.app.segment_view import describe_doubts, describe_why
from cauce.segment.service import Answer
from cauce.vocabulary import moment
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.language import Reason
from cauce.vocabulary.moment import to_iso

app = typer.Typer()
segment = typer.Typer(no_args_is_help=True)
app.add_typer(segment, name="segment", help="See who is in which segment, and why.")

KeyArgument = Annotated[str, typer.Argument(help="The segment's key.")]


@segment.command("list")
def list_(space: SpaceOption = HERE, json: JsonOption = False) -> None:
    """List the segments with the number of their members."""
    composition = Composition(space)
    sizes = composition.segments.sizes()
    rows = [
        {
            "key": key,
            "name": one.name or key,
            "members": sizes[key],
            "owner": one.owner,
            "destinations": list(one.destinations),
            "rule": " ".join(one.rule.split()),
        }
        for key, one in composition.in_force.segments.items()
    ]
    if json:
        print_json(rows)
    else:
        print_table(
            ("key", "name", "members", "owner", "destinations", "rule"),
            [[", ".join(c) if isinstance(c, list) else c for c in row.values()] for row in rows],
        )


@segment.command()
def members(
    key: KeyArgument,
    space: SpaceOption = HERE,
    after: Annotated[int, typer.Option(help="Go on after this number, the last one of a page.")] = 0,
    limit: LimitOption = 100,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """List the people in a segment, and since when."""
    found = Composition(space).segments.members(
        key, purpose=Purpose(purpose), viewer=COMMAND_LINE, after=after, limit=limit
    )
    if json:
        print_json(
            [
                {
                    "number": one.profile,
                    "profile_id": one.profile_id,
                    "identifiers": [identifier._asdict() for identifier in one.identifiers],
                    "since": to_iso(one.since),
                }
                for one in found
            ]
        )
    else:
        rows = [(one.profile, ", ".join(map(str, one.identifiers)), to_iso(one.since)) for one in found]
        print_table(("number", "identifiers", "since"), rows)


@segment.command()
def preview(
    key: Annotated[str, typer.Argument(help="A segment's key; or give only --rule.")] = "",
    rule: Annotated[str, typer.Option(metavar="TEXT", help="Another rule to try.")] = "",
    space: SpaceOption = HERE,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Also people without known identifier.")
    ] = False,
    limit: LimitOption = 20,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also say how much of the sealed files was read.")
    ] = False,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Count and name the people a rule would let in, over the whole log; nothing is applied."""
    if not key and not rule:
        raise InvalidInput("There is nothing to preview.", hint="Give a segment's key, or --rule TEXT.")
    composition = Composition(space)
    wanted = wanted_segment(composition, key, rule, anonymous=anonymous)
    found = preview_segment(
        composition, wanted, moment.now(), purpose=Purpose(purpose), viewer=COMMAND_LINE, limit=limit
    )
    if json:
        sample = [
            {
                "profile_id": one.profile_id,
                "identifiers": [identifier._asdict() for identifier in one.identifiers],
            }
            for one in found.sample
        ]
        told = {**found._asdict(), "at": to_iso(found.at), "sample": sample}
        print_json({**told, "effort": found.effort._asdict()} if explain else _without(told, "effort"))
        return
    print_line(f"At {to_iso(found.at)} the rule holds for {found.members}.")
    if found.entering is not None:
        print_line(
            f"Against the members of today: {found.entering} would enter, {found.leaving} would leave."
        )
    if explain:
        effort = found.effort
        print_line(
            f"Read {effort.bytes_read:,} of {effort.bytes_sealed:,} bytes in sealed files,"
            f" {effort.files_read} of {effort.files_sealed} files."
        )
    print_table(("identifiers",), [(", ".join(map(str, one.identifiers)),) for one in found.sample])


def _without(told: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key != name}


@segment.command()
def why(
    key: KeyArgument,
    identifier: Annotated[str, typer.Argument(metavar="TYPE:VALUE", help="Any identifier of the person.")],
    space: SpaceOption = HERE,
    at: Annotated[str, typer.Option(help="The moment, ISO 8601 with a zone.", show_default="now")] = "",
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Say why a person is in a segment, or why not: each condition with its evidence."""
    composition = Composition(space)
    known = read_identifier(composition, identifier)
    when = read_moment(at) if at else moment.now()
    found = composition.segments.why(key, known, at=when, purpose=Purpose(purpose), viewer=COMMAND_LINE)
    if found is None:
        raise nobody(known)
    if json:
        print_json(describe_why(key, found))
        return
    since = f" since {to_iso(found.since)}" if found.since is not None else ""
    print_line(f"{known} is {'' if found.member else 'not '}in {key}{since}.")
    if not found.asked_for:
        print_line("The segment asks for known people only, and she is known by no such identifier.")
    if found.answer is Answer.UNKNOWN:
        others = ", ".join(found.candidates or ())
        print_line(f"The answer is unknown: together with {others}, who may be the same person, it changes.")
    print_line(f"At {to_iso(found.at)}:")
    _print_reason(found.reason, 1)
    if found.candidates is None:
        print_line(
            "Nobody looks for people who may be one (cauce identity candidates), so no answer is unknown."
        )


@segment.command()
def doubts(
    key: KeyArgument,
    space: SpaceOption = HERE,
    at: Annotated[str, typer.Option(help="The moment, ISO 8601 with a zone.", show_default="now")] = "",
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """List the people of whom it is unknown whether a segment's rule holds: candidates would change it."""
    when = read_moment(at) if at else moment.now()
    found = Composition(space).segments.doubtful(key, at=when, purpose=Purpose(purpose), viewer=COMMAND_LINE)
    told = describe_doubts(key, found)
    if json:
        print_json(told)
        return
    if told.unknown is None:
        print_line("Nobody has looked for candidates yet: give `cauce identity candidates` first.")
        return
    among = f"{told.among_members} of them are members as far as is known"
    print_line(f"Of {told.unknown} people it is unknown; {among}.")
    rows = [
        (", ".join(map(str, one.identifiers)), "yes" if one.holds else "no", ", ".join(one.candidates))
        for one in found or ()
    ]
    print_table(("identifiers", "alone", "candidates"), rows)


def _print_reason(reason: Reason, depth: int) -> None:
    mark = " (approximate)" if reason.approximate else ""
    print_line(f"{'  ' * depth}{'yes' if reason.holds else 'no '}  {reason.text}{mark}")
    if reason.evidence:
        print_line(f"{'  ' * depth}     {reason.evidence}")
    for part in reason.reasons:
        _print_reason(part, depth + 1)
