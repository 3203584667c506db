"""Sealed ranges: which positions stand in which Parquet file, and reading them in order."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from cauce.eventlog.columns import PLAIN
from cauce.eventlog.content import content_print, id_print
from cauce.eventlog.database import FOLDER
from cauce.eventlog.runs import Run, named_range, open_run, run_paths, write_run
from cauce.eventlog.sealable import Range
from cauce.eventlog.sealed_file import check
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.event import Call, Logged, Position

SEALED_TO = "SELECT coalesce(max(last), 0) FROM (SELECT last FROM sealed ORDER BY first DESC LIMIT 1)"
"""The last sealed position; rows of ``event`` up to it are leftovers that nobody sees."""

_ROWS_AT_ONCE = 262_144
_CALLS = {call.value: call for call in Call}


def damaged_file(file: str, how: str) -> Conflict:
    """The error for a sealed file that is not what was sealed."""
    return Conflict(
        f"The event log is damaged: {FOLDER}/{file} {how}.",
        hint=f"Put {file} back into {FOLDER}/ from a backup, under the same name; nothing else is needed.",
        code="damaged_log",
    )


class SealedReader:
    """Reads sealed ranges in the order of positions, and keeps the last rows read.

    A file is sorted by event name, so a block of it is put in order and then cut.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = ""
        self._rows = PLAIN.empty_table()
        self._positions: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._all: npt.NDArray[np.int64] = self._positions

    def read(self, range_: Range, after: Position, limit: int) -> list[Logged]:
        """Up to ``limit`` events of the range above ``after``; fewer do not mean that there are no more.

        Raises ``Conflict`` (damaged_log) if the file is not what was sealed.
        """
        if self._file != range_.file:
            self._open(range_)
        at = int(self._all.searchsorted(after, side="right"))
        if at == len(self._all):
            return []
        if not (len(self._positions) and self._positions[0] <= self._all[at] <= self._positions[-1]):
            self._load(range_, at)
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
        """Check the file, and learn which positions it holds."""
        self._file, self._positions = "", self._positions[:0]
        verify(self._folder / range_.file, range_)
        positions = read_columns(self._folder, range_, ["position"])["position"].to_numpy()
        self._all = np.sort(positions, kind="stable")
        self._file = range_.file

    def _load(self, range_: Range, at: int) -> None:
        """Read the block of rows that begins at the ``at``-th position."""
        block = self._all[at : at + _ROWS_AT_ONCE]
        rows = _rows_between(self._folder, range_, int(block[0]), int(block[-1]))
        rows = rows.set_column(7, "body", rows["body"].cast(pa.binary()))
        rows = rows.take(np.argsort(rows["position"].to_numpy(), kind="stable")).combine_chunks()
        self._rows, self._positions = rows, rows["position"].to_numpy()


def _rows_between(folder: Path, range_: Range, first: int, last: int) -> pa.Table:
    """Rows of a file by their positions, a row group in memory at a time; ``PLAIN``."""
    found = []
    try:
        with pq.ParquetFile(folder / range_.file, page_checksum_verification=True) as file:
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group, columns=PLAIN.names, use_threads=False)
                positions = rows["position"].to_numpy()
                wanted = (positions >= first) & (positions <= last)
                if wanted.any():
                    found.append(rows if wanted.all() else rows.filter(pa.array(wanted)))
    except (OSError, pa.ArrowInvalid) as error:
        raise damaged_file(range_.file, "cannot be read") from error
    return pa.concat_tables(found) if found else PLAIN.empty_table()


def verify(path: Path, range_: Range) -> None:
    """Raise ``Conflict`` (damaged_log) if a file is missing or not what was sealed, byte for byte."""
    measure(path, range_)
    if check(path) != (range_.size, range_.checksum):
        raise damaged_file(range_.file, "is changed: its checksum is another")


def measure(path: Path, range_: Range) -> None:
    """Raise ``Conflict`` (damaged_log) if a file is missing or of another size than was sealed."""
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise damaged_file(range_.file, "is missing") from error
    if size != range_.size:
        raise damaged_file(range_.file, f"has {size} bytes and had {range_.size}")


def read_columns(folder: Path, range_: Range, names: Sequence[str]) -> pa.Table:
    """Columns of a sealed file; raises ``Conflict`` (damaged_log) if it is not what was sealed."""
    try:
        rows = pq.read_table(
            folder / range_.file,
            columns=list(names),
            use_threads=False,
            partitioning=None,
            page_checksum_verification=True,
        )
    except (OSError, pa.ArrowInvalid) as error:
        raise damaged_file(range_.file, "cannot be read") from error
    if rows.num_rows != range_.events:
        raise damaged_file(range_.file, f"has {rows.num_rows} rows and had {range_.events}")
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
    for path in run_paths(folder, first):
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
