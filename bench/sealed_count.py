"""Counting in sealed files: an event name and a condition on a property, beside hand-typed columns.

The floor is DuckDB over the same events in typed Parquet files that somebody laid
out by hand for this question: sorted by name, a decimal column for the property.
``python -m bench.sealed_count [EVENTS]``.
"""

import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import duckdb

from bench.figures import Figure
from bench.wide_log import fill, property_of, type_of
from cauce.eventlog.bulk import Wanted, log_parts
from cauce.eventlog.plan import BySource
from cauce.eventlog.snapshot import LogSnapshot
from cauce.eventlog.sqlite import SqliteLog
from cauce.segment.bulk_fields import Events, property_columns
from cauce.segment.bulk_odd import odd_functions

EVENTS, PEOPLE = 10_000_000, 1_000_000
TARGET = 1.5
_KIND = 12
_NAME = f"Kind {_KIND}"
_LEAST = 250
_REPEATS = 7


def run(events: int = EVENTS) -> list[Figure]:
    """Count with promoted columns, from bodies, and with hand-typed columns, in turns."""
    names = (property_of(_KIND, which) for which in range(5))
    path = (next(name for name in names if type_of(name) == "number"),)
    with tempfile.TemporaryDirectory() as folder:
        space = Path(folder)
        began, before = perf_counter(), process_time()
        fill(space, events, PEOPLE * events // EVENTS, paths=[("properties", *path)])
        filled, processor = perf_counter() - began, process_time() - before
        log = SqliteLog(space)
        with duckdb.connect() as lake, odd_functions(lake), log.snapshot(log.head()) as found:
            typed = _typed(lake, found, space / "typed", path)
            promoted, body = _query(lake, found, path, True), _query(lake, found, path, False)
            times = _in_turns(lake, {"typed": typed, "promoted": promoted, "body": body})
        log.close()
    ratio = times["promoted"] / times["typed"]
    floor = f"hand-typed columns, {times['typed'] * 1_000:,.1f} ms"
    return [
        Figure("fill, compacted", events / filled, "events/s", "", True),
        Figure("  processor of the appending process", processor / events * 1e6, "µs/event", "", True),
        Figure(
            "count, promoted", times["promoted"] * 1e3, "ms", f"≤ {TARGET} ×", ratio <= TARGET, ratio, floor
        ),
        Figure(
            "count, from bodies", times["body"] * 1e3, "ms", "", True, times["body"] / times["typed"], floor
        ),
    ]


def _typed(lake: duckdb.DuckDBPyConnection, log: LogSnapshot, folder: Path, path: tuple[str, ...]) -> str:
    """Write the hand-typed files, one beside each sealed file; the question put to them."""
    folder.mkdir()
    column = f'"properties.{path[0]}:number"'
    for number, one in enumerate(log.files):
        lake.execute(
            f"COPY (SELECT position, time, name, source, {column} AS value FROM read_parquet('{one.path}')"
            f" ORDER BY name, position) TO '{folder}/{number}.parquet' (COMPRESSION zstd)"
        )
    files = f"read_parquet('{folder}/*.parquet')"
    return f"SELECT count(*) FROM {files} WHERE name = '{_NAME}' AND value >= {_LEAST}"


def _query(lake: duckdb.DuckDBPyConnection, log: LogSnapshot, path: tuple[str, ...], columns: bool) -> str:
    """The question as previews put it, of all events rather than each person's."""
    wanted = Wanted(frozenset([_NAME]), frozenset([("properties", *path)]))
    views = [
        Events(
            f"(SELECT 0 AS profile, * FROM {part.sql} WHERE {part.where([_NAME])})",
            {key[1:]: there for key, there in part.typed.items()} if columns else {},
        )
        for part in log_parts(lake, log, BySource({}), wanted)
    ]
    events = property_columns(views, {path: "p"}, f"name = '{_NAME}'")
    return f"SELECT count(*) FROM ({events}) WHERE p_number >= {_LEAST}"


def _in_turns(lake: duckdb.DuckDBPyConnection, queries: dict[str, str]) -> dict[str, float]:
    """The least seconds of each query; all must give the same."""
    best: dict[str, float] = {}
    answers = set()
    for _ in range(_REPEATS):
        for name, query in queries.items():
            began = perf_counter()
            answers.add(lake.execute(query).fetchall()[0][0])
            best[name] = min(best.get(name, float("inf")), perf_counter() - began)
    assert len(answers) == 1, answers
    return best


if __name__ == "__main__":
    for figure in run(*map(int, sys.argv[1:])):
        ratio = f" ({figure.ratio:.2f} × {figure.floor})" if figure.ratio is not None else ""
        print(f"{figure.what:40} {figure.value:12,.1f} {figure.unit}{ratio}")
