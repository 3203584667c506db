"""The engine that scales out: the tables of a space in one schema of a PostgreSQL database."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from select import select as readable
from typing import Any, cast

import psycopg
import pyarrow as pa
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Engine, MetaData, Select, Table, create_engine, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, InvalidRequestError
from sqlalchemy.pool import ConnectionPoolEntry

from cauce.storage.postgres_connection import Connection, connect, meaning
from cauce.storage.postgres_filling import fill
from cauce.storage.postgres_statements import Statements, statements
from cauce.storage.postgres_text import unescaped
from cauce.storage.records import Row, progress
from cauce.storage.revisions import NEWEST, check_revision, store_of
from cauce.vocabulary.errors import Transient

_POOL = 5
_MORE = 20


@contextmanager
def _translated() -> Iterator[None]:
    """Raise PostgreSQL's errors as ours."""
    try:
        yield
    except psycopg.Error as error:
        raise meaning(error) from error
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise meaning(error.orig) from error
        raise
    except (DisconnectionError, InvalidRequestError) as error:
        if isinstance(error, InvalidRequestError) and "connection is closed" not in str(error):
            raise  # a wrong use, not a lost connection; the pool says this when new ones are cut at once
        raise Transient("PostgreSQL ended the connections.", hint="It is tried again.") from error


