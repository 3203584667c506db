"""Identity as tables in files, in the shape of Segment's Profiles Sync (``field.md`` 2.12).

Two tables tell history, made of the change feed: `id_graph_updates`, which profile id stands
for which, and `external_id_mapping_updates`, which identifier came to which. Two tell the
present: `profile_merges` and `user_identifiers`. A split, which Segment does not know, is a
profile that stands for itself again.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import duckdb
import pyarrow as pa
from sqlalchemy import select

from cauce.app.compose import Composition
from cauce.app.described import described_anew
from cauce.app.rebuild.derive import Resources
from cauce.eventlog.bulk import log_relation
from cauce.identity import records
from cauce.identity.naming import Names
from cauce.storage.records import Reader, Row
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.errors import InvalidInput, Transient

_ROWS = 50_000


class Format(StrEnum):
    """How the files are written."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"


_COPY = {
    Format.PARQUET: "FORMAT parquet, COMPRESSION zstd",
    Format.CSV: "FORMAT csv, HEADER",
    Format.JSONL: "FORMAT json, ARRAY false",
}

_WHEN = "make_timestamp(event.time) AS timestamp"
_TRIGGER = "coalesce(event.call, '') AS triggering_event_type, event.message_id AS triggering_event_id"

TABLES = {
    # A profile is there as long as its anchor is in it; then whoever has the anchor stands for it.
    "id_graph_updates": f"""
    WITH issued AS (
      SELECT identifier, min(seq) AS since FROM moved WHERE new = identifier GROUP BY identifier)
    SELECT mine.profile_id AS segment_id, its.profile_id AS canonical_segment_id, {_TRIGGER}, {_WHEN}
    FROM moved JOIN issued USING (identifier) JOIN named AS mine ON mine.id = identifier
    LEFT JOIN named AS its ON its.id = new LEFT JOIN happened AS event USING (position)
    WHERE seq >= since ORDER BY seq
    """,
    "external_id_mapping_updates": f"""
    SELECT md5(known.key) AS external_id_hash, split_part(known.key, ':', 1) AS external_id_type,
      substr(known.key, strpos(known.key, ':') + 1) AS external_id_value, seq::VARCHAR AS id,
      make_timestamp(event.received) AS received_at, named.profile_id AS segment_id, seq, {_WHEN},
      {_TRIGGER}, event.name AS triggering_event_name, event.source AS triggering_event_source_id,
      make_timestamp(event.received) AS uuid_ts, CASE WHEN new = 0 THEN 'REMOVED' END AS __operation
    FROM moved LEFT JOIN known ON known.id = identifier LEFT JOIN named ON named.id = new
    LEFT JOIN happened AS event USING (position) ORDER BY seq
    """,
    "profile_merges": f"""
    SELECT its.profile_id AS canonical_segment_id, mine.profile_id AS segment_id, {_WHEN}
    FROM newest JOIN named AS mine ON mine.id = identifier JOIN named AS its ON its.id = new
    LEFT JOIN happened AS event USING (position)
    WHERE mine.id <> its.id ORDER BY seq
    """,
    "user_identifiers": f"""
    SELECT named.profile_id AS canonical_segment_id, split_part(known.key, ':', 1) AS type,
      substr(known.key, strpos(known.key, ':') + 1) AS value, seq, {_WHEN}
    FROM newest JOIN known ON known.id = identifier JOIN named ON named.id = new
    LEFT JOIN happened AS event USING (position) ORDER BY type, value
    """,
}
"""Each table as a query over ``moved`` (the feed), ``newest`` of each identifier, ``known`` (number →
identifier), ``named`` (number → profile id) and ``happened`` (the events at the positions)."""

_NEWEST = """
CREATE TEMPORARY TABLE newest AS
SELECT identifier, arg_max(new, seq) AS new, arg_max(position, seq) AS position, max(seq) AS seq
FROM moved GROUP BY identifier
"""


class Written(NamedTuple):
    """A file that was written, and how many rows it has."""

    table: str
    path: Path
    rows: int


