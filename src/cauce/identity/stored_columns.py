"""What a state store keeps of identity, as columns: the evidence for another view, and who is who in one.

Evidence is independent of views. So whoever asks what other rules would make of the same
events reads it here instead of aggregating the log again.
"""

from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from cauce.identity import records
from cauce.identity.bulk_evidence import Evidence, Integers
from cauce.storage.columns import columns
from cauce.storage.records import Reader

NOBODY = -1

_NEVER = np.iinfo(np.int64).max

_SEEN = pa.schema([("signature", pa.int64()), ("identifiers", pa.string()), ("sources", pa.string())])
_ALLOWED = pa.schema([("signature", pa.int64()), ("sources", pa.string())])
_TABLE = """
CREATE OR REPLACE TEMPORARY TABLE {name}
  (signature BIGINT, source VARCHAR, events BIGINT, first_time BIGINT, last_time BIGINT)
"""
_ADD = """
INSERT INTO {name}
SELECT signature, entry.key, entry.value[1], entry.value[2], entry.value[3] FROM (
  SELECT signature, unnest(map_entries(from_json(sources, '"MAP(VARCHAR, BIGINT[])"'))) AS entry
  FROM identity_stored)
"""
_EFFECTIVE = """
CREATE OR REPLACE TEMPORARY VIEW identity_effective AS
SELECT * FROM identity_evidence ANTI JOIN identity_limited USING (signature)
UNION ALL SELECT * FROM identity_allowed_evidence
"""


class Side(NamedTuple):
    """Who is who in one view.

    ``keys``: ``type:value`` by identifier id - 1. ``profile``: its profile's key, -1 if it is
    not live. ``owner``: by signature - 1, the profile that its events belong to, -1 for nobody.
    """

    keys: pa.ChunkedArray
    profile: Integers
    owner: Integers


def stored_evidence(connection: duckdb.DuckDBPyConnection, reader: Reader, view: str) -> Evidence:
    """What ``bulk_evidence`` makes of the events that a store has folded, as consent allows a view.

    Leaves in the connection what ``bulk_evidence.sources_of`` reads.
    """
    numbers, lists = _signatures(connection, reader)
    _allowed(connection, reader, view)
    offsets, ids = _in_order(numbers, lists)
    keys = stored_keys(reader)
    first = connection.execute(
        "SELECT signature, min(first_time) AS first_time FROM identity_effective GROUP BY signature"
    ).fetchnumpy()
    times = np.full(len(offsets) - 1, _NEVER, np.int64)
    times[first["signature"] - 1] = first["first_time"]
    first_times = np.full(len(keys), _NEVER, np.int64)
    np.minimum.at(first_times, ids - 1, np.repeat(times, np.diff(offsets)))
    unseen, idle = np.flatnonzero(first_times == _NEVER), np.flatnonzero(times == _NEVER)
    return Evidence(keys=keys, first_times=first_times, offsets=offsets, ids=ids, unseen=unseen, idle=idle)


def stored_side(reader: Reader, view: str, keys: pa.ChunkedArray, signatures: int) -> Side:
    """Who is who in a view that a store has; ``keys`` are ``stored_keys``.

    ``signatures`` is how many there are; with 0, owners are left out.
    """
    number = _number(reader, view)
    profile = np.full(len(keys), NOBODY, np.int64)
    members = records.members.c
    wanted = select(members.identifier, members.profile).where(members.view == number)
    for batch in columns(reader.scan(wanted), _PAIR):
        profile[batch[0].to_numpy() - 1] = batch[1].to_numpy()
    owner = _owners(reader, number, signatures) if signatures else np.empty(0, np.int64)
    return Side(keys, profile, owner)


def stored_keys(reader: Reader) -> pa.ChunkedArray:
    """``type:value`` of each identifier by its id - 1; empty where there is none."""
    table = records.identifiers.c
    batches = list(columns(reader.scan(select(table.id, table.key)), _KEY))
    if not batches:
        return pa.chunked_array([], pa.string())
    found = pa.Table.from_batches(batches)
    ids = found["id"].to_numpy()
    place = np.full(int(ids.max()), NOBODY, np.int64)
    place[ids - 1] = np.arange(len(ids))
    keys = found["key"].take(pa.array(place, mask=place == NOBODY))
    return pc.fill_null(keys, "")


