"""`cauce quarantine list|count|show|replay|fix|discard`."""

from collections import Counter
from pathlib import Path
from sys import stdin
from typing import Annotated

import typer
from msgspec.structs import asdict

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
from cauce.app.compose import Composition
from cauce.app.quarantine_view import describe_refused, describe_replay
from cauce.app.repair_file import load_repair
from cauce.collect.quarantine import Quarantine, Replayed, Which
from cauce.collect.repair import NOTHING
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.errors import InvalidInput, NotFound
from cauce.vocabulary.moment import to_iso

app = typer.Typer()
quarantine = typer.Typer(no_args_is_help=True)
app.add_typer(quarantine, name="quarantine", help="See input that was refused, repair it and replay it.")

NumbersArgument = Annotated[
    list[int] | None, typer.Argument(metavar="[NUMBER]...", help="The numbers that `list` shows.")
]
ReasonOption = Annotated[str, typer.Option(help="Only input refused for this reason.")]
SourceOption = Annotated[str, typer.Option(help="Only input from this source.")]
AllOption = Annotated[bool, typer.Option("--all", help="Everything that is open.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]
RepairOption = Annotated[
    Path | None, typer.Option("--repair", metavar="FILE", help="YAML that says what to change before.")
]


@quarantine.command("list")
def list_(
    space: SpaceOption = HERE,
    after: Annotated[int, typer.Option(help="Begin after this number.")] = 0,
    limit: LimitOption = 20,
    reason: ReasonOption = "",
    source: SourceOption = "",
    settled: Annotated[
        bool,
        typer.Option("--settled", help="What was replayed or discarded, not what is open."),
    ] = False,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """List input that was refused, with the reason; with --json also the input itself, one line each."""
    which = Which(reason=reason, source=source)
    rows = _quarantine(space).inputs(
        which, after=after, limit=limit, settled=settled, purpose=Purpose(purpose), viewer=COMMAND_LINE
    )
    if json:
        for one in rows:
            print_json(describe_refused(one))
    else:
        print_table(
            ("number", "received", "source", "reason", "detail", "settled"),
            [
                (one.number, to_iso(one.received), one.source, one.reason, one.detail, one.settlement)
                for one in rows
            ],
        )


@quarantine.command()
def count(
    space: SpaceOption = HERE,
    source: SourceOption = "",
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Count the open input by reason."""
    held = _quarantine(space)
    counts: Counter[str] = Counter()
    after = 0
    while page := held.inputs(
        Which(source=source), after=after, limit=1_000, purpose=Purpose(purpose), viewer=COMMAND_LINE
    ):
        after = page[-1].number
        counts.update(one.reason for one in page)
    if json:
        print_json(dict(counts.most_common()))
    else:
        print_table(("reason", "inputs"), counts.most_common())


@quarantine.command()
def show(
    number: Annotated[int, typer.Argument(help="The number that `list` shows.")],
    space: SpaceOption = HERE,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Show one refused input as it came."""
    one = _quarantine(space).find(number, purpose=Purpose(purpose), viewer=COMMAND_LINE)
    if json:
        print_json(describe_refused(one))
    else:
        print_table(("field", "value"), list(asdict(describe_refused(one)).items()))


@quarantine.command()
def replay(
    numbers: NumbersArgument = None,
    space: SpaceOption = HERE,
    reason: ReasonOption = "",
    source: SourceOption = "",
    everything: AllOption = False,
    repair: RepairOption = None,
    dry_run: DryRunOption = False,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Judge refused input again, repaired by a rule if one is given, and append what is valid now."""
    done = _quarantine(space).replay(
        _which(numbers, reason, source, everything),
        load_repair(repair) if repair else NOTHING,
        dry_run=dry_run,
        purpose=Purpose(purpose),
        viewer=COMMAND_LINE,
    )
    _print(done, dry_run=dry_run, json=json)


@quarantine.command()
def fix(
    number: Annotated[int, typer.Argument(help="The number that `list` shows.")],
    body: Annotated[
        Path, typer.Option("--body", metavar="FILE", help="The right event as JSON; - reads standard input.")
    ],
    space: SpaceOption = HERE,
    dry_run: DryRunOption = False,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Replay one refused input with an event that was written by hand."""
    done = _quarantine(space).replay_by_hand(
        number, _read(body), dry_run=dry_run, purpose=Purpose(purpose), viewer=COMMAND_LINE
    )
    _print(done, dry_run=dry_run, json=json)


@quarantine.command()
def discard(
    numbers: NumbersArgument = None,
    space: SpaceOption = HERE,
    reason: ReasonOption = "",
    source: SourceOption = "",
    everything: AllOption = False,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Take refused input off the list without replaying it; it stays readable with `list --settled`."""
    which = _which(numbers, reason, source, everything)
    done = _quarantine(space).discard(which, purpose=Purpose(purpose), viewer=COMMAND_LINE)
    if json:
        print_json({"discarded": done})
    else:
        print_line(f"{done} discarded.")


def _quarantine(space: Path) -> Quarantine:
    return Composition(space).quarantine


def _which(numbers: list[int] | None, reason: str, source: str, everything: bool) -> Which:
    if not (numbers or reason or source or everything):
        raise InvalidInput("Nothing was named.", hint="Give numbers, --reason, --source or --all.")
    return Which(tuple(numbers or ()), reason, source)


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise NotFound(f"{file}: {error.strerror}.", hint="Give a file that can be read.") from error


def _print(replayed: Replayed, *, dry_run: bool, json: bool) -> None:
    done = describe_replay(replayed)
    if json:
        print_json(done)
        return
    verb = "would be" if dry_run else "were"
    print_line(
        f"{done.replayed} of {done.inputs} inputs {verb} replayed: "
        f"{done.accepted} events accepted, {done.duplicate} known already."
    )
    print_table(("still refused for", "events"), sorted(done.refused.items()))
    if dry_run:
        becomes = [(one.number, text) for one in done.examples for text in one.events or [one.problem]]
        print_table(("number", "would become"), becomes)
