"""Sealed ranges: which positions stand in which Parquet file, and reading them in order."""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cauce.eventlog.columns import PLAIN
from cauce.eventlog.content import content_print, id_print
from cauce.eventlog.database import damaged
from cauce.eventlog.runs import SUFFIX, Run, named_range, open_run, write_run
from cauce.vocabulary.event import Call, Logged, Position

SEALED_TO = "SELECT coalesce(max(last), 0) FROM (SELECT last FROM sealed ORDER BY first DESC LIMIT 1)"
"""The last sealed position; rows of ``event`` up to it are leftovers that nobody sees."""

_CALLS = {call.value: call for call in Call}


class Range(NamedTuple):
    """A sealed range of positions and its file of ``size`` bytes; ranges adjoin, the first begins at 1."""

    first: int
    last: int
    events: int
    last_received: int
    file: str
    size: int
    checksum: str


def ranges(connection: sqlite3.Connection) -> list[Range]:
    """All sealed ranges in order."""
    rows = connection.execute("SELECT * FROM sealed ORDER BY first")
    return [Range._make(row) for row in rows]


def range_at(connection: sqlite3.Connection, position: int) -> Range | None:
    """The sealed range that holds a position."""
    row = connection.execute(
        "SELECT * FROM sealed WHERE first <= ? ORDER BY first DESC LIMIT 1", (position,)
    ).fetchone()
    return Range._make(row) if row and row[1] >= position else None


class SealedReader:
    """Reads sealed ranges in the order of positions, and keeps the last one opened.

    A file is sorted by event name, so it is put in order once and then cut.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = ""
        self._rows = PLAIN.empty_table()
        self._positions = np.empty(0, dtype=np.int64)

    def read(self, range_: Range, after: Position, limit: int) -> list[Logged]:
        """Up to ``limit`` events of the range above ``after``."""
        if self._file != range_.file:
            self._open(range_)
        start = int(self._positions.searchsorted(after, side="right"))
        return [
            Logged(
                position=position,
                received=received,
                time=time,
                call=_CALLS[call],
                name=name,
                message_id=message_id,
                source=source,
                body=body,
            )
            for position, received, time, call, name, message_id, source, body in zip(
                *(column.to_pylist() for column in self._rows.slice(start, limit).columns), strict=True
            )
        ]

    def _open(self, range_: Range) -> None:
        rows = read_columns(self._folder, range_, PLAIN.names)
        rows = rows.set_column(7, "body", rows["body"].cast(pa.binary()))
        rows = rows.take(np.argsort(rows["position"].to_numpy(), kind="stable")).combine_chunks()
        self._file, self._rows = range_.file, rows
        self._positions = rows["position"].to_numpy()


def read_columns(folder: Path, range_: Range, names: Sequence[str]) -> pa.Table:
    """Columns of a sealed file; raises ``Conflict`` (damaged_log) if it is not what was sealed."""
    try:
        rows = pq.read_table(folder / range_.file, columns=list(names), use_threads=False, partitioning=None)
    except (OSError, pa.ArrowInvalid) as error:
        raise damaged(f"{range_.file} cannot be read") from error
    if rows.num_rows != range_.events:
        raise damaged(f"{range_.file} has {rows.num_rows} rows and had {range_.events}")
    return rows


def kept_runs(folder: Path, sealed: Sequence[Range], seed: int, have: Sequence[Run]) -> list[Run]:
    """Runs that together hold the sealed ranges, the widest there are.

    ``have`` are runs already open. A file that is missing or damaged is made
    again from the Parquet; one that does not end where a range ends is of
    another history (a restored backup, a killed sealer) and is not used.
    """
    found: list[Run] = []
    open_already = {(run.first, run.last): run for run in have}
    by_first = {range_.first: range_ for range_ in sealed}
    ends = {range_.last for range_ in sealed}
    at, end = 1, sealed[-1].last if sealed else 0
    while at <= end:
        # asked twice, because the sealer may replace files by a wider one meanwhile
        run = _widest(folder, at, ends, seed, open_already) or _widest(folder, at, ends, seed, open_already)
        if run is None:
            run = _remake(folder, by_first[at], seed)
            with suppress(OSError):  # it serves without its file too, and is made again next time
                run = write_run(folder, run, seed)
        found.append(run._replace(kept=True))
        at = run.last + 1
    return found


def _widest(
    folder: Path, first: int, ends: set[int], seed: int, open_already: dict[tuple[int, int], Run]
) -> Run | None:
    """The widest sound run file from ``first`` to one of ``ends``."""
    for path in sorted(folder.glob(f"{first:016}-*{SUFFIX}"), reverse=True):
        _, last = named_range(path)
        run = None
        if last in ends:
            run = open_already.get((first, last)) or open_run(path, seed)
        if run is not None:
            return run
    return None


def _remake(folder: Path, range_: Range, seed: int) -> Run:
    rows = read_columns(folder, range_, ["message_id", "body"])
    ids = [id_print(message_id, seed) for message_id in rows["message_id"].to_pylist()]
    bodies = rows["body"].cast(pa.binary()).to_pylist()
    return run_of(range_.first, range_.last, ids, [content_print(body, seed) for body in bodies])


def run_of(first: int, last: int, ids: Sequence[int], contents: Sequence[bytes]) -> Run:
    """The run of a range from fingerprints in any order."""
    return Run.sorted(
        first,
        last,
        np.array(ids, dtype=np.uint64),
        np.frombuffer(b"".join(contents), dtype=">u8").astype(np.uint64),
    )
