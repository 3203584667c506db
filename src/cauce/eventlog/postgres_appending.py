"""Appending on PostgreSQL: one lock for all appenders, positions given under it, committed before it goes.

PostgreSQL makes a transaction visible before it releases the transaction's
advisory lock, so whoever holds the lock sees every position given before, and a
follower sees positions in order. Statements under the lock take a snapshot each
(READ COMMITTED): a snapshot taken before the lock could miss the last append.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

import psycopg

from cauce.eventlog.content import id_print
from cauce.eventlog.deciding import EventRow, RefusedRow, decide, not_open, refused_rows
from cauce.eventlog.dedup import Seen
from cauce.eventlog.port import Outcome, Settlement, Tick
from cauce.eventlog.postgres_connection import Connection, LostConnection, PostgresConnection
from cauce.eventlog.postgres_sealing import register
from cauce.eventlog.postgres_seed import seed_of
from cauce.eventlog.postgres_statements import Statements
from cauce.eventlog.sealable import Range, Sealed, SealRow
from cauce.eventlog.sealed import kept_runs
from cauce.vocabulary.errors import Transient
from cauce.vocabulary.event import Accepted, Position, Refused
from cauce.vocabulary.moment import Moment

T = TypeVar("T")

_TYPES = ("int8", "int8", "int8", "text", "text", "text", "text", "bytea", "bytea")
_PAGE = 20_000
_ROWS = 2_000
_BE_PATIENT = "SET LOCAL idle_in_transaction_session_timeout = '10min'"


class Head(NamedTuple):
    """What the log is at, read under the lock; ``floor`` is the least ``received`` of what comes next."""

    position: int
    floor: int
    sealed_to: int
    transaction: str


class Held:
    """A log whose lock is held; see ``Exclusive`` in ``history``."""

    def __init__(self, appender: "PostgresAppender", connection: Connection, head: Head) -> None:
        self.head = Position(head.position)
        self.sealed_to = Position(head.sealed_to)
        self.floor = Moment(head.floor)
        self._appender = appender
        self._connection = connection
        self._head = head

    def known(self, prints: Sequence[int]) -> Mapping[int, bytes]:
        """Those of the fingerprints of message ids that the log holds."""
        return self._appender.find(prints)

    def rows(self) -> Iterator[list[SealRow]]:
        """The rows that are not sealed, in order."""
        return self._appender.rows(self._connection, self.sealed_to, self.head)

    def finish(self, sealed: Sealed | None, new: Mapping[int, bytes], refused: Sequence[RefusedRow]) -> None:
        """Register a range, refuse input, commit."""
        self._appender.seal_and_finish(self._connection, self._head, sealed, new, refused)


class PostgresAppender:
    """The one writing connection of this process, and what it remembers of the log.

    What is remembered changes after the commit only, so whatever happens before
    needs no second thought: it is forgotten, or found again by catching up.
    """

    def __init__(self, url: str, schema: str, folder: Path, *, wait_seconds: float) -> None:
        self._wait_seconds = wait_seconds
        self._mutex = threading.Lock()
        self._connection = PostgresConnection(url, schema, lock_seconds=wait_seconds)
        self._sql = Statements(schema)
        self._folder = folder
        self._seen = Seen()
        self._sealed_to = 0  # up to here the runs kept in files are in use, or on their way
        self._seed: int | None = None

    def append(self, events: Sequence[Accepted], refused: Sequence[Refused], now: Moment) -> list[Outcome]:
        """Append durably, waiting for the lock."""
        return self._append(events, refused, now, lambda _: None)

    def settle(
        self,
        numbers: Sequence[int],
        settlement: Settlement,
        events: Sequence[Accepted],
        refused: Sequence[Refused],
        now: Moment,
    ) -> list[Outcome]:
        """Settle refused input and append what was made of it, waiting for the lock."""

        def first(connection: Connection) -> None:
            found = connection.execute(self._sql.settle, (now, settlement.value, list(numbers)))
            if found.rowcount != len(set(numbers)):
                raise not_open()

        return self._append(events, refused, now, first)

    def tick(self, now: Moment) -> Tick:
        """Fix the present, durably."""
        with self._locked() as (connection, head):
            if now > head.floor:
                connection.execute(self._sql.fix, ("tick", now))
            connection.execute("COMMIT")
        return Tick(Moment(max(now, head.floor)), Position(head.position))

    def catch_up(self) -> None:
        """Take in what others appended, without the lock."""
        with self._exclusive():
            self._fresh(self._take_in)

    @property
    def seed(self) -> int:
        """The seed of the log's fingerprints."""
        if self._seed is None:
            with self._exclusive():
                self._fresh(self._seed_in)
        assert self._seed is not None, "it was read just now"
        return self._seed

    def known(self, prints: Sequence[int]) -> Mapping[int, bytes]:
        """Those of the fingerprints of message ids that the log holds now."""
        with self._exclusive():
            self._fresh(self._take_in)
            return self._seen.find(prints)

    @contextmanager
    def exclusive(self) -> Iterator["Held"]:
        """The log with its lock held; undone if ``finish`` was not called."""
        self.catch_up()
        with self._locked() as (connection, head):
            connection.execute(_BE_PATIENT)  # a file is written meanwhile
            if head.position > self._seen.known or head.sealed_to > self._sealed_to:
                self._take_in(connection)
            yield Held(self, connection, head)

    def find(self, prints: Sequence[int]) -> Mapping[int, bytes]:
        """Within ``exclusive``: those of the fingerprints that the log holds."""
        return self._seen.find(prints)

    def rows(self, connection: Connection, after: int, upto: int) -> Iterator[list[SealRow]]:
        """Within ``exclusive``: the rows between two positions."""
        while rows := connection.execute(self._sql.to_seal, (after, upto, _ROWS)).fetchall():
            after = rows[-1][0]
            yield rows

    def seal_and_finish(
        self,
        connection: Connection,
        head: Head,
        sealed: Sealed | None,
        new: Mapping[int, bytes],
        refused: Sequence[RefusedRow],
    ) -> None:
        """Within ``exclusive``: register a range, refuse input, commit."""
        if sealed is not None:
            register(connection, self._sql, [sealed], [])
        self._refuse(connection, self._unless_known(connection, list(refused)))
        self._commit(connection, head)
        if sealed is not None:
            self._seen.add(dict(new), sealed.range.last)

    def index_bytes(self) -> int:
        """Memory of the index of message ids, without the newest ids (at most 32,768 of them)."""
        return self._seen.nbytes

    def close(self) -> None:
        """Close the connection."""
        self._seen.close()
        self._connection.close()

    def _append(
        self,
        events: Sequence[Accepted],
        refused: Sequence[Refused],
        now: Moment,
        first: Callable[[Connection], None],
    ) -> list[Outcome]:
        if events:
            self.catch_up()
        with self._locked() as (connection, head):
            first(connection)
            if events and (head.position > self._seen.known or head.sealed_to > self._sealed_to):
                self._take_in(connection)
            received = Moment(max(now, head.floor))
            seed = self._seed_in(connection)
            decision = decide(events, self._seen, seed=seed, head=head.position, received=received)
            self._insert(connection, decision.rows)
            fresh = self._unless_known(connection, decision.refused)
            self._refuse(connection, fresh + refused_rows(refused, received))
            self._commit(connection, head)
            if decision.rows:
                self._seen.add(decision.new, decision.rows[-1][0])
        return decision.outcomes

    def _insert(self, connection: Connection, rows: Sequence[EventRow]) -> None:
        if rows:
            with connection.cursor() as cursor, cursor.copy(self._sql.copy) as copy:
                copy.set_types(_TYPES)
                for row in rows:
                    copy.write_row(row)

    def _refuse(self, connection: Connection, rows: Sequence[RefusedRow]) -> None:
        if rows:
            with connection.cursor() as cursor:
                cursor.executemany(self._sql.quarantine, rows)

    def _unless_known(self, connection: Connection, conflicts: list[RefusedRow]) -> list[RefusedRow]:
        """Those whose content was not refused for the same reason before."""
        if not conflicts:
            return []
        found = connection.execute(self._sql.known_conflicts, ([row[7] for row in conflicts],))
        known = set(found.fetchall())
        return [row for row in conflicts if (row[7], row[1], row[2]) not in known]

    def _commit(self, connection: Connection, head: Head) -> None:
        """Commit; if the connection is lost meanwhile, ask on a new one what became of the transaction."""
        try:
            connection.execute("COMMIT")
        except psycopg.Error:
            if not connection.closed:
                raise
            again = self._connection.open()
            again.execute(self._sql.lock_alone)  # the other has ended once this is granted
            row = again.execute("SELECT pg_xact_status(%s::xid8)", (head.transaction,)).fetchone()
            again.execute("COMMIT")
            if row is None or row[0] != "committed":
                raise LostConnection(
                    "The event log refused: the connection to PostgreSQL was lost.",
                    hint="Nothing was appended; try again.",
                ) from None

    def _take_in(self, connection: Connection) -> None:
        """Remember what others appended, and use the runs that sealing kept.

        Each page is one statement and so one snapshot: sealing cannot take rows
        out of view between looking at what is sealed and looking at the rows.
        """
        seed = self._seed_in(connection)
        while True:
            page = connection.execute(self._sql.later, (self._seen.known, _PAGE)).fetchall()
            if page[0][0] > self._sealed_to:
                self._use_runs(connection, seed)
            rows = [row for row in page if row[1] is not None and row[1] > self._seen.known]
            if rows:
                self._seen.add({id_print(row[2], seed): row[3] for row in rows}, rows[-1][1])
            if len(page) < _PAGE:
                return

    def _use_runs(self, connection: Connection, seed: int) -> None:
        sealed = [Range._make(row) for row in connection.execute(self._sql.ranges).fetchall()]
        self._sealed_to = sealed[-1].last
        if self._sealed_to > self._seen.known:
            self._adopt(sealed, seed)
        else:
            self._seen.in_background(lambda: self._adopt(sealed, seed))

    def _adopt(self, sealed: list[Range], seed: int) -> None:
        self._seen.adopt(kept_runs(self._folder, sealed, seed, self._seen.kept), sealed[-1].last)

    def _seed_in(self, connection: Connection) -> int:
        if self._seed is None:
            self._seed = seed_of(connection, self._sql, self._folder)
        return self._seed

    def _lock(self, connection: Connection) -> tuple[Connection, Head]:
        """Begin a transaction, wait for the lock, and see what the log is at, in one round trip."""
        cursor = connection.execute(self._sql.lock)
        while cursor.nextset():
            pass
        row = cursor.fetchone()
        assert row is not None, "the last statement returns one row"
        return connection, Head._make(row)

    @contextmanager
    def _locked(self) -> Iterator[tuple[Connection, Head]]:
        """The log's lock in a transaction, and what it is at."""
        with self._exclusive():
            yield self._fresh(self._lock)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """The connection for this thread alone; whatever fails in the block is undone."""
        if not self._mutex.acquire(timeout=self._wait_seconds):
            raise Transient("The event log refused: another append does not end.", hint="Try again.")
        try:
            with self._connection.translated():
                yield
        finally:
            self._connection.reset()
            self._mutex.release()

    def _fresh(self, begin: Callable[[Connection], T]) -> T:
        """What begins a piece of work; done again, once, if the connection had been lost while idle."""
        fresh = self._connection.is_fresh
        try:
            return begin(self._connection.open())
        except psycopg.Error:
            if fresh or not self._connection.is_fresh:
                raise
        return begin(self._connection.open())
