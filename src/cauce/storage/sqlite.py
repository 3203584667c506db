"""The embedded engine: one SQLite file in WAL mode."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import msgspec
import pyarrow as pa
from sqlalchemy import Connection, Engine, MetaData, Select, Table, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from cauce.storage.records import Row, progress
from cauce.storage.revisions import check_revision
from cauce.storage.sqlite_filling import fill
from cauce.storage.turns import Turns
from cauce.vocabulary.errors import CauceError, Transient

_CACHE_KIB = 65_536
_CHECKPOINT_PAGES = 16_384
"""Pages of 4 KiB that the write-ahead log gathers before they go to the file: a page
that many micro-batches change is then written once."""
_BUSY_SECONDS = 30.0
_ASK_AGAIN_SECONDS = 0.001


def open_engine(path: Path, *, synchronous: str, busy_seconds: float = _BUSY_SECONDS) -> Engine:
    """A SQLAlchemy engine on the file, in WAL mode, with explicit transactions."""
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": busy_seconds, "check_same_thread": False},
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # this module begins transactions itself
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA synchronous = {synchronous}")
        cursor.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        cursor.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.close()

    return engine


@contextmanager
def altered(path: Path) -> Iterator[Connection]:
    """A connection that has the file for itself, to change its tables: all that the block does, or nothing.

    Raises ``Transient`` if others use the file, or if the disk is full.
    """
    engine = open_engine(path, synchronous="FULL")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
            yield connection
            connection.commit()
    except OperationalError as error:
        raise Transient(
            f"The store {path.name} could not be changed: {error.orig}.",
            hint="Stop what uses it, or free disk space; nothing was changed.",
        ) from error
    finally:
        engine.dispose()


class SqliteRecords:
    """Rows in one SQLite file; see ``Records``.

    ``synchronous=NORMAL`` suffices for state: a power cut may lose the last
    transactions, position and results together, and they are computed again.
    """

    def __init__(self, path: Path, tables: MetaData, *, synchronous: str = "NORMAL") -> None:
        self._path = path
        self._engine = open_engine(path, synchronous=synchronous)
        self._turns = Turns()
        self._file = _which(path)
        try:
            if not self._has(tables):
                with self.write() as transaction:
                    tables.create_all(transaction.connection)
                self._file = _which(path)
        except BaseException:
            self.close()
            raise

    def _has(self, tables: MetaData) -> bool:
        """Whether every table is there: then opening does not wait for whoever is writing.

        Raises ``OlderStore`` or ``Conflict`` if they are of another version.
        """
        try:
            with self._engine.connect() as connection:
                found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
                present = {row[0] for row in found}
        except DatabaseError:  # writing says what is wrong with the file
            return False
        return check_revision(tables, present, self._stored_revision, self._path.name)

    def _stored_revision(self, table: str) -> str:
        with self._engine.connect() as connection:
            return str(connection.exec_driver_sql(f'SELECT version_num FROM "{table}"').scalar())

    @contextmanager
    def read(self) -> Iterator["SqliteTransaction"]:
        """A snapshot for reading."""
        self._follow()
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield SqliteTransaction(connection)

    def _follow(self) -> bool:
        """Open the file anew if the path leads to another one since; whether it does."""
        found = _which(self._path)
        if found == self._file:
            return False
        self._file = found
        self._engine.dispose()
        return True

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        """A connection that may write, to the file that the path leads to for as long as it may."""
        while True:
            self._follow()
            with self._engine.connect() as connection:
                _begin(connection)
                if self._follow():
                    connection.rollback()
                    connection.invalidate()
                    continue
                yield connection
                return

    @contextmanager
    def write(self) -> Iterator["SqliteTransaction"]:
        """A transaction; raises ``Transient`` if the file stays locked or the disk is full.

        Raises ``CauceError`` if the file is damaged.
        """
        try:
            with self._turns.take(_BUSY_SECONDS), self._begun() as connection:
                yield SqliteTransaction(connection)
                connection.commit()
        except (OperationalError, sqlite3.OperationalError) as error:
            reason = error.orig if isinstance(error, OperationalError) else error
            raise Transient(
                f"The store refused: {reason}.",
                hint="Free disk space or stop what holds the file; it is tried again.",
            ) from error
        except (DatabaseError, sqlite3.DatabaseError) as error:
            if type(getattr(error, "orig", error)) is not sqlite3.DatabaseError:
                raise  # a wrong statement, not a wrong file
            raise CauceError(
                "The store is damaged or is no database.",
                hint="Move the file away and start again: state is computed anew from the log.",
                code="damaged_store",
            ) from error

    def fill(self, tables: Iterable[tuple[Table, Iterable[pa.RecordBatch]]]) -> None:
        """Insert many rows into a new store."""
        self._engine.dispose()
        fill(self._path, tables)

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()


def _which(path: Path) -> tuple[int, int]:
    """The file that a path leads to; zeros if there is none yet."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_dev, found.st_ino


