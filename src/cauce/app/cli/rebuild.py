"""`cauce rebuild`: derive the state anew from the log, see what differs, and swap."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from cauce.app.cli.output import (
    COMMAND_LINE,
    HERE,
    JsonOption,
    PurposeOption,
    SpaceOption,
    print_json,
    print_line,
)
from cauce.app.compose import Composition
from cauce.app.in_force import under_applied
from cauce.app.rebuild.differences import Differences
from cauce.app.rebuild.file import difference_file
from cauce.app.rebuild.rows import Unfit
from cauce.app.rebuild.shadow import find, shadow
from cauce.govern.access import Scope
from cauce.storage.stores import Other
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.errors import InvalidInput, NotFound
from cauce.vocabulary.moment import Moment, to_iso

app = typer.Typer()


@app.command("rebuild")
def rebuild(
    space: SpaceOption = HERE,
    swap: Annotated[
        bool, typer.Option("--swap", help="Put the rebuilt state in force, or one that is ready by now.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Put the state from before the last swap in force.")
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Remove the rebuilt state and the former one.")
    ] = False,
    differences: Annotated[
        Path | None,
        typer.Option("--differences", metavar="FILE", help="Write every row that differs, as JSON Lines."),
    ] = None,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Derive people, profiles and segments anew from the log, beside the live state, and say what differs.

    Nothing live is changed without --swap or --undo.
    """
    if swap + undo + discard > 1:
        raise InvalidInput("--swap, --undo and --discard exclude each other.", hint="Give one of them.")
    composition = Composition(space)
    composition.access.require(COMMAND_LINE, Scope.READ, Purpose(purpose))
    if discard:
        removed = [which for which in Other if composition.stores.discard(which)]
        _print(
            json, {"discarded": [str(one) for one in removed]}, f"Removed: {', '.join(removed) or 'nothing'}."
        )
        return
    if not undo:
        composition = under_applied(composition)
    if undo:
        found = find(composition, Other.FORMER).swap()
    elif swap:
        found = _swapped(composition, quiet=json)
    else:
        with _telling(quiet=json) as told, difference_file(differences) as each:
            found = shadow(composition, told=told).differences(each=each)
    if json:
        print_json(msgspec.to_builtins(found) | {"swapped": swap or undo})
    else:
        _tell(found, swapped=swap or undo, option=composition.space.option)


def _swapped(composition: Composition, *, quiet: bool) -> Differences:
    """Swap what is ready, or make it first: also where another one was interrupted or does not fit."""
    try:
        ready = find(composition, Other.SHADOW)
    except (NotFound, Unfit):
        with _telling(quiet=quiet) as told:
            ready = shadow(composition, told=told)
    return ready.swap()


def _print(json: bool, value: dict[str, Any], line: str) -> None:
    if json:
        print_json(value)
    else:
        print_line(line)


class _telling:
    """Shows on standard error what is being done."""

    def __init__(self, *, quiet: bool) -> None:
        self._status = None if quiet else Console(stderr=True).status("reading the log")

    def __enter__(self) -> Any:
        if self._status is None:
            return lambda _: None
        self._status.start()
        return lambda what: self._status.update(what) if self._status else None

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()


def _tell(found: Differences, *, swapped: bool, option: str) -> None:
    print_line(f"Derived from the log up to position {found.position}, at {to_iso(Moment(found.at))}.")
    if found.none:
        print_line("It is what the live state says.")
    for table, count in found.rows.items():
        if count:
            print_line(f"{table}: {count} rows differ")
    if found.renumbered:
        print_line("Identifiers have other numbers; rows are not compared one by one.")
    for effect in (*found.people, *found.traits, *found.segments):
        named = ", ".join(one.identifier for one in effect.people)
        print_line(f"{effect.name or 'people'} {effect.what}: {effect.count} ({named})")
    for destination, count in found.deliveries.items():
        print_line(f"{destination}: {count} deliveries {'queued' if swapped else 'would be made'}")
    if not swapped:
        print_line(f"Put it in force with `cauce rebuild --swap {option}`.")
