"""`cauce plan` and `cauce apply`."""

from pathlib import Path
from typing import Annotated

import typer

from cauce.app.applying import apply as apply_definitions
from cauce.app.applying import is_applied, take_in, what_is_awaited
from cauce.app.cli.output import (
    COMMAND_LINE,
    HERE,
    JsonOption,
    PurposeOption,
    SpaceOption,
    print_json,
    print_line,
)
from cauce.app.cli.plan_text import print_plan
from cauce.app.cli.who import command_line
from cauce.app.compose import Composition
from cauce.app.plan.model import Plan
from cauce.app.plan.planning import make_plan
from cauce.govern.versions import Version
from cauce.vocabulary import moment
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.definitions import Definitions
from cauce.vocabulary.errors import CauceError, InvalidInput
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.moment import to_iso

app = typer.Typer()

AtOption = Annotated[
    int | None, typer.Option("--at", metavar="POSITION", help="The position that the plan printed.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Apply without a plan.")]
NoteOption = Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; it is kept with the version.")]
WaitOption = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait until it is in force.")
]
WAIT = 30.0
"""The default of ``WaitOption``."""


@app.command()
def plan(
    space: SpaceOption = HERE,
    to: Annotated[
        int, typer.Option("--to", metavar="VERSION", help="An earlier version instead of the folder.")
    ] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write the plan there, as JSON.")
    ] = None,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Show what applying the folder would change and whom it would touch; nothing is applied."""
    composition = Composition(space)
    candidate = earlier(composition, to) if to else composition.folder_definitions()
    made = planned(composition, candidate, purpose)
    if out is not None:
        _write(made, out)
    if json:
        print_json(made)
        return
    print_plan(made)
    if made.changes:
        command = f"cauce rollback {to}" if to else "cauce apply"
        print_line(f"To apply this: {command} --at {made.position} {composition.space.option}")


@app.command()
def apply(
    space: SpaceOption = HERE,
    at: AtOption = None,
    force: ForceOption = False,
    note: NoteOption = "",
    wait: WaitOption = WAIT,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Apply the definitions of the folder, as planned; what is applied already changes nothing."""
    composition = Composition(space)
    candidate = composition.folder_definitions()
    position = settled_position(composition, candidate, at, force=force, purpose=purpose)
    version = apply_definitions(
        composition, candidate, at=position, now=moment.now(), viewer=command_line(), note=note
    )
    finish(composition, version, wait, json=json)


def planned(composition: Composition, candidate: Definitions, purpose: str) -> Plan:
    """A plan for these definitions."""
    return make_plan(composition, candidate, now=moment.now(), purpose=Purpose(purpose), viewer=COMMAND_LINE)


def earlier(composition: Composition, number: int) -> Definitions:
    """The definitions of an earlier version, checked as if they were written now."""
    return composition.earlier_definitions(number)


def settled_position(
    composition: Composition, candidate: Definitions, at: int | None, *, force: bool, purpose: str
) -> int | None:
    """The position of the plan to apply; None to apply unseen.

    On a terminal, the plan is shown and asked about. Raises ``InvalidInput`` if
    there is neither a position nor somebody to ask.
    """
    if at is not None or force or is_applied(composition, candidate):
        return at
    if not _asks():
        raise InvalidInput(
            "Applying needs the position of a plan.",
            hint="Look with `cauce plan`, and give the position that it prints with --at; or give --force.",
        )
    made = planned(composition, candidate, purpose)
    print_plan(made)
    if made.changes:
        typer.confirm("Apply this?", abort=True)
    return made.position


def _asks() -> bool:
    return typer.get_text_stream("stdin").isatty() and typer.get_text_stream("stdout").isatty()


def finish(composition: Composition, version: Version | None, wait: float, *, json: bool) -> None:
    """See a version into force, and tell."""
    number = version.number if version else composition.versions.latest()
    in_force = take_in(composition, number, moment.now, wait_seconds=wait, rebuild=True)
    if json:
        told = None if version is None else {**version._asdict(), "at": to_iso(version.at)}
        print_json({"version": number, "applied": told, "in_force": in_force})
        return
    if version is None:
        print_line(f"Nothing to apply: version {number} says the same.")
    else:
        print_line(f"Version {number} is applied, by {version.viewer}.")
    if in_force:
        print_line("It is in force.")
    elif awaited := what_is_awaited(composition):
        print_line(f"It is not in force yet. {awaited}")
        print_line(f"Wait for that with `cauce apply --wait 600 {composition.space.option}`.")
    else:
        print_line("It is not in force yet; `cauce doctor` and the log of `cauce serve` say why.")


def _write(made: Plan, out: Path) -> None:
    try:
        out.write_bytes(encode_json(made) + b"\n")
    except OSError as error:
        raise CauceError(f"{out} cannot be written: {error.strerror}.", hint="Name another file.") from error
