"""`cauce identity rename-domain`."""

from pathlib import Path
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
    print_table,
)
from cauce.app.cli.who import command_line
from cauce.app.compose import Composition
from cauce.app.domain_rename import Renaming, as_json, propose_renaming, state_all
from cauce.vocabulary import moment
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.moment import to_iso


def rename_domain(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The domain that addresses had.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The domain that they have now.")],
    space: SpaceOption = HERE,
    form: Annotated[
        str,
        typer.Option(
            "--format", metavar="OLD:NEW", help="How local parts changed: '{f}{last}:{first}.{last}'."
        ),
    ] = "",
    name: Annotated[
        str,
        typer.Option("--name", help="The name of this change, which the ids of its statements come from."),
    ] = "",
    write: Annotated[
        Path | None, typer.Option("--write", metavar="FILE", help="Write the statements, one JSON a line.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take them back: the statement for that.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="State it, so that it takes effect.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the log with your name.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Change a file that is there.")] = False,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Propose to join the old and the new addresses of a company; nothing changes without --apply."""
    composition = Composition(space)
    found = propose_renaming(
        composition, old, new, form, name=name, purpose=Purpose(purpose), viewer=COMMAND_LINE
    )
    at = moment.now()
    statements = found.undo(at) if undo else found.statements(at)
    if write is not None:
        if write.exists() and not force:
            raise Conflict(f"{write} is there already.", hint="Name another file, or write it with --force.")
        write.write_bytes(b"".join(encode_json(one) + b"\n" for one in statements))
    stated = None
    if apply:
        stated = state_all(composition, statements, reason, now=at, viewer=command_line())
    if json:
        told = {"stated": {"new": stated.new, "known": stated.known}} if stated else {}
        print_json(as_json(found, statements) | told)
        return
    _print(found)
    print_line()
    where = "" if write is None else f" in {write}"
    print_line(f"{len(statements)} statements{where}.")
    if stated is not None:
        print_line(f"{stated.new} of them are new in the log; `cauce serve` folds them.")


def _print(found: Renaming) -> None:
    print_table(
        (
            "old",
            "new",
            "verdict",
            "old events",
            "old last seen",
            "new events",
            "new first seen",
            "both in use",
        ),
        [
            (
                one.pair.old,
                one.pair.new,
                f"{one.verdict}: {one.contradiction}" if one.contradiction else one.verdict,
                one.old_events,
                to_iso(one.old_last),
                one.new_events,
                to_iso(one.new_first),
                "yes" if one.overlap else "no",
            )
            for one in found.pairs
        ],
    )
    for old, new in found.ambiguous.items():
        print_line(f"Ambiguous, not joined: {old} could be {' or '.join(new)}.")
