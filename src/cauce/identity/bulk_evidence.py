"""Evidence in bulk: identifiers, signatures and who was seen when, aggregated in columns by DuckDB.

Ids are those of the stream: an identifier's by the first position that carried it and,
within an event, by the order of keys; a signature's by its first position.
"""

from typing import Any, NamedTuple

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cauce.identity.graph import Sources

SIGNATURE_OF = "identity_spelling"
"""The table ``spelling VARCHAR, identifiers VARCHAR[], signature BIGINT``: which lists are which signature.

``spelling`` is the list joined by NUL; ``identifiers`` is null unless a value holds a NUL,
so that other lists have the same spelling.
"""

Integers = npt.NDArray[np.int64]

ODD_JOIN = """known.spelling = carried.spelling
  AND (known.identifiers IS NULL OR known.identifiers = carried.identifiers)"""
"""How ``carried``, with spelling and identifiers, finds its row ``known`` there."""

_encode = msgspec.json.Encoder().encode

_SEEN = """
CREATE TEMPORARY TABLE identity_seen AS
SELECT array_to_string(identifiers, chr(0)) AS spelling, len(identifiers) AS n, source,
  count(*) AS events, min(time) AS first_time, max(time) AS last_time, min(position) AS position,
  NULL::VARCHAR[] AS identifiers
FROM {events} WHERE len(identifiers) > 0 GROUP BY ALL
"""

# A value with a NUL makes spellings ambiguous: these events are grouped by their lists.
_ODD = "(length(spelling) - length(replace(spelling, chr(0), ''))) <> n - 1"
_ODD_SPELLINGS = (
    f"CREATE TEMPORARY TABLE identity_odd AS SELECT DISTINCT spelling FROM identity_seen WHERE {_ODD}"
)
_SEEN_ODD = """
DELETE FROM identity_seen WHERE spelling IN (FROM identity_odd);
INSERT INTO identity_seen
SELECT array_to_string(identifiers, chr(0)), len(identifiers), source,
  count(*), min(time), max(time), min(position), identifiers
FROM {events} WHERE array_to_string(identifiers, chr(0)) IN (FROM identity_odd) GROUP BY source, identifiers
"""

_IDS = """
CREATE TEMPORARY TABLE identity_spelt AS
SELECT row_number() OVER () AS number, spelling, identifiers,
  min(position) AS position, min(first_time) AS first_time
FROM identity_seen GROUP BY spelling, identifiers;
CREATE TEMPORARY TABLE identity_carried AS
SELECT number, unnest(coalesce(identifiers, string_split(spelling, chr(0)))) AS key FROM identity_spelt;
CREATE TEMPORARY TABLE identity_key AS
SELECT row_number() OVER (ORDER BY position, key) AS id, key, first_time FROM (
  SELECT key, min(position) AS position, min(first_time) AS first_time
  FROM identity_carried JOIN identity_spelt USING (number) GROUP BY key);
"""

_SIGNATURES = f"""
CREATE TEMPORARY TABLE identity_set AS
SELECT number, list_sort(list(id)) AS ids FROM identity_carried JOIN identity_key USING (key) GROUP BY number;
DROP TABLE identity_carried;
CREATE TEMPORARY TABLE identity_signature AS
SELECT row_number() OVER (ORDER BY position) AS signature, key, ids FROM (
  SELECT array_to_string(ids, ',') AS key, any_value(ids) AS ids, min(position) AS position
  FROM identity_set JOIN identity_spelt USING (number) GROUP BY 1);
CREATE TEMPORARY TABLE {SIGNATURE_OF} AS
SELECT spelling, identifiers, signature FROM identity_spelt JOIN identity_set USING (number)
  JOIN identity_signature ON identity_signature.key = array_to_string(identity_set.ids, ',');
DROP TABLE identity_set; DROP TABLE identity_spelt;
CREATE TEMPORARY TABLE identity_evidence AS
SELECT signature, source, sum(events)::BIGINT AS events,
  min(first_time) AS first_time, max(last_time) AS last_time
FROM identity_seen JOIN {SIGNATURE_OF} ON identity_seen.spelling = {SIGNATURE_OF}.spelling
  AND identity_seen.identifiers IS NOT DISTINCT FROM {SIGNATURE_OF}.identifiers
GROUP BY signature, source;
CREATE OR REPLACE TEMPORARY VIEW identity_effective AS FROM identity_evidence;
CREATE TEMPORARY TABLE identity_seen_anew (id BIGINT, first_time BIGINT);
DROP TABLE identity_seen;
"""


