"""Timelines in bulk: the events that definitions mention, reduced to the properties they read."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import ARROW, SPECIAL

from cauce.profile.session import TIMELINE_ENTRIES, Recorded
from cauce.vocabulary.event import Call, Logged, Position, read_event
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.language import reduce_properties
from cauce.vocabulary.language.paths import nfc
from cauce.vocabulary.moment import Moment

_ROWS = 100_000
_REDUCED = "cauce_reduced"

_ORDER = "time DESC, received DESC, message_id DESC"


class BulkTimeline:
    """The timelines of all signatures, as a table in DuckDB named by the caller."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, events: str, recorded: Recorded, table: str
    ) -> None:
        self._connection = connection
        self._recorded = recorded
        self._table = table
        self._name_events(events)
        connection.create_function(
            _REDUCED, self._reduced, ["VARCHAR"] * 3, "VARCHAR", type=ARROW, null_handling=SPECIAL
        )
        try:
            connection.execute(f"""
            CREATE OR REPLACE TEMPORARY TABLE {table} AS
            SELECT signature, time, position, received, message_id, source, known AS name,
              CASE WHEN reads THEN {_REDUCED}(body, call, known) ELSE '{{}}' END AS properties
            FROM {events} JOIN profile_names ON name = written WHERE signature IS NOT NULL
            """)
        finally:
            connection.remove_function(_REDUCED)
        self._fold()

    def _name_events(self, events: str) -> None:
        """A table of the names as written, with their form in NFC and whether properties are read."""
        found = self._connection.execute(f"SELECT DISTINCT name FROM {events}").fetchall()
        names = [(written, nfc(written)) for (written,) in found if nfc(written) in self._recorded]
        table = pa.table(
            {
                "written": pa.array([written for written, _ in names], pa.string()),
                "known": pa.array([known for _, known in names], pa.string()),
                "reads": pa.array([bool(self._recorded[known]) for _, known in names], pa.bool_()),
            }
        )
        self._connection.register("profile_names", table)

    def _reduced(self, bodies: Any, calls: Any, names: Any) -> pa.Array:
        rows = zip(bodies.to_pylist(), calls.to_pylist(), names.to_pylist(), strict=True)
        return pa.array([self._properties(*row) for row in rows], pa.string())

    def _properties(self, body: str, call: str, name: str) -> str:
        row = Logged(
            position=Position(0),
            received=Moment(0),
            time=Moment(0),
            call=Call(call),
            name=name,
            message_id="",
            source="",
            body=body.encode(),
        )
        properties = read_event(row, None).properties
        reduced = reduce_properties(properties, self._recorded[name])
        return encode_json(reduced).decode() if reduced else "{}"

    def _fold(self) -> None:
        """Keep the newest entries of each signature and name, and count the others."""
        self._connection.execute(f"""
        CREATE OR REPLACE TEMPORARY TABLE profile_too_many AS
        SELECT signature, name FROM {self._table} GROUP BY ALL HAVING count(*) > {TIMELINE_ENTRIES};
        CREATE OR REPLACE TEMPORARY TABLE profile_dropped AS
        SELECT signature, name, position, time
        FROM {self._table} SEMI JOIN profile_too_many USING (signature, name)
        QUALIFY row_number() OVER (PARTITION BY signature, name ORDER BY {_ORDER}) > {TIMELINE_ENTRIES};
        DELETE FROM {self._table} WHERE position IN (SELECT position FROM profile_dropped);
        """)

    def rows(self) -> Iterator[pa.RecordBatch]:
        """Rows of ``timeline``."""
        sql = f"FROM {self._table} ORDER BY signature, time, position"
        yield from self._connection.sql(sql).to_arrow_reader(_ROWS)

    def folded(self) -> Iterator[pa.RecordBatch]:
        """Rows of ``timeline_folded``."""
        sql = (
            "SELECT signature, name, count(*) AS entries, max(time) AS upto "
            "FROM profile_dropped GROUP BY ALL ORDER BY signature, name"
        )
        yield from self._connection.sql(sql).to_arrow_reader(_ROWS)