def export_identity(
    composition: Composition, folder: Path, how: Format, *, purpose: Purpose, viewer: Viewer
) -> list[Written]:
    """Write every table to a folder, replacing files of an earlier export.

    Raises ``NotAllowed`` if the viewer may not read for this purpose, ``InvalidInput``
    if the folder cannot be made, ``Transient`` if memory or disk ran out.
    """
    composition.access.require(viewer, "read", purpose)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"{folder} cannot be made: {error.strerror}.", hint="Name a folder that you may write to."
        ) from error
    with _lake(composition) as lake:
        return [_write(lake, name, folder, how) for name in TABLES]


@contextmanager
def _lake(composition: Composition) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with the relations that the tables are made of."""
    settings = composition.settings.rebuild
    resources = Resources(composition.space.scratch, f"{settings.memory_mb}MB", settings.threads)
    with resources.lake() as lake:
        with composition.state.read() as reader:
            _feed(lake, reader, composition.identity.view)
        normalization = composition.normalization
        with (
            composition.log.snapshot(composition.log.head()) as log,
            described_anew(log, normalization, resources.scratch) as anew,
            log_relation(lake, anew, normalization) as events,
        ):
            lake.execute(
                "CREATE TEMPORARY TABLE happened AS SELECT position, call, name, message_id, source, time, "
                f"received FROM {events} SEMI JOIN moved USING (position)"
            )
        yield lake


def _feed(lake: duckdb.DuckDBPyConnection, reader: Reader, view: str) -> None:
    """Bring in the feed, the identifiers, and the public ids of profiles."""
    table = records.moves
    number = next((row[0] for row in reader.rows(records.views, "name", [view])), 0)
    _load(lake, "moved", _MOVED, reader.scan(select(*table.c).where(table.c.view == number)))
    _load(lake, "known", _KNOWN, reader.scan(select(records.identifiers.c.id, records.identifiers.c.key)))
    lake.execute(_NEWEST)
    anchors = lake.execute("SELECT id, key FROM known WHERE id IN (SELECT new FROM moved)").fetchall()
    names = Names(view)
    _load(lake, "named", _NAMED, ((id_, names.profile_id(key)) for id_, key in anchors))


_INTEGERS = ("seq", "view", "identifier", "old", "new", "position")
_MOVED = pa.schema([(name, pa.int64()) for name in _INTEGERS])
_KNOWN = pa.schema([("id", pa.int64()), ("key", pa.string())])
_NAMED = pa.schema([("id", pa.int64()), ("profile_id", pa.string())])


def _load(lake: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema, rows: Iterable[Row]) -> None:
    lake.register("arriving", schema.empty_table())
    lake.execute(f"CREATE TEMPORARY TABLE {name} AS FROM arriving")
    remaining = iter(rows)
    while some := list(islice(remaining, _ROWS)):
        lake.register("arriving", _columns(schema, some))
        lake.execute(f"INSERT INTO {name} FROM arriving")
    lake.unregister("arriving")


def _columns(schema: pa.Schema, rows: Sequence[Row]) -> pa.Table:
    columns: list[Any] = [*zip(*rows, strict=True)]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


def _write(lake: duckdb.DuckDBPyConnection, table: str, folder: Path, how: Format) -> Written:
    """Write one table under a temporary name, then give it its own."""
    path = folder / f"{table}.{how}"
    made = folder / f"_{table}.{uuid4().hex}.tmp"
    quoted = str(made).replace("'", "''")
    try:
        count = lake.execute(f"COPY ({TABLES[table]}) TO '{quoted}' ({_COPY[how]})").fetchone()
        made.replace(path)
    except (duckdb.IOException, duckdb.OutOfMemoryException, OSError) as error:
        raise Transient(
            f"The table {table} could not be written.",
            hint="Free disk space, or raise rebuild.memory_mb; then export again.",
        ) from error
    finally:
        made.unlink(missing_ok=True)
    return Written(table, path, int(count[0]) if count else 0)
