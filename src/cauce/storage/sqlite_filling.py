"""Filling a new SQLite file: rows in the order of their keys, no journal, indexes after each table.

A file that a kill leaves half filled is of no use; it is nobody's yet, and made anew.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Table

_CACHE_KIB = 262_144


def fill(path: Path, tables: Iterable[tuple[Table, Iterable[pa.RecordBatch]]]) -> None:
    """Insert the rows of each table, durable when it returns; the file has the tables, and is empty."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
            connection.execute(f"PRAGMA {pragma}")
        for table, batches in tables:
            with _without_indexes(connection, table.name):
                connection.execute("BEGIN")
                insert = _insert(table)
                for batch in batches:
                    columns = (column.to_pylist() for column in batch.columns)
                    connection.executemany(insert, zip(*columns, strict=True))
                connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    with path.open("rb+") as file:
        os.fsync(file.fileno())


@contextmanager
def _without_indexes(connection: sqlite3.Connection, table: str) -> Iterator[None]:
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?"
    indexes = connection.execute(query, (table,)).fetchall()
    for name, _ in indexes:
        connection.execute(f'DROP INDEX "{name}"')
    yield
    for _, statement in indexes:
        connection.execute(statement)


def _insert(table: Table) -> str:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    return f'INSERT INTO "{table.name}" ({columns}) VALUES ({", ".join("?" * len(table.columns))})'