_PAIR = pa.schema([("identifier", pa.int64()), ("profile", pa.int64())])
_KEY = pa.schema([("id", pa.int64()), ("key", pa.string())])
_OWNED = pa.schema([("profile", pa.int64()), ("signatures", pa.string())])


def _signatures(connection: duckdb.DuckDBPyConnection, reader: Reader) -> tuple[Integers, list[pa.Array]]:
    """The number of each signature with evidence, and lists of its identifiers; evidence goes to DuckDB."""
    connection.execute(_TABLE.format(name="identity_evidence"))
    table = records.evidence.c
    numbers: list[Integers] = []
    lists: list[pa.Array] = []
    wanted = select(table.signature, table.identifiers, table.sources)
    for batch in columns(reader.scan(wanted), _SEEN):
        numbers.append(batch["signature"].to_numpy())
        lists.append(_numbers(batch["identifiers"]))
        _add(connection, "identity_evidence", batch)
    return np.concatenate(numbers) if numbers else np.empty(0, np.int64), lists


def _allowed(connection: duckdb.DuckDBPyConnection, reader: Reader, view: str) -> None:
    """Bring what consent allows the view, of signatures of which it does not allow all."""
    connection.execute(_TABLE.format(name="identity_allowed_evidence"))
    connection.execute("CREATE OR REPLACE TEMPORARY TABLE identity_limited (signature BIGINT)")
    table = records.allowed.c
    wanted = select(table.signature, table.sources).where(table.view == _number(reader, view))
    for batch in columns(reader.scan(wanted), _ALLOWED):
        _add(connection, "identity_allowed_evidence", batch)
        connection.register("identity_stored", batch)
        connection.execute("INSERT INTO identity_limited SELECT signature FROM identity_stored")
        connection.unregister("identity_stored")
    connection.execute(_EFFECTIVE)


def _add(connection: duckdb.DuckDBPyConnection, name: str, batch: pa.RecordBatch) -> None:
    """Add the evidence in ``sources``, which is JSON, to a table."""
    connection.register("identity_stored", batch)
    connection.execute(_ADD.format(name=name))
    connection.unregister("identity_stored")


def _number(reader: Reader, view: str) -> int:
    """The number of a view in a store; 0 if it has none yet."""
    found = reader.select(select(records.views.c.id).where(records.views.c.name == view))
    return int(found[0][0]) if found else 0


def _in_order(numbers: Integers, lists: list[pa.Array]) -> tuple[Integers, Integers]:
    """Where the identifiers of each signature begin, by signature - 1, and all of them."""
    if not lists:
        return np.zeros(1, np.int64), np.empty(0, np.int64)
    everything = pa.concat_arrays(lists)
    order = np.argsort(numbers)
    sizes = np.zeros(int(numbers.max()), np.int64)
    sizes[numbers - 1] = everything.value_lengths().to_numpy(zero_copy_only=False)
    ids = everything.take(pa.array(order)).flatten().to_numpy()
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]), ids


def _owners(reader: Reader, view: int, signatures: int) -> Integers:
    owner = np.full(signatures, NOBODY, np.int64)
    table = records.profiles.c
    wanted = select(table.profile, table.signatures).where(table.view == view, table.signatures != "[]")
    for batch in columns(reader.scan(wanted), _OWNED):
        lists = _numbers(pc.utf8_trim(batch["signatures"], "[]"))
        lengths = lists.value_lengths().to_numpy(zero_copy_only=False)
        owner[lists.flatten().to_numpy() - 1] = np.repeat(batch["profile"].to_numpy(), lengths)
    return owner


def _numbers(texts: pa.Array) -> pa.Array:
    """Lists of whole numbers of texts with commas between them."""
    lists = pc.split_pattern(texts, ",")
    return pa.ListArray.from_arrays(lists.offsets, lists.values.cast(pa.int64()))
