"""The embedded engine: one SQLite file in WAL mode."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, MetaData, Select, Table, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from cauce.storage.records import Row, progress
from cauce.storage.turns import Turns
from cauce.vocabulary.errors import Transient

_CACHE_KIB = 65_536
_BUSY_SECONDS = 30.0


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
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.close()

    return engine


class SqliteRecords:
    """Rows in one SQLite file; see ``Records``.

    ``synchronous=NORMAL`` suffices for state: a power cut may lose the last
    transactions, position and results together, and they are computed again.
    """

    def __init__(self, path: Path, tables: MetaData, *, synchronous: str = "NORMAL") -> None:
        self._engine = open_engine(path, synchronous=synchronous)
        self._turns = Turns()
        with self.write() as transaction:
            tables.create_all(transaction.connection)

    @contextmanager
    def read(self) -> Iterator["SqliteTransaction"]:
        """A snapshot for reading."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield SqliteTransaction(connection)

    @contextmanager
    def write(self) -> Iterator["SqliteTransaction"]:
        """A transaction; raises ``Transient`` if the file stays locked or the disk is full."""
        try:
            with self._turns.take(_BUSY_SECONDS), self._engine.connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield SqliteTransaction(connection)
                connection.commit()
        except OperationalError as error:
            raise Transient(
                f"The state store refused: {error.orig}.",
                hint="Free disk space or stop what holds the file; it is tried again.",
            ) from error

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()


class SqliteTransaction:
    """One open transaction; see ``Transaction``."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def rows(self, table: Table, column: str, keys: Iterable[int | str], **equal: object) -> list[Row]:
        """Rows whose ``column`` is among ``keys``."""
        statement = f"SELECT {_columns(table)} FROM {table.name} WHERE {_where(column, equal)}"
        result = self.connection.exec_driver_sql(statement, (*equal.values(), _list(keys)))
        return _fetch(result.cursor)

    def select(self, statement: Select[Any]) -> list[Row]:
        """Rows of any select."""
        return [tuple(row) for row in self.connection.execute(statement)]

    def progress(self, name: str) -> int:
        """How far a consumer has come; 0 if it has not begun."""
        found = self.rows(progress, "name", [name])
        return int(found[0][1]) if found else 0

    def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert or replace whole rows."""
        if rows:
            self.connection.exec_driver_sql(_upsert(table), list(rows))

    def remove(self, table: Table, column: str, keys: Iterable[int | str], **equal: object) -> None:
        """Delete the rows whose ``column`` is among ``keys``."""
        statement = f"DELETE FROM {table.name} WHERE {_where(column, equal)}"
        self.connection.exec_driver_sql(statement, (*equal.values(), _list(keys)))

    def clear(self, table: Table) -> None:
        """Delete every row."""
        self.connection.exec_driver_sql(f"DELETE FROM {table.name}")

    def advance(self, name: str, value: int) -> None:
        """Store how far a consumer has come."""
        self.put(progress, [(name, value)])


def _fetch(cursor: Any) -> list[Row]:
    """Plain tuples: on the hot path SQLAlchemy's row objects would cost more than the query."""
    rows: list[Row] = cursor.fetchall()
    return rows


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


def _where(column: str, equal: dict[str, object]) -> str:
    fixed = "".join(f'"{name}" = ? AND ' for name in equal)
    return f'{fixed}"{column}" IN (SELECT value FROM json_each(?))'


def _list(keys: Iterable[int | str]) -> str:
    return msgspec.json.encode(list(keys)).decode()


def _upsert(table: Table) -> str:
    marks = ", ".join("?" * len(table.columns))
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
    rest = [c.name for c in table.columns if not c.primary_key]
    act = "UPDATE SET " + ", ".join(f'"{name}" = excluded."{name}"' for name in rest) if rest else "NOTHING"
    return f"INSERT INTO {table.name} ({_columns(table)}) VALUES ({marks}) ON CONFLICT ({keys}) DO {act}"
