"""Filling a new SQLite file: Arrow columns in the order of their keys, no journal, indexes after each table.

The driver of Arrow's own (ADBC) takes columns without an object per value. It brings a
SQLite of its own, so the file is open in one library at a time. A file that a kill leaves
half filled is of no use; it is nobody's yet, and made anew.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread

import adbc_driver_sqlite.dbapi as adbc
import pyarrow as pa
from sqlalchemy import Table

from cauce.vocabulary.errors import Transient

_CACHE_KIB = 262_144
_AHEAD = 4
"""Batches that are made while others are written."""


def fill(path: Path, tables: Iterable[tuple[Table, Iterable[pa.RecordBatch]]]) -> None:
    """Insert the rows of each table, durable when it returns; the file has the tables, and is empty.

    Raises ``Transient`` if the disk is full.
    """
    with _open(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    for table, batches in tables:
        with _without_indexes(path, table.name):
            _insert(path, table, batches)
    with _open(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _insert(path: Path, table: Table, batches: Iterable[pa.RecordBatch]) -> None:
    with _ahead(batches) as made:
        first = next(made, None)
        if first is None:
            return
        names = [f"{column.name}" for column in table.columns]
        if first.schema.names != names:
            raise ValueError(f"the columns of {table.name} are {names}, not {first.schema.names}")
        reader = pa.RecordBatchReader.from_batches(first.schema, _together(first, made))
        try:
            with adbc.connect(f"file:{path}", autocommit=True) as connection, connection.cursor() as cursor:
                for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
                    cursor.execute(f"PRAGMA {pragma}")
                cursor.adbc_ingest(f"{table.name}", reader, mode="append")
        except adbc.OperationalError as error:
            raise Transient("The new store could not be written.", hint="Free disk space.") from error


def _together(first: pa.RecordBatch, others: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from others


@contextmanager
def _ahead(batches: Iterable[pa.RecordBatch]) -> Iterator[Iterator[pa.RecordBatch]]:
    """The same batches, made on a thread some ahead of whoever takes them."""
    waiting: Queue[pa.RecordBatch | BaseException | None] = Queue(_AHEAD)
    over = False

    def make() -> None:
        try:
            for batch in batches:
                if over:
                    return
                waiting.put(batch)
            waiting.put(None)
        except BaseException as error:
            waiting.put(error)

    def take() -> Iterator[pa.RecordBatch]:
        while (one := waiting.get()) is not None:
            if isinstance(one, BaseException):
                raise one
            yield one

    thread = Thread(target=make, name="fill", daemon=True)
    thread.start()
    try:
        yield take()
    finally:
        over = True
        while thread.is_alive():
            while not waiting.empty():
                waiting.get()
            thread.join(0.01)


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        yield connection


@contextmanager
def _without_indexes(path: Path, table: str) -> Iterator[None]:
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?"
    with _open(path) as connection:
        indexes = connection.execute(query, (table,)).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
    yield
    if indexes:
        with _open(path) as connection:
            for _, statement in indexes:
                connection.execute(statement)
