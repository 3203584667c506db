"""`cauce import`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from cauce.app.cli.output import HERE, JsonOption, SpaceOption, print_json, print_line, print_table
from cauce.app.cli.who import command_line
from cauce.app.compose import Composition
from cauce.app.exit_codes import FAILURE
from cauce.app.in_force import apply_first
from cauce.collect.files import Progress as Done
from cauce.collect.files import import_file, load_mapping
from cauce.collect.files.result import Report
from cauce.vocabulary import moment
from cauce.vocabulary.errors import NotFound
from cauce.vocabulary.nearest import did_you_mean

app = typer.Typer()


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON Lines, also gzipped.")],
    mapping: Annotated[Path, typer.Option(metavar="FILE", help="The mapping that says what the lines mean.")],
    space: SpaceOption = HERE,
    source: Annotated[str, typer.Option(help="The source.", show_default="that of the mapping")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only; nothing is kept.")] = False,
    json: JsonOption = False,
) -> None:
    """Import a file. The same file again adds nothing; after a failure, import it again."""
    composition = Composition(space)
    how = load_mapping(mapping)
    if not dry_run:
        apply_first(composition, command_line(), now=moment.now())
    _check_source(composition, source or how.source)
    with _progress() as report:
        result = import_file(
            file,
            how,
            composition.log,
            clock=moment.now,
            source=source,
            progress=report,
            dry_run=dry_run,
            settings=composition.settings.collector,
        )
    if json:
        print_json(result.counts())
    else:
        print_table(("lines", ""), list(result.counts().items()))
        if result.reasons:
            print_line()
            print_table(("reason of quarantine", "lines"), sorted(result.reasons.items()))
    if result.problem:
        typer.echo(f"Error: {result.problem}", err=True)
        typer.echo("Hint: what could be read is imported; bring a whole file and import it again.", err=True)
        raise typer.Exit(FAILURE)


def _check_source(composition: Composition, source: str) -> None:
    sources = composition.definitions.sources
    if source not in sources:
        raise NotFound(
            f"There is no source {source}.",
            hint=f"{did_you_mean(source, sources)} Define it in definitions/sources, or give --source NAME.",
        )


@contextmanager
def _progress() -> Iterator[Report | None]:
    """Rate and time left on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[lines]:,} lines, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield _Shown(shown).report


class _Shown:
    """One bar for each step of the import."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown
        self._tasks: dict[str, int] = {}

    def report(self, done: Done) -> None:
        """Move the bar of the step."""
        if done.step not in self._tasks:
            self._tasks[done.step] = self._shown.add_task(done.step, lines=0, rate=0.0)
        task = self._shown.tasks[self._tasks[done.step]]
        rate = done.lines / task.elapsed if task.elapsed else 0.0
        self._shown.update(task.id, completed=done.done, total=done.total, lines=done.lines, rate=rate)
