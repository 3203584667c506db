"""`cauce migrate`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from random import SystemRandom
from time import monotonic
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cauce.app.cli.output import HERE, JsonOption, SpaceOption, print_json, print_line, print_table
from cauce.app.compose import Composition
from cauce.app.migrate.moving import migrate as move
from cauce.app.migrate.rows import Step, Told
from cauce.storage.settings import StoreSettings, without_password
from cauce.vocabulary import moment
from cauce.vocabulary.errors import InvalidInput

app = typer.Typer()

FILES = "sqlite"


@app.command()
def migrate(
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="postgresql://… to move there, sqlite to move back.")
    ],
    space: SpaceOption = HERE,
    schema: Annotated[str, typer.Option(help="The PostgreSQL schema to move to.")] = StoreSettings.schema,
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove what an earlier move left at the place.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Move a space that is not served from SQLite files to PostgreSQL, or back. The old place is marked."""
    target = _target(to, schema)
    started = monotonic()
    with _telling() as told:
        found = move(
            Composition(space), target, clock=moment.now, rng=SystemRandom(), discard=replace, told=told
        )
    seconds = monotonic() - started
    rows = sum(one.rows for one in found.values())
    if json:
        tables = {name: {"rows": one.rows, "digest": f"{one.digest:032x}"} for name, one in found.items()}
        print_json({"to": without_password(to), "rows": rows, "seconds": round(seconds, 3), "tables": tables})
        return
    if found:
        print_table(("table", "rows"), [(name, f"{one.rows:,}") for name, one in found.items() if one.rows])
        print_line(f"{rows:,} rows moved and compared in {seconds:.1f} s.")
    else:
        print_line("An earlier move had arrived; it is ended now.")
    print_line(_next(target))


def _target(to: str, schema: str) -> StoreSettings:
    if to == FILES:
        return StoreSettings()
    try:
        found = msgspec.convert({"url": to, "schema": schema}, StoreSettings)
    except msgspec.ValidationError:
        found = StoreSettings()
    if not found.url:
        raise InvalidInput(
            "That is no place to move to.",
            hint="Write --to postgresql://user@host:5432/database, or --to sqlite.",
        )
    return found


def _next(target: StoreSettings) -> str:
    """What is left to do."""
    if not target.url:
        return "Now remove store.url from cauce.yaml (or CAUCE_STORE__URL), and serve."
    return (
        f"Now let store.url in cauce.yaml (or CAUCE_STORE__URL) be {target.shown} "
        f"and store.schema {target.schema}, and serve."
    )


@contextmanager
def _telling() -> Iterator[Told]:
    """Table, rows and rate on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} rows, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        tasks: dict[str, TaskID] = {}

        def told(step: Step) -> None:
            if step.table not in tasks:
                tasks[step.table] = shown.add_task(step.table, total=step.total, rate=0.0)
            task = shown.tasks[tasks[step.table]]
            rate = step.done / task.elapsed if task.elapsed else 0.0
            shown.update(task.id, completed=step.done, rate=rate)

        yield told
