"""`cauce log show|follow|stats`."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import Annotated, Any

import msgspec
import typer

from cauce.app.backup.restore import mend_sealed
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
    printable,
)
from cauce.app.compose import Composition
from cauce.app.exit_codes import FAILURE
from cauce.app.log_stats import log_stats
from cauce.govern.access import Scope
from cauce.vocabulary import moment
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.event import Logged, Position
from cauce.vocabulary.moment import to_iso

app = typer.Typer()
log = typer.Typer(no_args_is_help=True)
app.add_typer(log, name="log", help="Look into the log of events.")

_PAGE = 1_000
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
"""Line ends in JSON text stand between values only: within texts they are escaped."""
_POLL_SECONDS = 0.3
_COLUMNS = ("position", "received", "call", "name", "source", "message id")

AfterOption = Annotated[int, typer.Option(help="Begin after this position.")]
NameOption = Annotated[str, typer.Option("--name", help="Only events of this name.")]
SourceOption = Annotated[str, typer.Option("--source", help="Only events of this source.")]


@log.command()
def show(
    space: SpaceOption = HERE,
    after: AfterOption = 0,
    limit: LimitOption = 20,
    name: NameOption = "",
    source: SourceOption = "",
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Show events in the order of their positions; with --json also their bodies, one line each."""
    composition = _allowed(space, purpose)
    found: list[Logged] = []
    for row in _events(composition, Position(after)):
        if (not name or row.name == name) and (not source or row.source == source):
            found.append(row)
            if len(found) >= limit:
                break
    if json:
        for row in found:
            print_json(_event(row))
    else:
        print_table(_COLUMNS, [_cells(row) for row in found])


@log.command()
def follow(
    space: SpaceOption = HERE,
    after: Annotated[
        int | None, typer.Option(help="Begin after this position.", show_default="the last")
    ] = None,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Show events as they arrive, until Ctrl-C."""
    composition = _allowed(space, purpose)
    reached = composition.log.head() if after is None else Position(after)
    with suppress(KeyboardInterrupt):
        while True:
            for row in _events(composition, reached):
                if json:
                    print_json(_event(row))
                else:
                    print_line("  ".join(map(printable, _cells(row))))
                reached = row.position
            sleep(_POLL_SECONDS)


@log.command()
def stats(space: SpaceOption = HERE, json: JsonOption = False) -> None:
    """Show how far the log and the folding of it have come, and what is in quarantine."""
    found = log_stats(Composition(space), moment.now())
    if json:
        print_json(found)
        return
    print_line(f"The log's last position is {found.head}; {found.folded} is folded.")
    if found.behind_seconds is not None:
        print_line(f"The oldest event that waits to be folded came {found.behind_seconds:.1f} s ago.")
    print_table(("reason of quarantine", "inputs"), sorted(found.quarantine.items()))


@log.command()
def repair(
    source: Annotated[
        Path, typer.Option("--from", metavar="DIR", help="A backup, or a folder of sealed files.")
    ],
    space: SpaceOption = HERE,
    json: JsonOption = False,
) -> None:
    """Bring back sealed files that are missing or damaged; the space may be served meanwhile."""
    composition = Composition(space)
    mended = mend_sealed(composition.space, composition.log.sealed(), source)
    if json:
        print_json(mended._asdict())
    else:
        for name in mended.brought_back:
            print_line(f"{name} is brought back.")
        for name in mended.still_missing:
            print_line(f"{name} is missing or damaged there too.")
        print_line(
            f"{len(mended.brought_back)} files brought back, {len(mended.still_missing)} still missing."
        )
    if mended.still_missing:
        raise typer.Exit(FAILURE)


@log.command()
def files(space: SpaceOption = HERE, json: JsonOption = False) -> None:
    """List the sealed files: what each holds, and which paths are columns; with --json all that is known."""
    composition = Composition(space)
    known = composition.log.statistics()
    found = [(one, known.get(one.file)) for one in composition.log.sealed()]
    if json:
        print_json([{**one._asdict(), "statistics": statistics} for one, statistics in found])
        return
    rows = [
        (
            one.file,
            one.first,
            one.last,
            one.events,
            one.size,
            *((len(seen.names), len(seen.promoted)) if seen else ("", "")),
        )
        for one, seen in found
    ]
    print_table(("file", "first", "last", "events", "bytes", "names", "columns"), rows)


def _allowed(space: Any, purpose: str) -> Composition:
    """The space, after the check that the log may be read for this purpose."""
    composition = Composition(space)
    composition.access.require(COMMAND_LINE, Scope.READ, Purpose(purpose))
    return composition


def _events(composition: Composition, after: Position) -> Iterator[Logged]:
    while page := composition.log.read(after, _PAGE):
        yield from page
        after = page[-1].position


def _cells(row: Logged) -> tuple[object, ...]:
    return (row.position, to_iso(row.received), row.call.value, row.name, row.source, row.message_id)


def _event(row: Logged) -> dict[str, Any]:
    return {
        "position": row.position,
        "received": to_iso(row.received),
        "time": to_iso(row.time),
        "call": row.call.value,
        "name": row.name,
        "message_id": row.message_id,
        "source": row.source,
        "body": msgspec.Raw(row.body.translate(_ONE_LINE)),
    }