class SqliteTransaction:
    """One open transaction; see ``Transaction``.

    Rows by key go past SQLAlchemy to the driver: on the hot path its result
    objects would cost more than the query.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        self._driver = driver

    def rows(self, table: Table, column: str, keys: Iterable[int | str], **equal: object) -> list[Row]:
        """Rows whose ``column`` is among ``keys``."""
        statement = _select(table, column, tuple(equal))
        return self._driver.execute(statement, (*equal.values(), _list(keys))).fetchall()

    def select(self, statement: Select[Any]) -> list[Row]:
        """Rows of any select."""
        return [tuple(row) for row in self.connection.execute(statement)]

    def scan(self, statement: Select[Any]) -> Iterator[Row]:
        """Rows of any select, one after another."""
        for row in self.connection.execute(statement):
            yield tuple(row)

    def progress(self, name: str) -> int:
        """How far a consumer has come; 0 if it has not begun."""
        found = self.rows(progress, "name", [name])
        return int(found[0][1]) if found else 0

    def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert or replace whole rows."""
        if rows:
            self._driver.executemany(_upsert(table), rows)

    def remove(self, table: Table, column: str, keys: Iterable[int | str], **equal: object) -> None:
        """Delete the rows whose ``column`` is among ``keys``."""
        self._driver.execute(_delete(table, column, tuple(equal)), (*equal.values(), _list(keys)))

    def clear(self, table: Table) -> None:
        """Delete every row."""
        self._driver.execute(f"DELETE FROM {table.name}")

    def advance(self, name: str, value: int) -> None:
        """Store how far a consumer has come."""
        self.put(progress, [(name, value)])


def _begin(connection: Connection) -> None:
    """Begin to write as soon as no other process does; raises ``OperationalError`` after a while.

    SQLite itself would ask again at ever longer intervals, up to a tenth of a
    second, and so hardly ever meet the moment between two transactions of a
    process that writes all the time.
    """
    deadline = monotonic() + _BUSY_SECONDS
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
            except OperationalError as error:
                if "locked" not in str(error.orig) or monotonic() > deadline:
                    raise
            sleep(_ASK_AGAIN_SECONDS)
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")


def _list(keys: Iterable[int | str]) -> str:
    return msgspec.json.encode(list(keys)).decode()


@cache
def _select(table: Table, column: str, equal: tuple[str, ...]) -> str:
    return f"SELECT {_columns(table)} FROM {table.name} WHERE {_where(column, equal)}"


@cache
def _delete(table: Table, column: str, equal: tuple[str, ...]) -> str:
    return f"DELETE FROM {table.name} WHERE {_where(column, equal)}"


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _where(column: str, equal: tuple[str, ...]) -> str:
    fixed = "".join(f'"{name}" = ? AND ' for name in equal)
    return f'{fixed}"{column}" IN (SELECT value FROM json_each(?))'


@cache
def _upsert(table: Table) -> str:
    marks = ", ".join("?" * len(table.columns))
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
    rest = [c.name for c in table.columns if not c.primary_key]
    act = "UPDATE SET " + ", ".join(f'"{name}" = excluded."{name}"' for name in rest) if rest else "NOTHING"
    return f"INSERT INTO {table.name} ({_columns(table)}) VALUES ({marks}) ON CONFLICT ({keys}) DO {act}"
