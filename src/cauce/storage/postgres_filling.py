"""Filling tables of PostgreSQL by COPY, from Arrow columns without an object per value."""

from collections.abc import Iterable
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from sqlalchemy import Table

from cauce.storage.postgres_connection import Connection
from cauce.storage.postgres_text import escaped

_FORMAT = pacsv.WriteOptions(include_header=False, quoting_style="needed")


def fill(connection: Connection, table: Table, batches: Iterable[pa.RecordBatch]) -> None:
    """Copy rows into a table within the open transaction; a null is an empty field without quotes."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    statement = f'COPY "{table.name}" ({columns}) FROM STDIN (FORMAT csv)'
    with connection.cursor() as cursor, cursor.copy(cast(Any, statement)) as copy:
        for batch in batches:
            sink = pa.BufferOutputStream()
            pacsv.write_csv(_storable(batch), sink, _FORMAT)
            copy.write(sink.getvalue().to_pybytes())


def _storable(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with the texts escaped that PostgreSQL cannot hold."""
    return pa.RecordBatch.from_arrays([_column(one) for one in batch.columns], names=batch.schema.names)


def _column(column: pa.Array) -> pa.Array:
    if not pa.types.is_string(column.type):
        return column
    if not pc.any(pc.match_substring_regex(column, r"[\x00\x{E000}]")).as_py():
        return column
    return pa.array([None if text is None else escaped(text) for text in column.to_pylist()], pa.string())