class Evidence(NamedTuple):
    """What events carried: arrays by identifier id - 1, and signatures as slices of ``ids``.

    The identifiers of signature ``n`` are ``ids[offsets[n - 1] : offsets[n]]``, ascending.
    ``unseen`` are the identifiers, and ``idle`` the signatures, of which no event counts,
    as id - 1.
    """

    keys: pa.ChunkedArray
    first_times: Integers
    offsets: Integers
    ids: Integers
    unseen: Integers = np.empty(0, np.int64)
    idle: Integers = np.empty(0, np.int64)


def gather(connection: duckdb.DuckDBPyConnection, events: str) -> None:
    """Aggregate a relation with position, time, source and identifiers into tables.

    ``identifiers`` are lists of ``type:value``, without repeats, empty or null for nobody.
    """
    connection.execute(_SEEN.format(events=events))
    connection.execute(_ODD_SPELLINGS)
    odd = connection.execute("SELECT count(*) FROM identity_odd").fetchone()
    if odd and odd[0]:
        connection.execute(_SEEN_ODD.format(events=events))
    connection.execute(_IDS)
    connection.execute(_SIGNATURES)


def evidence(connection: duckdb.DuckDBPyConnection) -> Evidence:
    """What ``gather`` has left behind."""
    keys = connection.sql("SELECT key, first_time FROM identity_key ORDER BY id").to_arrow_table()
    first_times = keys["first_time"].to_numpy()
    anew = connection.sql("FROM identity_seen_anew").fetchnumpy()
    seen = ~np.ma.getmaskarray(anew["first_time"])
    if len(seen):
        first_times = first_times.copy()
        first_times[anew["id"][seen] - 1] = anew["first_time"][seen]
    idle = connection.sql(
        "SELECT signature FROM identity_signature ANTI JOIN identity_effective USING (signature)"
    ).fetchnumpy()["signature"]
    sets = connection.sql("SELECT ids FROM identity_signature ORDER BY signature").to_arrow_table()
    lists = sets["ids"].combine_chunks()
    if isinstance(lists, pa.ChunkedArray):
        lists = pa.concat_arrays(lists.chunks) if lists.num_chunks else pa.array([], pa.list_(pa.int64()))
    return Evidence(
        keys=keys["key"],
        first_times=first_times,
        offsets=np.concatenate([[0], np.cumsum(lists.value_lengths().to_numpy(zero_copy_only=False))]).astype(
            np.int64
        ),
        ids=lists.flatten().to_numpy(),
        unseen=np.asarray(anew["id"][~seen]) - 1,
        idle=np.asarray(idle) - 1,
    )


def evidence_query(connection: duckdb.DuckDBPyConnection) -> str:
    """The query for the rows of ``signature_evidence``, by key, after ``gather``."""
    return f"""
    WITH {_sources_text(connection, "identity_evidence")}
    SELECT key AS identifiers, signature, '{{' || coalesce(seen, '') || '}}' AS sources
    FROM identity_signature LEFT JOIN together USING (signature) ORDER BY identifiers
    """


def allowed_query(connection: duckdb.DuckDBPyConnection, view: int) -> str:
    """The query for the rows of ``identity_allowed`` of a view, by signature, after ``exclude``."""
    return f"""
    WITH {_sources_text(connection, "identity_allowed_evidence")}
    SELECT {view} AS view, signature, '{{' || coalesce(seen, '') || '}}' AS sources
    FROM identity_limited LEFT JOIN together USING (signature) ORDER BY signature
    """


def _sources_text(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """``together``: the evidence of each signature as the inner of a JSON object."""
    found = connection.execute("SELECT DISTINCT source FROM identity_evidence").fetchall()
    names = pa.table(
        {
            "source": pa.array([name for (name,) in found], pa.string()),
            "text": pa.array([_encode(name).decode() for (name,) in found], pa.string()),
        }
    )
    connection.register("identity_source", names)
    return f"""
    seen AS (
      SELECT signature, source, count(*) OVER (PARTITION BY signature) AS n,
        text || ':[' || events || ',' || first_time || ',' || last_time || ']' AS seen
      FROM {table} JOIN identity_source USING (source)),
    together AS (
      SELECT signature, seen FROM seen WHERE n = 1 UNION ALL
      SELECT signature, string_agg(seen, ',' ORDER BY source) FROM seen WHERE n > 1 GROUP BY signature)
    """


def sources_of(
    connection: duckdb.DuckDBPyConnection, signatures: Integers
) -> dict[int, dict[str, list[int]]]:
    """The evidence of some signatures: source → [number of events, first time, last time]."""
    connection.register("identity_wanted", pa.table({"signature": signatures}))
    found: dict[int, Sources] = {}
    rows: list[Any] = connection.execute(
        "SELECT signature, source, events, first_time, last_time "
        "FROM identity_effective SEMI JOIN identity_wanted USING (signature)"
    ).fetchall()
    connection.unregister("identity_wanted")
    for signature, source, *seen in rows:
        found.setdefault(signature, {})[source] = seen
    return found
