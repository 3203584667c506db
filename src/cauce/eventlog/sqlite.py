"""The embedded engine of the event log: rows in one SQLite file, sealed ranges in Parquet."""

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import msgspec
import pyarrow as pa

from cauce.eventlog.appending import Appender, PendingAppend
from cauce.eventlog.columns import PLAIN, logged, plain_columns
from cauce.eventlog.database import FOLDER, connect, prepare, translated
from cauce.eventlog.history import append_sealed
from cauce.eventlog.plan import Plan
from cauce.eventlog.port import EVENTS_PER_CHUNK, Appended, Outcome, Quarantined, Settlement, Tick
from cauce.eventlog.sealable import Range
from cauce.eventlog.sealed import SEALED_TO, SealedReader
from cauce.eventlog.snapshot import Contents, LogSnapshot, snapshot
from cauce.eventlog.sqlite_sealing import SqliteSealable, range_at, ranges, statistics
from cauce.eventlog.statistics import FileStatistics
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.event import Accepted, Logged, Position, Refused
from cauce.vocabulary.moment import Clock, Moment

_READ = f"""
SELECT position, received, time, call, name, message_id, source, body
FROM event WHERE position > ?1 AND ?1 >= ({SEALED_TO}) ORDER BY position LIMIT ?2
"""
# One statement, one snapshot: it finds nothing where the sealed files must answer.

_HOT = f"""
SELECT position, received, time, call, name, message_id, source, body
FROM event WHERE position > ({SEALED_TO}) AND position <= ? ORDER BY position
"""
_AT = f"""
SELECT position, received, time, call, name, message_id, source, body FROM event
WHERE position > ({SEALED_TO}) AND time IN (SELECT value FROM json_each(?)) ORDER BY position LIMIT ?
"""
_HEAD = f"SELECT max(coalesce((SELECT max(position) FROM event), 0), ({SEALED_TO}))"
_QUARANTINED = """
SELECT number, received, source, reason, detail, body, call, sent, settled, settlement
FROM quarantine
WHERE number > :after AND (:reason = '' OR reason = :reason) AND (:source = '' OR source = :source)
AND (:settled IS NULL OR (settled IS NOT NULL) = :settled)
ORDER BY number LIMIT :limit
"""
_BATCH = 8_192


class SqliteLog:
    """The log of a space in its folder: ``log.db`` and ``log/``. See ``EventLog``.

    Every commit reaches the disk before it returns. Several processes may append
    and read; within a process, threads may share one ``SqliteLog``. The index of
    message ids is loaded at the first append, so a process that only reads or
    ticks does not pay for it. ``wait_seconds`` is how long to wait for a lock.
    """

    def __init__(self, space: Path, *, wait_seconds: float = 30) -> None:
        path = prepare(space)
        self._appender = Appender(path, wait_seconds=wait_seconds)
        self._space = space
        self._folder = space / FOLDER
        self._sealed = SealedReader(self._folder)
        self._reading = threading.Lock()
        with translated():
            self._connection = connect(path, wait=wait_seconds)

    def append(self, events: Sequence[Accepted], refused: Sequence[Refused], *, now: Moment) -> list[Outcome]:
        """Append durably; an outcome for each of ``events``, in order."""
        return self._appender.append(events, refused, now)

    def begin_append(
        self, events: Sequence[Accepted], refused: Sequence[Refused], *, now: Moment
    ) -> PendingAppend | None:
        """Deduplicate and write without waiting; None if that is impossible now."""
        return self._appender.begin(events, refused, now)

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
        opener = partial(SqliteSealable, self._space)
        return append_sealed(
            self._appender,
            self._space,
            opener,
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
        found: list[Logged] = []
        with self._reading, translated():
            while len(found) < limit and (more := self._read(after, limit - len(found))):
                found.extend(more)
                after = more[-1].position
        return found

    def _read(self, after: Position, limit: int) -> list[Logged]:
        """The next events, from the rows or from one sealed file."""
        rows = self._connection.execute(_READ, (after, limit)).fetchall()
        return logged(rows) if rows else self._read_sealed(after, limit)

    def _read_sealed(self, after: Position, limit: int) -> list[Logged]:
        """The next events from a sealed file, which compaction may replace just now."""
        range_ = range_at(self._connection, after + 1)
        while range_ is not None:
            try:
                return self._sealed.read(range_, after, limit)
            except Conflict:
                again = range_at(self._connection, after + 1)
                if again == range_:
                    raise
                range_ = again
        return []

    def unsealed_at(self, times: Collection[Moment], limit: int) -> list[Logged]:
        """Up to ``limit`` events that are not sealed yet and happened at one of these moments, in order."""
        with self._reading, translated():
            return logged(
                self._connection.execute(_AT, (msgspec.json.encode(list(times)).decode(), limit)).fetchall()
            )

    def snapshot(self, upto: Position) -> AbstractContextManager[LogSnapshot]:
        """The log up to a position for a columnar engine, as long as the context lasts."""
        return snapshot(self._folder, upto, lambda: self._contents(upto))

    def _contents(self, upto: Position) -> Contents:
        with self._reading, translated():
            self._connection.execute("BEGIN")
            try:
                cursor = self._connection.execute(_HOT, (upto,))
                batches = []
                while rows := cursor.fetchmany(_BATCH):
                    batches.append(plain_columns(rows))
                hot = pa.Table.from_batches(batches, schema=PLAIN)
                return Contents(ranges(self._connection), statistics(self._connection), hot)
            finally:
                self._connection.execute("COMMIT")

    def statistics(self) -> dict[str, FileStatistics]:
        """What is known of each sealed file, by its name."""
        with self._reading, translated():
            return statistics(self._connection)

    def sealed(self) -> list[Range]:
        """The sealed ranges in order."""
        with self._reading, translated():
            return ranges(self._connection)

    def sealed_upto(self) -> Position:
        """The last sealed position; 0 if nothing is sealed."""
        found = self.sealed()
        return Position(found[-1].last if found else 0)

    def head(self) -> Position:
        """The last visible position; 0 if the log is empty."""
        with self._reading, translated():
            (head,) = self._connection.execute(_HEAD).fetchone()
        return Position(head)

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
        with self._reading, translated():
            rows = self._connection.execute(_QUARANTINED, asked).fetchall()
        return [Quarantined._make(row) for row in rows]

    def quarantine_counts(self) -> dict[str, int]:
        """How much refused input is open, by reason."""
        with self._reading, translated():
            rows = self._connection.execute(
                "SELECT reason, count(*) FROM quarantine WHERE settled IS NULL GROUP BY reason"
            )
            return dict(rows.fetchall())

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
