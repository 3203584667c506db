"""One connection of the event log to PostgreSQL, made again when it was lost."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from cauce.eventlog.moved import refuse_if_moved
from cauce.eventlog.postgres_statements import Statements
from cauce.eventlog.postgres_tables import LOG
from cauce.storage.postgres import PostgresRecords
from cauce.storage.postgres_connection import Connection, connect, meaning
from cauce.vocabulary.errors import Transient

__all__ = ["Connection", "LostConnection", "PostgresConnection"]


class LostConnection(Transient):
    """The server ended the connection, or it broke."""


class PostgresConnection:
    """A connection in explicit transactions, made when it is first used and again when it was lost.

    The first use makes the tables if there are none. For one thread at a time.
    ``lock_seconds`` is how long a statement waits for a lock.
    """

    def __init__(self, url: str, schema: str, *, lock_seconds: float) -> None:
        self._url = url
        self._schema = schema
        self._lock_seconds = lock_seconds
        self._connection: Connection | None = None
        self._prepared = False

    @property
    def is_fresh(self) -> bool:
        """Whether the next use makes a new connection."""
        return self._connection is None or self._connection.closed

    def open(self) -> Connection:
        """The connection, made if there is none.

        Raises ``Transient`` if the server does not answer, ``BadSettings`` if it lets
        nobody in, ``Conflict`` if another version of Cauce made the tables.
        """
        if self._connection is None or self._connection.closed:
            if not self._prepared:
                PostgresRecords(self._url, self._schema, LOG).close()
            self._connection = connect(self._url, self._schema, durable=True)
            longest = f"{round(self._lock_seconds * 1_000)}ms"
            self._connection.execute("SELECT set_config('lock_timeout', %s, false)", (longest,))
            if not self._prepared:
                marks = self._connection.execute(Statements(self._schema).marks)
                refuse_if_moved(dict(marks.fetchall()), f"the schema {self._schema} of PostgreSQL")
                self._prepared = True
        return self._connection

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise PostgreSQL's errors as ours; after one of the connection, the next use makes a new one."""
        try:
            yield
        except psycopg.Error as error:
            told = meaning(error)
            if self.is_fresh:
                raise LostConnection(told.message, hint=told.hint) from error
            raise told from error

    def reset(self) -> None:
        """End a transaction that is open; if that fails, drop the connection."""
        connection = self._connection
        if connection is None or connection.closed:
            return
        try:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            self.close()

    def close(self) -> None:
        """Drop the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()
