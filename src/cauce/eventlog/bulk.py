"""The whole log as one relation for DuckDB: sealed Parquet files and the hot tail."""

import duckdb

from cauce.eventlog.columns import PLAIN
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.event import Position

_COLUMNS = ", ".join(PLAIN.names)


def log_relation(connection: duckdb.DuckDBPyConnection, log: SqliteLog, upto: Position) -> str:
    """Register a view of every event up to a position; its name.

    Columns: position, received, time (BIGINT, microseconds since 1970 UTC),
    call, name, message_id, source, body (VARCHAR). The view is a snapshot: what
    is appended or sealed later does not change it.
    """
    name = f"log_{upto}"
    files, hot = log.columns(upto)
    connection.register(f"{name}_hot", hot)
    parts = [f"SELECT {_COLUMNS} FROM {name}_hot"]
    if files:
        listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
        parts.insert(0, f"SELECT {_COLUMNS} FROM read_parquet([{listed}]) WHERE position <= {upto}")
    connection.execute(f"CREATE OR REPLACE TEMPORARY VIEW {name} AS {' UNION ALL '.join(parts)}")
    return name
