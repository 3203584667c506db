"""Appending to ``log.db``: lock, catch up with others, deduplicate, write, commit."""

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from cauce.eventlog.content import id_print
from cauce.eventlog.database import FOLDER, connect, is_busy, meaning, translated
from cauce.eventlog.deciding import Decision, EventRow, RefusedRow, decide, not_open, refused_rows
from cauce.eventlog.dedup import Seen
from cauce.eventlog.port import Outcome, Settlement, Tick
from cauce.eventlog.sealable import Range, Sealed, SealRow
from cauce.eventlog.sealed import kept_runs
from cauce.eventlog.sqlite_sealing import ROWS, ranges, register
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


class Heads(NamedTuple):
    """Where the log ends: its last position, the latest moment in it, its last sealed position."""

    head: int
    floor: Moment
    sealed_to: int


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


class Held:
    """A log whose lock is held; see ``Exclusive`` in ``history``."""

    def __init__(self, appender: "Appender", head: Position, sealed_to: Position, floor: Moment) -> None:
        self._appender = appender
        self.head = head
        self.sealed_to = sealed_to
        self.floor = floor
        self.finished = False

    def known(self, prints: Sequence[int]) -> Mapping[int, bytes]:
        """Those of the fingerprints of message ids that the log holds."""
        return self._appender.find(prints)

    def rows(self) -> Iterator[list[SealRow]]:
        """The rows that are not sealed, in order."""
        return self._appender.rows(self.sealed_to, self.head)

    def finish(self, sealed: Sealed | None, new: Mapping[int, bytes], refused: Sequence[RefusedRow]) -> None:
        """Register a range, refuse input, commit."""
        self._appender.seal_and_finish(sealed, new, refused)
        self.finished = True


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
            heads = self._heads()
        if events and self._is_far_behind(heads):
            self.undo()
            return None
        return self._write(events, refused, now, heads)

    def tick(self, now: Moment) -> Tick:
        """Fix the present, durably."""
        self._lock()
        with self._or_undo():
            head, floor, _ = self._heads()
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

    @property
    def seed(self) -> int:
        """The seed of the log's fingerprints."""
        seed: int = self._seed
        return seed

    def known(self, prints: Sequence[int]) -> Mapping[int, bytes]:
        """Those of the fingerprints of message ids that the log holds now."""
        self.catch_up()
        self._acquire()
        try:
            return self._seen.find(prints)
        finally:
            self._mutex.release()

    @contextmanager
    def exclusive(self) -> Iterator["Held"]:
        """The log with its lock held; undone if ``finish`` was not called."""
        self.catch_up()
        self._lock()
        with self._or_undo():
            head, floor, sealed_to = self._heads()
            if head > self._seen.known or sealed_to > self._sealed_to:
                self._take_in()
            held = Held(self, Position(head), Position(sealed_to), Moment(floor))
            yield held
        if not held.finished:
            self.undo()

    def rows(self, after: Position, upto: Position) -> Iterator[list[SealRow]]:
        """Within ``exclusive``: the rows between two positions."""
        cursor = self._connection.execute(ROWS, (after + 1, upto))
        while rows := cursor.fetchmany(_NEAR):
            yield rows

    def find(self, prints: Sequence[int]) -> Mapping[int, bytes]:
        """Within ``exclusive``: those of the fingerprints that the log holds."""
        return self._seen.find(prints)

    def seal_and_finish(
        self, sealed: Sealed | None, new: Mapping[int, bytes], refused: Sequence[RefusedRow]
    ) -> None:
        """Within ``exclusive``: register a range, refuse input, commit, release."""
        if sealed is not None:
            register(self._connection, [sealed], [])
        fresh = [row for row in refused if not self._is_known_conflict(row)]
        self._connection.executemany(_QUARANTINE, fresh)
        self._connection.execute("COMMIT")
        try:
            if sealed is not None:
                self._seen.add(dict(new), sealed.range.last)
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

    def _write(
        self,
        events: Sequence[Accepted],
        refused: Sequence[Refused],
        now: Moment,
        heads: Heads | None = None,
    ) -> PendingAppend:
        """With the lock held: catch up, decide, insert. On any error everything is undone."""
        with self._or_undo():
            head, floor, sealed_to = heads or self._heads()
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

    def _heads(self) -> Heads:
        """Within a transaction: where the log ends."""
        head, floor, sealed_to = self._connection.execute(_HEAD).fetchone()
        return Heads(head, floor, sealed_to)

    def _is_far_behind(self, heads: Heads) -> bool:
        """Whether others appended many events since this process last looked; if they are sealed, too."""
        return heads.sealed_to > self._seen.known or heads.head - self._seen.known > _NEAR

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
