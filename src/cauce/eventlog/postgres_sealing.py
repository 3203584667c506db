"""Sealing on PostgreSQL: the hot rows of a space's schema, and its tables of what is sealed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from time import monotonic, sleep

from cauce.eventlog.database import FOLDER
from cauce.eventlog.postgres_connection import Connection, LostConnection, PostgresConnection
from cauce.eventlog.postgres_seed import seed_of
from cauce.eventlog.postgres_statements import Statements
from cauce.eventlog.sealable import Range, Sealed, SealRow
from cauce.eventlog.statistics import FileStatistics
from cauce.vocabulary.errors import Conflict

_LOCK_SECONDS = 30
_PAUSE_SECONDS = 0.02
_ROWS_PER_FETCH = 8_192
_ROWS_PER_DELETION = 20_000


class PostgresSealable:
    """The rows and the register of a log on PostgreSQL; see ``Sealable``.

    Rows are written without looking at what sealing does, so deleting them keeps no appender waiting.
    """

    def __init__(self, url: str, schema: str, space: Path) -> None:
        self._sql = Statements(schema)
        self._held = PostgresConnection(url, schema, lock_seconds=_LOCK_SECONDS)
        self._alone = False
        try:
            with self._asking() as connection:
                self.seed = seed_of(connection, self._sql, space / FOLDER)
        except BaseException:
            self._held.close()
            raise

    @contextmanager
    def alone(self, *, wait_seconds: float = 0) -> Iterator[None]:
        """Hold the right to seal; it ends with the connection, and then whatever follows fails."""
        deadline = monotonic() + wait_seconds
        while not self._taken(monotonic() >= deadline):
            sleep(_PAUSE_SECONDS)
        self._alone = True
        try:
            yield
        finally:
            self._alone = False
            self._held.close()

    def _taken(self, last_try: bool) -> bool:
        with self._asking() as connection:
            row = connection.execute(self._sql.try_seal).fetchone()
            if row is not None and row[0]:
                return True
            if last_try:
                holder = connection.execute(self._sql.who_seals).fetchone()
                raise Conflict(
                    f"Another process is sealing this log{f' ({holder[0]})' if holder else ''}.",
                    hint="Wait until it has ended.",
                    code="already_sealing",
                )
        return False

    def ranges(self) -> list[Range]:
        """The sealed ranges in order."""
        with self._asking() as connection:
            return [Range._make(row) for row in connection.execute(self._sql.ranges).fetchall()]

    def statistics(self) -> Mapping[str, FileStatistics]:
        """What is known of each sealed file."""
        with self._asking() as connection:
            rows = connection.execute(self._sql.statistics).fetchall()
        return {file: FileStatistics.decode(document) for file, document in rows}

    def cut(self, first: int, upto: int, rows: int, size: int) -> int | None:
        """Where the range from ``first`` on ends."""
        with self._asking() as connection:
            found = connection.execute(self._sql.lengths, (first, upto, rows)).fetchall()
        sums = accumulate(length for _, length in found)
        fitting = [position for (position, _), total in zip(found, sums, strict=True) if total <= size]
        return int(fitting[-1] if fitting else found[0][0]) if found else None

    def fetch(self, first: int, last: int) -> Iterator[list[SealRow]]:
        """The rows from one position to another in order."""
        after = first - 1
        while after < last:
            with self._asking() as connection:
                rows = connection.execute(self._sql.to_seal, (after, last, _ROWS_PER_FETCH)).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            yield rows

    def register(self, new: Sequence[Sealed], gone: Sequence[Range]) -> None:
        """Read the new ranges from their files, and forget those gone, in one transaction."""
        with self._asking() as connection, connection.transaction():
            register(connection, self._sql, new, gone)

    def delete(self, upto: int) -> None:
        """Delete rows up to a position; nobody waits for that, and nobody sees them any more."""
        with self._asking() as connection:
            row = connection.execute(self._sql.first_row).fetchone()
            position = row[0] if row else upto + 1
            while position <= upto:
                position = min(position + _ROWS_PER_DELETION, upto + 1)
                connection.execute(self._sql.delete, (position,))

    def close(self) -> None:
        """Close the connection, which gives up the right to seal."""
        self._held.close()

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        if self._alone and self._held.is_fresh:
            raise LostConnection("The connection to PostgreSQL was lost.", hint="Sealing is tried again.")
        try:
            with self._held.translated():
                yield self._held.open()
        finally:
            self._held.reset()


def register(connection: Connection, sql: Statements, new: Sequence[Sealed], gone: Sequence[Range]) -> None:
    """Within a transaction: register new ranges in place of those gone."""
    with connection.cursor() as cursor:
        cursor.execute(sql.unregister, ([one.first for one in gone],))
        cursor.execute(sql.forget_statistics, ([one.file for one in gone],))
        cursor.executemany(sql.register, [one.range for one in new])
        documents = [(one.range.file, one.statistics.encode()) for one in new]
        cursor.executemany(sql.keep_statistics, documents)
