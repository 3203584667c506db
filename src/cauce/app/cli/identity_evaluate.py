"""`cauce identity evaluate`."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cauce.app.cli.output import JsonOption, print_json, print_line, print_table
from cauce.match.evaluate import evaluate as evaluate_table
from cauce.match.evaluate import report
from cauce.match.model_files import read_model, write_model
from cauce.match.reading import column_named, read_records
from cauce.match.splink_engine import require
from cauce.vocabulary.errors import InvalidInput

_FILE = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Records, as CSV or Parquet.")]
_TRUTH = Annotated[str, typer.Option(metavar="COLUMN", help="The column that tells whose record it is.")]
_IGNORE = Annotated[
    list[str], typer.Option(metavar="COLUMNS", help="Columns to leave out, with commas between; repeatable.")
]
_KIND = Annotated[
    list[str], typer.Option("--column", metavar="NAME=KIND", help="The kind of a column; repeatable.")
]
_MODEL = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="A model to use; without one it is trained.")
]
_WRITE = Annotated[
    Path | None,
    typer.Option("--write-model", dir_okay=False, help="Where to write the model, .yaml or .json."),
]


def evaluate(
    file: _FILE,
    truth: _TRUTH,
    ignore: _IGNORE = [],  # noqa: B006  typer reads the default
    column: _KIND = [],  # noqa: B006
    model: _MODEL = None,
    write: _WRITE = None,
    json: JsonOption = False,
) -> None:
    """Match the records of a file without their labels, and compare the outcome with the labels."""
    require()
    started = time.monotonic()
    table = read_records(file)
    names = table.column_names
    left_out = [
        column_named(name, names, file) for part in ignore for name in part.split(",") if name.strip()
    ]
    given = read_model(model) if model else None
    kinds = dict(_kind(one, names, file) for one in column)
    evaluation = evaluate_table(
        table, column_named(truth, names, file), ignore=left_out, given=kinds, model=given
    )
    if write:
        write_model(evaluation.model, write)
    figures = report(evaluation) | {"seconds": round(time.monotonic() - started, 3)}
    if json:
        print_json(figures)
    else:
        _print(figures)


def _kind(text: str, names: list[str], file: Path) -> tuple[str, str]:
    name, equals, kind = text.rpartition("=")
    if not equals:
        raise InvalidInput(f"{text} names no kind.", hint="Write --column NAME=KIND.")
    return column_named(name, names, file), kind.strip()


def _print(figures: dict[str, Any]) -> None:
    print_table(
        ("column", "kind", "why"), [(name, *found.values()) for name, found in figures["columns"].items()]
    )
    print_line("")
    rows = [
        (name, *(f"{figures[name][one]:.4f}" for one in ("precision", "recall", "f1")))
        for name in ("pairwise", "bcubed")
    ]
    print_table(("", "precision", "recall", "F1"), rows)
    clusters = figures["clusters"]
    print_line(
        f"{figures['records']} records in {clusters['count']} clusters of at most {clusters['largest']}."
    )
    print_line(
        f"{figures['people']} people in truth; {figures['candidates']} pairs to review; "
        f"model {figures['model']}."
    )
    for name, meaning in (
        ("over_merged", "several people in one cluster"),
        ("under_merged", "one person in several clusters"),
    ):
        for parts in figures[name][:10]:
            print_line(f"{meaning}: records {' | '.join(' '.join(map(str, part)) for part in parts)}")
    print_line(f"{figures['seconds']} s")
