"""Sealing on SQLite: the rows of ``log.db``, and its tables of what is sealed."""

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from cauce.eventlog.database import connect, prepare, translated
from cauce.eventlog.seal_lock import sealer
from cauce.eventlog.sealable import Range, Sealed, SealRow
from cauce.eventlog.statistics import FileStatistics

_WAIT_SECONDS = 30
_HOLD_SECONDS = 0.004
"""How long a deletion aims to hold the write lock; a busy machine may stretch it fivefold."""
_ROWS_PER_FETCH = 8_192

ROWS = """
SELECT position, received, time, call, name, message_id, source, body, content
FROM event WHERE position BETWEEN ? AND ? ORDER BY position
"""
_LENGTHS = "SELECT position, length(body) FROM event WHERE position BETWEEN ? AND ? ORDER BY position"


class SqliteSealable:
    """The rows and the register of a ``log.db``; see ``Sealable``."""

    def __init__(self, space: Path) -> None:
        path = prepare(space)
        with translated():
            self._connection = connect(path, wait=_WAIT_SECONDS)
            self._connection.execute("PRAGMA secure_delete = ON")  # sealed rows leave no copy in free pages
            (seed,) = self._connection.execute("SELECT value FROM fixed WHERE name = 'seed'").fetchone()
        self.seed: int = seed
        self._space = space

    def alone(self, *, wait_seconds: float = 0) -> AbstractContextManager[None]:
        """Hold the right to seal the log."""
        return sealer(self._space, wait_seconds=wait_seconds)

    def ranges(self) -> list[Range]:
        """The sealed ranges in order."""
        with translated():
            return ranges(self._connection)

    def statistics(self) -> Mapping[str, FileStatistics]:
        """What is known of each sealed file."""
        with translated():
            return statistics(self._connection)

    def cut(self, first: int, upto: int, rows: int, size: int) -> int | None:
        """Where the range from ``first`` on ends."""
        last = None
        with translated():
            cursor = self._connection.execute(_LENGTHS, (first, upto))
            for position, length in cursor:
                size -= length
                if size < 0 and last is not None:
                    break
                last = int(position)
                rows -= 1
                if rows == 0:
                    break
            cursor.close()
        return last

    def fetch(self, first: int, last: int) -> Iterator[list[SealRow]]:
        """The rows from one position to another in order."""
        with translated():
            cursor = self._connection.execute(ROWS, (first, last))
            while rows := cursor.fetchmany(_ROWS_PER_FETCH):
                yield rows

    def register(self, new: Sequence[Sealed], gone: Sequence[Range]) -> None:
        """Read the new ranges from their files, and forget those gone, in one transaction."""
        execute = self._connection.execute
        with translated():
            execute("BEGIN IMMEDIATE")
            try:
                register(self._connection, new, gone)
                execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    execute("ROLLBACK")
                raise

    def delete(self, upto: int) -> None:
        """Delete rows up to a position, a few at a time: appenders get the lock in between.

        The number adapts to the time it takes. Without fsync: a deletion that a
        power cut undoes is done again.
        """
        execute = self._connection.execute
        with translated():
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

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


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


def statistics(connection: sqlite3.Connection) -> dict[str, FileStatistics]:
    """What is known of each sealed file, by its name."""
    rows = connection.execute("SELECT file, document FROM sealed_statistics")
    return {file: FileStatistics.decode(document) for file, document in rows}


def register(connection: sqlite3.Connection, new: Sequence[Sealed], gone: Sequence[Range]) -> None:
    """Within a transaction: register new ranges in place of those gone."""
    connection.executemany("DELETE FROM sealed WHERE first = ?", [(one.first,) for one in gone])
    connection.executemany("DELETE FROM sealed_statistics WHERE file = ?", [(one.file,) for one in gone])
    connection.executemany("INSERT INTO sealed VALUES (?, ?, ?, ?, ?, ?, ?)", [one.range for one in new])
    documents = [(one.range.file, one.statistics.encode()) for one in new]
    connection.executemany("INSERT INTO sealed_statistics VALUES (?, ?)", documents)
