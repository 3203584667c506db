"""PostgreSQL as the engine of the event log: rows in the space's schema, sealed ranges in Parquet."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from cauce.eventlog.columns import PLAIN, logged, plain_columns
from cauce.eventlog.database import FOLDER
from cauce.eventlog.history import append_sealed
from cauce.eventlog.plan import Plan
from cauce.eventlog.port import EVENTS_PER_CHUNK, Appended, Outcome, Quarantined, Settlement, Tick
from cauce.eventlog.postgres_appending import PostgresAppender
from cauce.eventlog.postgres_connection import Connection, LostConnection, PostgresConnection
from cauce.eventlog.postgres_sealing import PostgresSealable
from cauce.eventlog.postgres_statements import Statements
from cauce.eventlog.sealable import Range
from cauce.eventlog.sealed import SealedReader
from cauce.eventlog.snapshot import Contents, LogSnapshot, snapshot
from cauce.eventlog.statistics import FileStatistics
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.event import Accepted, Logged, Position, Refused
from cauce.vocabulary.moment import Clock, Moment

T = TypeVar("T")

_BATCH = 8_192


class PostgresLog:
    """The log of a space: rows in a schema of PostgreSQL, sealed files in its folder. See ``EventLog``.

    Every commit reaches the server's disk before it returns. Processes on
    several machines may append and read, if all of them see one folder of sealed
    files. Nothing is asked of the server before the first call; when it is gone,
    calls raise ``Transient``, and work again once it is back. ``wait_seconds`` is
    how long to wait for a lock.
    """

    def __init__(self, url: str, schema: str, space: Path, *, wait_seconds: float = 30) -> None:
        self._sql = Statements(schema)
        self._opener = partial(PostgresSealable, url, schema, space)
        self._folder = space / FOLDER
        self._appender = PostgresAppender(url, schema, self._folder, wait_seconds=wait_seconds)
        self._sealed = SealedReader(self._folder)
        self._reading = threading.Lock()
        self._connection = PostgresConnection(url, schema, lock_seconds=wait_seconds)

    def append(self, events: Sequence[Accepted], refused: Sequence[Refused], *, now: Moment) -> list[Outcome]:
        """Append durably; an outcome for each of ``events``, in order."""
        return self._appender.append(events, refused, now)

    def begin_append(
        self,
        events: Sequence[Accepted],
        refused: Sequence[Refused],
        *,
        now: Moment,
    ) -> None:
        """None, always: the server must be asked, and that means to wait."""

    def append_sealed(
        self,
        batches: Iterable[pa.RecordBatch],
        plan: Plan,
        *,
        clock: Clock,
        processes: int = 1,
        events_per_chunk: int = EVENTS_PER_CHUNK,
    ) -> Iterator[Appended]:
        """Append batches of accepted events straight into sealed files."""
        return append_sealed(
            self._appender,
            self._folder.parent,
            self._opener,
            batches,
            plan,
            clock,
            processes=processes,
            events_per_chunk=events_per_chunk,
        )

    def catch_up(self) -> None:
        """Take in what other processes appended."""
        self._appender.catch_up()

    def index_bytes(self) -> int:
        """Memory of the index of message ids, for metrics."""
        return self._appender.index_bytes()

    def read(self, after: Position, limit: int) -> list[Logged]:
        """Up to ``limit`` events above ``after``, in order, sealed or not."""
        return self._ask(lambda connection: self._read(connection, after, limit))

    def _read(self, connection: Connection, after: Position, limit: int) -> list[Logged]:
        found: list[Logged] = []
        while len(found) < limit and (more := self._next(connection, after, limit - len(found))):
            found.extend(more)
            after = more[-1].position
        return found

    def _next(self, connection: Connection, after: Position, limit: int) -> list[Logged]:
        """The next events, from the rows or from one sealed file."""
        rows = connection.execute(self._sql.read, {"after": after, "limit": limit}).fetchall()
        return logged(rows) if rows else self._read_sealed(connection, after, limit)

    def unsealed_at(self, times: Collection[Moment], limit: int) -> list[Logged]:
        """Up to ``limit`` events that are not sealed yet and happened at one of these moments, in order."""
        asked = (list(times), limit)
        return self._ask(lambda connection: logged(connection.execute(self._sql.at, asked).fetchall()))

    def _read_sealed(self, connection: Connection, after: Position, limit: int) -> list[Logged]:
        """The next events from a sealed file, which compaction may replace just now."""
        range_ = self._range_at(connection, after + 1)
        while range_ is not None:
            try:
                return self._sealed.read(range_, after, limit)
            except Conflict:
                again = self._range_at(connection, after + 1)
                if again == range_:
                    raise
                range_ = again
        return []

    def _range_at(self, connection: Connection, position: int) -> Range | None:
        row = connection.execute(self._sql.range_at, (position,)).fetchone()
        return Range._make(row) if row and row[1] >= position else None

    def snapshot(self, upto: Position) -> AbstractContextManager[LogSnapshot]:
        """The log up to a position for a columnar engine, as long as the context lasts."""
        return snapshot(self._folder, upto, lambda: self._ask(partial(self._contents, upto)))

    def _contents(self, upto: Position, connection: Connection) -> Contents:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        batches = []
        with connection.cursor("hot") as cursor:
            cursor.execute(self._sql.hot, (upto,))
            while rows := cursor.fetchmany(_BATCH):
                batches.append(plain_columns(rows))
        hot = pa.Table.from_batches(batches, schema=PLAIN)
        contents = Contents(self._ranges(connection), self._statistics(connection), hot)
        connection.execute("COMMIT")
        return contents

    def statistics(self) -> dict[str, FileStatistics]:
        """What is known of each sealed file, by its name."""
        return self._ask(self._statistics)

    def _statistics(self, connection: Connection) -> dict[str, FileStatistics]:
        rows = connection.execute(self._sql.statistics).fetchall()
        return {file: FileStatistics.decode(document) for file, document in rows}

    def sealed(self) -> list[Range]:
        """The sealed ranges in order."""
        return self._ask(self._ranges)

    def sealed_upto(self) -> Position:
        """The last sealed position; 0 if nothing is sealed."""
        found = self.sealed()
        return Position(found[-1].last if found else 0)

    def _ranges(self, connection: Connection) -> list[Range]:
        return [Range._make(row) for row in connection.execute(self._sql.ranges).fetchall()]

    def head(self) -> Position:
        """The last visible position; 0 if the log is empty."""
        row = self._ask(lambda connection: connection.execute(self._sql.head).fetchone())
        return Position(row[0] if row else 0)

    def tick(self, now: Moment) -> Tick:
        """Fix the present: later appends are received at the returned moment or later."""
        return self._appender.tick(now)

    def quarantined(
        self,
        *,
        after: int = 0,
        limit: int = 100,
        reason: str = "",
        source: str = "",
        settled: bool | None = None,
    ) -> list[Quarantined]:
        """Refused input above the number ``after``, in order."""
        asked = {"after": after, "limit": limit, "reason": reason, "source": source, "settled": settled}
        rows = self._ask(lambda connection: connection.execute(self._sql.quarantined, asked).fetchall())
        return [Quarantined._make(row) for row in rows]

    def quarantine_counts(self) -> dict[str, int]:
        """How much refused input is open, by reason."""
        rows = self._ask(lambda connection: connection.execute(self._sql.counts).fetchall())
        return dict(rows)

    def settle(
        self,
        numbers: Sequence[int],
        settlement: Settlement,
        events: Sequence[Accepted] = (),
        refused: Sequence[Refused] = (),
        *,
        now: Moment,
    ) -> list[Outcome]:
        """Settle refused input and append what was made of it; raises ``Conflict`` if it is not open."""
        return self._appender.settle(numbers, settlement, events, refused, now)

    def close(self) -> None:
        """Close both connections."""
        self._appender.close()
        self._connection.close()

    def _ask(self, question: Callable[[Connection], T]) -> T:
        """Ask the server; a second time if the connection had been lost since the last time."""
        with self._reading:
            fresh = self._connection.is_fresh
            try:
                return self._asked(question)
            except LostConnection:
                if fresh:
                    raise
            return self._asked(question)

    def _asked(self, question: Callable[[Connection], T]) -> T:
        try:
            with self._connection.translated():
                return question(self._connection.open())
        finally:
            self._connection.reset()
