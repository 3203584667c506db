"""`cauce import`."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from cauce.app.cli.output import HERE, JsonOption, SpaceOption, print_json, print_line, print_table, printable
from cauce.app.cli.who import command_line
from cauce.app.compose import Composition
from cauce.app.exit_codes import FAILURE
from cauce.app.in_force import apply_first
from cauce.collect.files import Progress as Done
from cauce.collect.files import import_file, load_mapping
from cauce.collect.files.delivery import Historical, ImportLog
from cauce.collect.files.mapping import Mapping
from cauce.collect.files.proposal.service import propose, seen_at_a_glance
from cauce.collect.files.result import ImportResult, Report
from cauce.storage import garbage
from cauce.vocabulary import moment
from cauce.vocabulary.definitions import SourceKind
from cauce.vocabulary.errors import InvalidInput, NotFound
from cauce.vocabulary.moment import to_iso
from cauce.vocabulary.nearest import did_you_mean

app = typer.Typer()

_PROCESSES = 4
"""So many processes at most read a long file."""


MappingOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The mapping that says what the lines mean.")
]


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="CSV, JSON Lines (also with gzip or zstd), Parquet or a workbook; - is standard input.",
        ),
    ],
    mapping: MappingOption = None,
    space: SpaceOption = HERE,
    source: Annotated[str, typer.Option(help="The source.", show_default="that of the mapping")] = "",
    proposed: Annotated[
        bool, typer.Option("--propose", help="Print a mapping for the file, with reasons; nothing is kept.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count, and show the first events; nothing is kept.")
    ] = False,
    historical: Annotated[
        bool, typer.Option("--historical", help="Write a long history straight into sealed files.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Import a file. The same file again adds nothing; after a failure, import it again."""
    composition = Composition(space)
    with _at_hand(file, composition.space.scratch) as path:
        if proposed:
            _propose(path, composition, source, json=json)
            return
        if mapping is None:
            raise InvalidInput(
                "No mapping was given.",
                hint="Give --mapping FILE; `cauce import FILE --propose` drafts one.",
            )
        how = load_mapping(mapping)
        if not dry_run:
            apply_first(composition, command_line(), now=moment.now())
        _check_source(composition, source or how.source)
        if not json:
            _tell_at_a_glance(path)
        result = _run(path, how, composition, source, dry_run=dry_run, historical=historical)
    _print(result, dry_run=dry_run, json=json)
    if result.problem:
        typer.echo(f"Error: {result.problem}", err=True)
        typer.echo("Hint: what could be read is imported; bring a whole file and import it again.", err=True)
        raise typer.Exit(FAILURE)


def _tell_at_a_glance(path: Path) -> None:
    """What the file seems to be, on standard error before anything is loaded."""
    with suppress(InvalidInput, OSError):  # the import says what is wrong with the file
        for sentence in seen_at_a_glance(path):
            typer.echo(printable(sentence), err=True)


def _run(
    path: Path, how: Mapping, composition: Composition, source: str, *, dry_run: bool, historical: bool
) -> ImportResult:
    log: ImportLog = composition.log
    if historical:
        log = Historical(composition.log, composition.plan, moment.now)
    garbage.look_seldom()
    with _progress() as report:
        return import_file(
            path,
            how,
            log,
            clock=moment.now,
            source=source,
            progress=report,
            dry_run=dry_run,
            bulk=historical,
            processes=min(_PROCESSES, os.cpu_count() or 1),
            settings=composition.settings.collector,
        )


def _print(result: ImportResult, *, dry_run: bool, json: bool) -> None:
    if json:
        first = [msgspec.Raw(event.body) for event in result.first_events]
        print_json({**result.counts(), **({"first_events": first} if dry_run else {})})
        return
    print_table(("lines", ""), list(result.counts().items()))
    if result.reasons:
        print_line()
        print_table(("reason of quarantine", "lines"), sorted(result.reasons.items()))
    if result.first_events:
        print_line()
        print_line("The first events:")
        for event in result.first_events:
            print_line(f"{to_iso(event.time)}  {event.body.decode()}")


def _propose(path: Path, composition: Composition, source: str, *, json: bool) -> None:
    """Print a draft; the source is the given one, or the first that files come from."""
    sources = composition.definitions.sources.values()
    name = source or next((one.name for one in sources if one.kind is SourceKind.FILE), "")
    name = name or next((one.name for one in sources), "file")
    found = propose(path, owner=command_line().name.partition(" (")[0], source=name, clock=moment.now)
    if not json:
        typer.echo(found.yaml, nl=False)
        return
    columns = [
        {
            "name": one.name,
            "type": str(one.type.kind),
            "role": str(found.meanings[one.name].role),
            "why": found.meanings[one.name].why,
            "doubt": one.doubt,
            "filled": one.filled,
            "distinct": one.distinct,
            "looked_at": one.total,
        }
        for one in found.columns
    ]
    print_json(
        {
            "format": str(found.layout.format.type),
            "notes": found.layout.notes,
            "columns": columns,
            "tried": found.tried.counts(),
            "mapping": found.yaml,
        }
    )


@contextmanager
def _at_hand(file: Path, scratch: Path) -> Iterator[Path]:
    """The file itself; what standard input brings is put into a file first, as it is read twice."""
    if str(file) != "-":
        yield file
        return
    scratch.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=scratch) as folder:
        path = Path(folder) / "standard input"
        with path.open("wb") as kept:
            shutil.copyfileobj(sys.stdin.buffer, kept)
        yield path


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
