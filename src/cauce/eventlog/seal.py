"""Sealing: a range of positions moves from rows to a Parquet file, exactly once.

The file is complete, durable and named before ``log.db`` learns of it; one
transaction then makes the range be read from the file. Deleting the rows comes
after and may be cut short at any time, because nobody sees them any more.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from operator import itemgetter
from pathlib import Path

import pyarrow.parquet as pq
import xxhash

from cauce.eventlog.columns import SEALED, sealed_columns
from cauce.eventlog.content import id_print
from cauce.eventlog.database import FOLDER, connect, prepare, sync_folder, translated
from cauce.eventlog.runs import SUFFIX, merge, named_range, range_name, run_path, to_merge, write_run
from cauce.eventlog.sealed import Range, kept_runs, ranges, run_of
from cauce.vocabulary.errors import Conflict, Transient
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Normalization

LOCK = "seal.lock"
"""The file in the space whose lock, and whose content, name the process that seals."""

_ROWS_PER_FILE = 131_072
_BYTES_PER_FILE = 64 * 1024 * 1024
_ROWS_PER_GROUP = 32_768
_ROWS_PER_FETCH = 8_192
_WAIT_SECONDS = 30
_HOLD_SECONDS = 0.004
"""How long a deletion aims to hold the write lock; a busy machine may stretch it fivefold."""

_Fetched = tuple[int, int, int, str, str, str, str, bytes, bytes]
"""A row, and the fingerprint of its content."""

_NAME_AND_POSITION = itemgetter(4, 0)

_ROWS = """
SELECT position, received, time, call, name, message_id, source, body, content
FROM event WHERE position BETWEEN ? AND ? ORDER BY position
"""


def seal(
    space: Path,
    upto: Position,
    how: Callable[[str], Normalization],
    *,
    rows_per_file: int = _ROWS_PER_FILE,
    bytes_per_file: int = _BYTES_PER_FILE,
    progress: Callable[[Range], None] = lambda _: None,
) -> list[Range]:
    """Seal all rows up to the position ``upto``; the ranges made, each told to ``progress`` too.

    ``how`` tells how the identifiers of a source are normalized, which are
    promoted to a column. Raises ``Conflict`` if another process is sealing and
    ``Transient`` if the disk is full; what is sealed by then stays sealed.
    """
    with sealer(space), _translated(), closing(connect(prepare(space), wait=_WAIT_SECONDS)) as connection:
        work = _Sealing(space / FOLDER, connection, how)
        work.clean()
        made: list[Range] = []
        while range_ := work.seal_next(upto, rows_per_file, bytes_per_file):
            made.append(range_)
            progress(range_)
        work.merge_runs()
        return made


@contextmanager
def sealer(space: Path) -> Iterator[None]:
    """Hold the right to seal; raises ``Conflict`` naming who holds it. A killed holder loses it."""
    with (space / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise Conflict(
                f"Process {file.read().strip() or 'unknown'} is sealing this log.",
                hint="Wait until it has ended.",
                code="already_sealing",
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what SQLite and the file system report as ours."""
    try:
        with translated():
            yield
    except OSError as error:
        raise Transient(
            f"Sealing stopped: {error.strerror or 'a file could not be written'}.",
            hint="No event is lost; free disk space, and it is tried again.",
        ) from error


