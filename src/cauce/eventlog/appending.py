"""Appending to ``log.db``: lock, catch up with others, deduplicate, write, commit."""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cauce.eventlog.content import id_print
from cauce.eventlog.database import FOLDER, connect, is_busy, meaning, translated
from cauce.eventlog.deciding import Decision, EventRow, RefusedRow, decide, not_open, refused_rows
from cauce.eventlog.dedup import Seen
from cauce.eventlog.port import Outcome, Settlement, Tick
from cauce.eventlog.sealable import Range
from cauce.eventlog.sealed import kept_runs
from cauce.eventlog.sqlite_sealing import ranges
from cauce.vocabulary.errors import Transient
from cauce.vocabulary.event import Accepted, Position, Refused
from cauce.vocabulary.moment import Moment

_EVENT = "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_QUARANTINE = """
INSERT INTO quarantine (received, source, reason, detail, body, call, sent, content)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_KNOWN_CONFLICT = "SELECT 1 FROM quarantine WHERE content = ? AND source = ? AND reason = ?"
_SETTLE = """
UPDATE quarantine SET settled = ?, settlement = ?
WHERE settled IS NULL AND number IN (SELECT value FROM json_each(?))
"""
_HEAD = """
SELECT max(position, sealed_to), max(received, sealed_received, tick), sealed_to FROM
  (SELECT coalesce(max(position), 0) AS position, coalesce(received, 0) AS received FROM event),
  (SELECT coalesce(max(last), 0) AS sealed_to, coalesce(last_received, 0) AS sealed_received FROM sealed),
  (SELECT coalesce(max(value), 0) AS tick FROM fixed WHERE name = 'tick')
"""
# SQLite takes a bare column beside max() from the row that holds the maximum.

_PAUSE_SECONDS = 0.001
_NEAR = 2_000
"""So many events of others may be taken in without a thread (about 2 ms)."""


class PendingAppend:
    """See ``Pending`` in the port."""

    def __init__(self, appender: "Appender", decision: Decision) -> None:
        self._appender = appender
        self._decision: Decision | None = decision
        self.outcomes = decision.outcomes

    def commit(self) -> None:
        """Make it durable; raises ``Transient`` if the disk refused, with nothing appended."""
        decision, self._decision = self._decision, None
        if decision is not None:
            self._appender.finish(decision.rows, decision.new)

    def abandon(self) -> None:
        """Undo it."""
        decision, self._decision = self._decision, None
        if decision is not None:
            self._appender.undo()


