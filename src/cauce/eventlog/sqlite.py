"""The embedded engine of the event log: rows in one SQLite file, sealed ranges in Parquet."""

import threading
from collections.abc import Sequence
from pathlib import Path

from cauce.eventlog.appending import Appender, PendingAppend
from cauce.eventlog.database import connect, prepare, translated
from cauce.eventlog.port import Outcome, Quarantined, Tick
from cauce.vocabulary.event import Accepted, Call, Logged, Position, Refused
from cauce.vocabulary.moment import Moment

_READ = """
SELECT position, received, time, call, name, message_id, source, body
FROM event WHERE position > ? ORDER BY position LIMIT ?
"""
_QUARANTINED = """
SELECT number, received, source, reason, detail, body
FROM quarantine WHERE number > ? ORDER BY number LIMIT ?
"""
_CALLS = {call.value: call for call in Call}


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

    def catch_up(self) -> None:
        """Take in what other processes appended."""
        self._appender.catch_up()

    def read(self, after: Position, limit: int) -> list[Logged]:
        """Up to ``limit`` events above ``after``, in order."""
        with self._reading, translated():
            rows = self._connection.execute(_READ, (after, limit)).fetchall()
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
            for position, received, time, call, name, message_id, source, body in rows
        ]

    def head(self) -> Position:
        """The last visible position; 0 if the log is empty."""
        with self._reading, translated():
            (head,) = self._connection.execute("SELECT coalesce(max(position), 0) FROM event").fetchone()
        return Position(head)

    def tick(self, now: Moment) -> Tick:
        """Fix the present: later appends are received at the returned moment or later."""
        return self._appender.tick(now)

    def quarantined(self, *, after: int = 0, limit: int = 100) -> list[Quarantined]:
        """Refused input above the number ``after``, in order."""
        with self._reading, translated():
            rows = self._connection.execute(_QUARANTINED, (after, limit)).fetchall()
        return [Quarantined._make(row) for row in rows]

    def quarantine_counts(self) -> dict[str, int]:
        """How much input was refused, by reason."""
        with self._reading, translated():
            rows = self._connection.execute("SELECT reason, count(*) FROM quarantine GROUP BY reason")
            return dict(rows.fetchall())

    def close(self) -> None:
        """Close both connections."""
        self._appender.close()
        self._connection.close()