class _Sealing:
    """One pass of the sealer; holds the lock named ``LOCK``."""

    def __init__(
        self, folder: Path, connection: sqlite3.Connection, how: Callable[[str], Normalization]
    ) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._connection = connection
        self._how = how
        connection.execute("PRAGMA secure_delete = ON")  # what is sealed leaves no copy in free pages
        (self._seed,) = connection.execute("SELECT value FROM fixed WHERE name = 'seed'").fetchone()

    def clean(self) -> None:
        """Remove what a killed sealer left: half-made and unregistered files, rows already sealed."""
        known = ranges(self._connection)
        files = {range_.file for range_ in known}
        ends = {range_.last for range_ in known}
        for path in self._folder.iterdir():
            stray_file = path.suffix == ".parquet" and path.name not in files
            stray_run = path.suffix == SUFFIX and named_range(path)[1] not in ends
            if stray_file or stray_run or path.suffix == ".tmp":
                path.unlink(missing_ok=True)
        if known:
            self._delete(known[-1].last)

    def seal_next(self, upto: int, rows_per_file: int, bytes_per_file: int) -> Range | None:
        """Seal the next range; None if nothing is left up to ``upto``."""
        known = ranges(self._connection)
        first = known[-1].last + 1 if known else 1
        rows = self._fetch(first, min(upto, first + rows_per_file - 1), bytes_per_file)
        if not rows:
            return None
        last, last_received = rows[-1][:2]
        run = run_of(first, last, [id_print(row[5], self._seed) for row in rows], [row[8] for row in rows])
        rows.sort(key=_NAME_AND_POSITION)
        path = self._folder / f"{range_name(first, last)}.parquet"
        size, checksum = _write(path, rows, self._how)
        write_run(self._folder, run, self._seed)
        range_ = Range(first, last, len(rows), last_received, path.name, size, checksum)
        self._connection.execute("INSERT INTO sealed VALUES (?, ?, ?, ?, ?, ?, ?)", range_)
        self._delete(last)
        return range_

    def _fetch(self, first: int, last: int, bytes_limit: int) -> list[_Fetched]:
        """The rows from ``first`` on, until one of the limits is reached."""
        rows: list[_Fetched] = []
        size = 0
        cursor = self._connection.execute(_ROWS, (first, last))
        while size < bytes_limit and (more := cursor.fetchmany(_ROWS_PER_FETCH)):
            rows.extend(more)
            size += sum(len(row[7]) for row in more)
        cursor.close()
        return rows

    def _delete(self, upto: int) -> None:
        """Delete rows up to a position, a few at a time: appenders get the lock in between.

        The number adapts to the time it takes. Without fsync: a deletion that a
        power cut undoes is done again.
        """
        execute = self._connection.execute
        execute("PRAGMA synchronous = NORMAL")
        (position,) = execute("SELECT coalesce(min(position), 0) FROM event").fetchone()
        count = 512
        while 0 < position <= upto:
            execute("BEGIN IMMEDIATE")
            start = time.monotonic()
            execute("DELETE FROM event WHERE position < ?", (min(position + count, upto + 1),))
            execute("COMMIT")
            held = time.monotonic() - start
            position += count
            count = max(64, count // 2) if held > _HOLD_SECONDS else min(2_048, count * 2)
            time.sleep(held)
        execute("PRAGMA synchronous = FULL")

    def merge_runs(self) -> None:
        """Merge neighbouring run files by size, and remove those that a wider one holds."""
        known = ranges(self._connection)
        runs = kept_runs(self._folder, known, self._seed, [])
        while which := to_merge([len(run.ids) for run in runs]):
            runs[which] = [write_run(self._folder, merge(runs[which]), self._seed)]
        used = {run_path(self._folder, run.first, run.last) for run in runs}
        for path in self._folder.glob(f"*{SUFFIX}"):
            if path not in used:
                path.unlink()


def _write(path: Path, rows: Sequence[_Fetched], how: Callable[[str], Normalization]) -> tuple[int, str]:
    """Write a Parquet file durably under its name, all or nothing; its size and checksum."""
    made = path.with_suffix(".tmp")
    with pq.ParquetWriter(
        made, SEALED, compression="zstd", use_dictionary=["call", "name", "source"], write_page_index=True
    ) as writer:
        for start in range(0, len(rows), _ROWS_PER_GROUP):
            batch = sealed_columns([row[:8] for row in rows[start : start + _ROWS_PER_GROUP]], how)
            writer.write_batch(batch, row_group_size=_ROWS_PER_GROUP)
    checksum = xxhash.xxh3_64()
    with made.open("rb") as file:
        while piece := file.read(1 << 20):
            checksum.update(piece)
        os.fsync(file.fileno())
        size = file.tell()
    made.replace(path)
    sync_folder(path.parent)
    return size, checksum.hexdigest()