class PostgresRecords:
    """Rows in one schema; see ``Records``. Writers of one store take turns over the whole database.

    ``durable=False`` suffices for state: a crash of the server may lose the last
    transactions, position and results together, and they are computed again.
    """

    def __init__(self, url: str, schema: str, tables: MetaData, *, durable: bool = True) -> None:
        self.schema = schema
        self._turn = _lock_number(f"{schema}/{store_of(tables)}")
        self._engine = _engine(url, schema, durable=durable)
        try:
            with _translated():
                self._prepare(tables)
        except BaseException:
            self.close()
            raise

    def _prepare(self, tables: MetaData) -> None:
        """Make schema and tables if they are missing; raises ``Conflict`` if they are of another version."""
        with self._engine.connect() as connection:
            names = _tables_in(connection, self.schema)
        if not check_revision(tables, names, self._stored_revision, self.schema):
            with self._begun("BEGIN") as connection:
                _take(connection, _lock_number(f"{self.schema}/tables"), shared=False)
                connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{self.schema}"')
                if not check_revision(
                    tables, _tables_in(connection, self.schema), self._stored_revision, self.schema
                ):
                    tables.create_all(connection)
                _driver(connection).execute("COMMIT")

    def _stored_revision(self, table: str) -> str:
        with self._engine.connect() as connection:
            return str(connection.exec_driver_sql(f'SELECT version_num FROM "{table}"').scalar())

    @contextmanager
    def _begun(self, begin: str) -> Iterator[SqlConnection]:
        """A connection within a transaction, which is rolled back unless the block commits it."""
        with self._engine.connect() as connection:
            try:
                _driver(connection).execute(cast(Any, begin))
                yield connection
            except BaseException:
                if not connection.invalidated and _driver(connection).closed:
                    connection.invalidate()
                raise

    @contextmanager
    def read(self) -> Iterator["PostgresTransaction"]:
        """A snapshot for reading; raises ``Transient`` if the server does not answer."""
        with _translated(), self._begun("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as connection:
            yield PostgresTransaction(connection)

    @contextmanager
    def write(self) -> Iterator["PostgresTransaction"]:
        """A transaction, when its turn has come.

        Raises ``Transient`` if that takes too long or the server does not answer.
        """
        with self._writing(shared=False) as transaction:
            yield transaction

    @contextmanager
    def lane(self) -> Iterator["PostgresTransaction"]:
        """A transaction beside those of other lanes, never beside one of ``write``.

        Whoever opens lanes sees to it that they touch different rows.
        """
        with self._writing(shared=True) as transaction:
            yield transaction

    @contextmanager
    def _writing(self, *, shared: bool) -> Iterator["PostgresTransaction"]:
        with _translated(), self._begun("BEGIN") as connection:
            _take(connection, self._turn, shared=shared)
            yield PostgresTransaction(connection)
            _driver(connection).execute("COMMIT")

    def fill(self, tables: Iterable[tuple[Table, Iterable[pa.RecordBatch]]]) -> None:
        """Insert many rows into a new store, by COPY."""
        with self.write() as transaction:
            for table, batches in tables:
                fill(_driver(transaction.connection), table, batches)

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()


class PostgresTransaction:
    """One open transaction; see ``Transaction``.

    Rows by key go past SQLAlchemy to the driver, a whole column as one parameter.
    Each call raises the server's errors as ours: whoever folds within a transaction
    must tell a lost connection from an event that cannot be folded.
    """

    def __init__(self, connection: SqlConnection) -> None:
        self.connection = connection
        self._driver = _driver(connection)

    @_translated()
    def rows(self, table: Table, column: str, keys: Iterable[int | str], **equal: object) -> list[Row]:
        """Rows whose ``column`` is among ``keys``."""
        prepared = statements(table)
        literal = prepared.keys(column, keys)
        if literal is None:
            return []
        statement = prepared.select(column, tuple(equal))
        return prepared.read(
            self._driver.execute(cast(Any, statement), (*equal.values(), literal)).fetchall()
        )

    @_translated()
    def select(self, statement: Select[Any]) -> list[Row]:
        """Rows of any select."""
        return [tuple(map(unescaped, row)) for row in self.connection.execute(statement)]

    def scan(self, statement: Select[Any]) -> Iterator[Row]:
        """Rows of any select, one after another."""
        streaming = self.connection.execution_options(stream_results=True, yield_per=10_000)
        with streaming.execute(statement) as found:  # which a reader may leave before its end
            for row in found:
                yield tuple(map(unescaped, row))

    def progress(self, name: str) -> int:
        """How far a consumer has come; 0 if it has not begun."""
        found = self.rows(progress, "name", [name])
        return int(found[0][1]) if found else 0

    @_translated()
    def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert or replace whole rows."""
        if rows:
            prepared = statements(table)
            self._driver.execute(cast(Any, prepared.upsert), prepared.columns(rows))

    @_translated()
    def remove(self, table: Table, column: str, keys: Iterable[int | str], **equal: object) -> None:
        """Delete the rows whose ``column`` is among ``keys``."""
        prepared = statements(table)
        literal = prepared.keys(column, keys)
        if literal is not None:
            self._driver.execute(cast(Any, prepared.delete(column, tuple(equal))), (*equal.values(), literal))

    @_translated()
    def clear(self, table: Table) -> None:
        """Delete every row."""
        self._driver.execute(cast(Any, f'DELETE FROM "{table.name}"'))

    def advance(self, name: str, value: int) -> None:
        """Store how far a consumer has come."""
        self.put(progress, [(name, value)])


@contextmanager
def altered(url: str, schema: str) -> Iterator[SqlConnection]:
    """A connection to change the tables of a schema: all that the block does, or nothing."""
    engine = _engine(url, schema, durable=True)
    try:
        with _translated(), engine.connect() as connection:
            _driver(connection).execute("BEGIN")
            _take(connection, _lock_number(f"{schema}/tables"), shared=False)
            for store in NEWEST:
                _take(connection, _lock_number(f"{schema}/{store}"), shared=False)
            connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            yield connection
            _driver(connection).execute("COMMIT")
    finally:
        engine.dispose()


def _engine(url: str, schema: str, *, durable: bool) -> Engine:
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(url, schema, durable=durable),
        isolation_level="AUTOCOMMIT",  # this module begins transactions itself
        pool_size=_POOL,
        max_overflow=_MORE,
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "checkout")
    def look(connection: Any, _: ConnectionPoolEntry, __: Any) -> None:
        """Take no connection that the server has ended meanwhile: it says so on its socket."""
        if connection.closed or readable([connection.fileno()], [], [], 0)[0]:
            raise DisconnectionError

    return engine


def _driver(connection: SqlConnection) -> Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _tables_in(connection: SqlConnection, schema: str) -> set[str]:
    wanted = text("SELECT tablename FROM pg_tables WHERE schemaname = :schema")
    return {row[0] for row in connection.execute(wanted, {"schema": schema})}


def _take(connection: SqlConnection, number: int, *, shared: bool) -> None:
    """Wait for an advisory lock, which ends with the transaction."""
    mode = "_shared" if shared else ""
    _driver(connection).execute(cast(Any, f"SELECT pg_advisory_xact_lock{mode}(%s)"), (number,))


def _lock_number(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


__all__ = ["PostgresRecords", "PostgresTransaction", "Statements"]
