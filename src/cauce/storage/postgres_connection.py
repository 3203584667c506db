"""Connections to PostgreSQL: how they are made, and what the server's errors mean to us."""

from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from cauce.vocabulary.errors import BadSettings, CauceError, Transient

Connection = psycopg.Connection[tuple[Any, ...]]

_DEFAULTS = {
    "connect_timeout": "10",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "application_name": "cauce",
}
"""What a URL may say otherwise: a server that is cut off is noticed within seconds."""

IDLE_SECONDS = 15
"""A transaction whose client says nothing for so long is ended by the server, with its locks."""

_LOCK_SECONDS = 30

_SESSION = """
SELECT set_config('search_path', %s, false), set_config('lock_timeout', %s, false),
  set_config('idle_in_transaction_session_timeout', %s, false), set_config('jit', 'off', false),
  set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),
  set_config('tcp_keepalives_count', '3', false), set_config('client_encoding', 'UTF8', false),
  set_config('synchronous_commit', %s, false)
"""

_PASSING = {
    "08": "the connection was lost",
    "25P03": "the transaction was idle for too long",
    "25006": "this server is a standby and takes no writes",
    "40": "the transaction collided with another one",
    "53100": "its disk is full",
    "53300": "it has too many connections",
    "53": "it is out of a resource",
    "55P03": "other transactions hold the store",
    "57": "it was stopped, or the connection was ended by its administrator",
    "58": "its disk reports an error",
}
_DAMAGED = {"XX001", "XX002"}
_FILES = {"fd.c", "md.c", "buffile.c"}
"""Parts of the server that read and write files; what the system says to them may have no code of its own."""

_REFUSED = ("authentication failed", "no password supplied", "pg_hba.conf", "role ", "database ")
"""What the client library says of an account or database that is wrong; these errors carry no code."""


def connect(url: str, schema: str, *, durable: bool) -> Connection:
    """A connection in autocommit whose unqualified names are those of ``schema``.

    Without ``durable`` a crash of the server may lose the last transactions, each as a whole.
    Raises ``BadSettings`` if account or database are wrong, ``Transient`` if the server does not answer.
    """
    try:
        given = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError:
        raise BadSettings(
            "store.url is no PostgreSQL URL.", hint="Write postgresql://user@host:5432/database."
        ) from None
    try:
        connection = psycopg.connect(**_DEFAULTS | given, autocommit=True)  # type: ignore[arg-type]
        try:
            path = sql.Identifier(schema).as_string(connection)
            idle, lock = f"{IDLE_SECONDS}s", f"{_LOCK_SECONDS}s"
            connection.execute(_SESSION, (path, lock, idle, "on" if durable else "off"))
        except BaseException:
            connection.close()
            raise
    except psycopg.Error as error:
        raise meaning(error) from error
    return connection


def meaning(error: psycopg.Error) -> CauceError:
    """The error of ours that says what an error of PostgreSQL means; it repeats no data and no password."""
    code = error.sqlstate or ""
    for length in (5, 2):
        if reason := _PASSING.get(code[:length]):
            return Transient(f"PostgreSQL refused: {reason}.", hint="It is tried again.")
    if code == "XX000" and error.diag.source_file in _FILES:
        return Transient(
            "PostgreSQL refused: its files cannot be written, as beyond a quota.", hint="It is tried again."
        )
    if code[:2] in ("28", "3D") or code == "42501":
        return _forbidden(error.diag.message_primary or "it denies access")
    if code in _DAMAGED:
        return CauceError(
            "PostgreSQL reports damaged data.",
            hint="Restore the database from a backup, or derive the state anew from the log.",
            code="damaged_store",
        )
    if not code and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        said = str(error).strip().splitlines()
        first = said[0] if said else "no answer"
        if any(word in str(error) for word in _REFUSED) and "FATAL" in str(error) and not _passing(error):
            return _forbidden(first.rpartition("FATAL:")[2].strip() or first)
        return Transient(
            f"PostgreSQL does not answer ({first}).", hint="Is it running, and is store.url right?"
        )
    return CauceError(f"PostgreSQL failed: {type(error).__name__} ({code or 'no code'}).")


def _passing(error: psycopg.Error) -> bool:
    """Whether the server itself says that it cannot take a connection now."""
    return any(word in str(error) for word in ("database system is", "too many", "remaining connection"))


def _forbidden(reason: str) -> BadSettings:
    return BadSettings(
        f"PostgreSQL lets nobody in: {reason.rstrip('.')}.",
        hint="Check account, password and database in store.url (CAUCE_STORE__URL), and its rights.",
    )
