"""One connection of the event log to PostgreSQL: made again when it was lost, its errors told as ours."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from cauce.eventlog.database import damaged
from cauce.vocabulary.errors import BadSettings, CauceError, Transient

Connection = psycopg.Connection[tuple[Any, ...]]

_DEFAULTS: dict[str, str] = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
    "application_name": "cauce log",
}
"""What an URL may say otherwise. A server that vanished without a word is noticed within half a minute."""

_PREPARE = """
SELECT set_config('lock_timeout', %s, false),
  set_config('idle_in_transaction_session_timeout', %s, false),
  set_config('statement_timeout', '0', false),
  CASE WHEN current_setting('synchronous_commit') = 'off'
    THEN set_config('synchronous_commit', 'on', false) END
"""
# A client that vanished within a transaction must not hold the log's lock for ever.

_IDLE_SECONDS = 30

_PASSING = {
    "08": "the connection was lost",
    "25P03": "the transaction was idle for too long",
    "25006": "this server is a standby, which cannot be written",
    "40": "it collided with another transaction",
    "53100": "its disk is full",
    "53": "its resources are exhausted",
    "55P03": "another append does not end",
    "57": "the server or its administrator interrupted it",
    "58": "its disk reports an error",
}
_FORBIDDEN = {"28", "3D", "42501"}
_MISSING = {"3F", "42P01"}


class LostConnection(Transient):
    """The server went away or does not answer."""


def meaning(error: psycopg.Error) -> CauceError:
    """The error of ours that says what an error of PostgreSQL means here; it repeats no data."""
    state = error.sqlstate or ""
    for length in (5, 2):
        if state[:length] in _PASSING:
            return Transient(
                f"The event log refused: PostgreSQL says that {_PASSING[state[:length]]}.",
                hint="Nothing was appended; try again.",
            )
        if state[:length] in _FORBIDDEN:
            return BadSettings(
                f"The event log cannot be opened or written: {error.diag.message_primary}.",
                hint="Give the account of `store.url` the right to use its schema.",
            )
        if state[:length] in _MISSING:
            return BadSettings(
                "PostgreSQL has no tables of an event log in this schema.",
                hint="Check `store.url` and `store.schema`.",
            )
    if state in ("XX001", "XX002"):
        return damaged("PostgreSQL reports corrupted data")
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return _lost(error)
    return CauceError(f"The event log failed: {type(error).__name__} ({state or 'no code'}).")


def _lost(error: psycopg.Error) -> LostConnection:
    """What the client library says of a connection; it names host and account, and never the password."""
    said = "" if error.sqlstate else str(error).partition("\n")[0].strip()
    return LostConnection(
        f"The event log refused: PostgreSQL does not answer{f' ({said})' if said else ''}.",
        hint="Is it running, and is `store.url` right? It is tried again.",
    )


class PostgresConnection:
    """A connection in explicit transactions, made when it is first used and again when it was lost.

    For one thread at a time. ``lock_seconds`` is how long a statement waits for a lock.
    """

    def __init__(self, url: str, *, lock_seconds: float) -> None:
        self._url = url
        self._lock_seconds = lock_seconds
        self._connection: Connection | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether the next use makes a new connection."""
        return self._connection is None or self._connection.closed

    def open(self) -> Connection:
        """The connection, made if there is none; raises psycopg's errors."""
        if self._connection is None or self._connection.closed:
            self._connection = self._made()
        return self._connection

    def _made(self) -> Connection:
        parameters = _DEFAULTS | {key: str(value) for key, value in conninfo_to_dict(self._url).items()}
        connection = psycopg.connect(**parameters, autocommit=True)  # type: ignore[arg-type]
        try:
            limits = (f"{round(self._lock_seconds * 1_000)}ms", f"{_IDLE_SECONDS}s")
            connection.execute(_PREPARE, limits)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise PostgreSQL's errors as ours; after one of the connection, the next use makes a new one."""
        try:
            yield
        except psycopg.Error as error:
            if self.is_fresh:
                raise _lost(error) from error
            raise meaning(error) from error

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
