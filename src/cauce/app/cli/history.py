"""`cauce history`, `cauce export` and `cauce rollback`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cauce.app.applying import apply as apply_definitions
from cauce.app.cli.output import (
    HERE,
    JsonOption,
    PurposeOption,
    SpaceOption,
    print_json,
    print_line,
    print_table,
)
from cauce.app.cli.plan import (
    WAIT,
    AtOption,
    ForceOption,
    NoteOption,
    WaitOption,
    earlier,
    finish,
    settled_position,
)
from cauce.app.cli.plan_text import print_change, summary
from cauce.app.cli.who import command_line
from cauce.app.compose import Composition
from cauce.app.definition_files import export as export_files
from cauce.app.version_history import Recorded, history_of, versions_with_changes
from cauce.vocabulary import moment
from cauce.vocabulary.access import OPERATIONS
from cauce.vocabulary.definitions.canonical import read_contents
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.moment import to_iso

app = typer.Typer()


@app.command()
def history(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="A definition, as vip or segments/vip.")] = "",
    space: SpaceOption = HERE,
    json: JsonOption = False,
) -> None:
    """List the versions that were applied: when, by whom, why, and what each changed."""
    composition = Composition(space)
    found = history_of(composition.versions, name) if name else versions_with_changes(composition.versions)
    if json:
        print_json([_described(one) for one in found])
        return
    if not name:
        columns = ("version", "at", "by", "changes", "note")
        print_table(columns, [(*_head(one), summary(one.changes), _note(one)) for one in reversed(found)])
        return
    for one in reversed(found):
        number, at, viewer = _head(one)
        print_line(f"Version {number}, {at}, by {viewer}. {_note(one)}".rstrip())
        for change in one.changes:
            print_change(change)
        print_line()


def _head(one: Recorded) -> tuple[int, str, str]:
    return one.version.number, to_iso(one.version.at), one.version.viewer


def _note(one: Recorded) -> str:
    back = f"back to version {one.version.again}" if one.version.again else ""
    return ": ".join(part for part in (back, one.version.note) if part)


def _described(one: Recorded) -> dict[str, Any]:
    return {**one.version._asdict(), "at": to_iso(one.version.at), "changes": one.changes}


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write definitions into.")],
    space: SpaceOption = HERE,
    version: Annotated[
        int, typer.Option("--version", metavar="N", help="An earlier version.", show_default="applied")
    ] = 0,
    force: Annotated[
        bool, typer.Option("--force", help="Change and remove files that say something else.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Write the applied definitions as YAML; files that say the same are left alone."""
    composition = Composition(space)
    number = version or composition.versions.latest()
    if not number:
        raise Conflict("Nothing was applied yet.", hint="`cauce serve` or `cauce apply` applies the folder.")
    done = export_files(read_contents(composition.versions.contents(number)), folder, overwrite=force)
    if json:
        listed = {name: list(map(str, paths)) for name, paths in done._asdict().items()}
        print_json({"version": number, **listed})
        return
    print_line(f"{folder} holds version {number}.")
    print_line(
        f"{len(done.written)} files written, {len(done.removed)} removed, {len(done.left)} left alone."
    )


@app.command()
def rollback(
    number: Annotated[
        int, typer.Argument(metavar="[N]", help="The version to go back to.", show_default="the one before")
    ] = 0,
    space: SpaceOption = HERE,
    at: AtOption = None,
    force: ForceOption = False,
    note: NoteOption = "",
    wait: WaitOption = WAIT,
    purpose: PurposeOption = OPERATIONS,
    json: JsonOption = False,
) -> None:
    """Apply an earlier version again, as a new one; the folder stays as it is."""
    composition = Composition(space)
    wanted = number or composition.versions.latest() - 1
    if wanted < 1:
        raise Conflict("There is no version before.", hint="`cauce history` lists the versions.")
    candidate = earlier(composition, wanted)
    position = settled_position(composition, candidate, at, force=force, purpose=purpose)
    version = apply_definitions(
        composition,
        candidate,
        at=position,
        now=moment.now(),
        viewer=command_line(),
        note=note,
        again=wanted,
    )
    finish(composition, version, wait, json=json)
    if version is not None and not json:
        folder = composition.space.definitions
        print_line(f"The folder still says what it said: cauce export {folder} {composition.space.option}")