class Appender:
    """The one writing connection of this process, and what it remembers of the log.

    Between ``begin`` and ``finish`` or ``undo`` the mutex and SQLite's write lock
    are held. What is remembered changes after the commit only, so undoing needs
    no second thought.
    """

    def __init__(self, path: Path, *, wait_seconds: float) -> None:
        self._wait_seconds = wait_seconds
        self._mutex = threading.Lock()
        with translated():
            self._connection = connect(path, wait=0)
            (self._seed,) = self._connection.execute("SELECT value FROM fixed WHERE name = 'seed'").fetchone()
        self._seen = Seen()
        self._folder = path.parent / FOLDER
        self._sealed_to = 0  # up to here the runs kept in files are in use, or on their way

    def append(self, events: Sequence[Accepted], refused: Sequence[Refused], now: Moment) -> list[Outcome]:
        """Append durably, waiting for the lock."""
        if events:
            self.catch_up()
        self._lock()
        pending = self._write(events, refused, now)
        pending.commit()
        return pending.outcomes

    def settle(
        self,
        numbers: Sequence[int],
        settlement: Settlement,
        events: Sequence[Accepted],
        refused: Sequence[Refused],
        now: Moment,
    ) -> list[Outcome]:
        """Settle refused input and append what was made of it, waiting for the lock."""
        if events:
            self.catch_up()
        self._lock()
        with self._or_undo():
            found = self._connection.execute(
                _SETTLE, (now, settlement.value, msgspec.json.encode(list(numbers)))
            )
            if found.rowcount != len(set(numbers)):
                raise not_open()
        pending = self._write(events, refused, now)
        pending.commit()
        return pending.outcomes

    def begin(
        self, events: Sequence[Accepted], refused: Sequence[Refused], now: Moment
    ) -> PendingAppend | None:
        """Write without waiting; None if it would have to."""
        if not self._mutex.acquire(blocking=False):
            return None
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._mutex.release()
            if is_busy(error):
                return None
            raise meaning(error) from error
        with self._or_undo():
            far_behind = bool(events) and self._behind() > _NEAR
        if far_behind:
            self.undo()
            return None
        return self._write(events, refused, now)

    def tick(self, now: Moment) -> Tick:
        """Fix the present, durably."""
        self._lock()
        with self._or_undo():
            head, floor, _ = self._connection.execute(_HEAD).fetchone()
            if now > floor:
                self._connection.execute("INSERT OR REPLACE INTO fixed VALUES ('tick', ?)", (now,))
            self._connection.execute("COMMIT")
        self._mutex.release()
        return Tick(Moment(max(now, floor)), Position(head))

    def catch_up(self) -> None:
        """Take in what others appended, without the write lock."""
        self._acquire()
        try:
            with translated():
                self._connection.execute("BEGIN")
                try:
                    self._take_in()
                finally:
                    self._connection.execute("COMMIT")
        finally:
            self._mutex.release()

    def index_bytes(self) -> int:
        """Memory of the index of message ids, without the newest ids (at most 32,768 of them)."""
        return self._seen.nbytes

    def finish(self, rows: list[EventRow], new: dict[int, bytes]) -> None:
        """Commit, remember, release."""
        with self._or_undo():
            self._connection.execute("COMMIT")
        try:
            if rows:
                self._seen.add(new, rows[-1][0])
        finally:
            self._mutex.release()

    def undo(self) -> None:
        """Roll back and release."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        finally:
            self._mutex.release()

    def close(self) -> None:
        """Close the connection; an append that is pending is undone."""
        self._seen.close()
        self._connection.close()

    def _write(self, events: Sequence[Accepted], refused: Sequence[Refused], now: Moment) -> PendingAppend:
        """With the lock held: catch up, decide, insert. On any error everything is undone."""
        with self._or_undo():
            head, floor, sealed_to = self._connection.execute(_HEAD).fetchone()
            if events and (head > self._seen.known or sealed_to > self._sealed_to):
                self._take_in()
            received = Moment(max(now, floor))
            decision = decide(events, self._seen, seed=self._seed, head=head, received=received)
            decision.refused = [row for row in decision.refused if not self._is_known_conflict(row)]
            decision.refused.extend(refused_rows(refused, received))
            self._connection.executemany(_EVENT, decision.rows)
            if decision.refused:
                self._connection.executemany(_QUARANTINE, decision.refused)
        return PendingAppend(self, decision)

    def _is_known_conflict(self, row: RefusedRow) -> bool:
        """Whether the same content was refused for the same reason before."""
        found = self._connection.execute(_KNOWN_CONFLICT, (row[7], row[1], row[2]))
        return found.fetchone() is not None

    def _behind(self) -> int:
        """How many events others appended since this process last looked; many if they are sealed."""
        head, _, sealed_to = self._connection.execute(_HEAD).fetchone()
        return _NEAR + 1 if sealed_to > self._seen.known else int(head) - self._seen.known

    def _take_in(self) -> None:
        """Within a transaction: remember what others appended, and use the runs that sealing kept."""
        sealed = ranges(self._connection)
        sealed_to = sealed[-1].last if sealed else 0
        if sealed_to > self._sealed_to:
            self._sealed_to = sealed_to
            if sealed_to > self._seen.known:
                self._adopt(sealed)
            else:
                self._seen.in_background(lambda: self._adopt(sealed))
        rows = self._connection.execute(
            "SELECT position, message_id, content FROM event WHERE position > ? ORDER BY position",
            (self._seen.known,),
        )
        while chunk := rows.fetchmany(_NEAR):
            prints = {id_print(message_id, self._seed): content for _, message_id, content in chunk}
            self._seen.add(prints, chunk[-1][0])

    def _adopt(self, sealed: list[Range]) -> None:
        self._seen.adopt(kept_runs(self._folder, sealed, self._seed, self._seen.kept), sealed[-1].last)

    def _acquire(self) -> None:
        """Take the mutex, waiting for other threads."""
        if not self._mutex.acquire(timeout=self._wait_seconds):
            raise Transient("The event log refused: another append does not end.", hint="Try again.")

    def _lock(self) -> None:
        """Take the mutex and the write lock, waiting for other threads and processes."""
        deadline = time.monotonic() + self._wait_seconds
        self._acquire()
        try:
            while not self._locked(deadline):
                time.sleep(_PAUSE_SECONDS)
        except BaseException:
            self._mutex.release()
            raise

    def _locked(self, deadline: float) -> bool:
        """Try to take the write lock; raises ``Transient`` if it is taken after the deadline too."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            if is_busy(error) and time.monotonic() < deadline:
                return False
            raise meaning(error) from error
        return True

    @contextmanager
    def _or_undo(self) -> Iterator[None]:
        """Do something with the lock held; if it fails, undo the append and release, then raise."""
        try:
            yield
        except BaseException as error:
            self.undo()
            if isinstance(error, sqlite3.Error):
                raise meaning(error) from error
            raise
