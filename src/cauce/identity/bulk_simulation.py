"""Simulation in bulk: all events at once, by the code of a rebuild."""

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from cauce.identity.bulk import BulkIdentity
from cauce.identity.facts import Fact
from cauce.identity.policy import Policy
from cauce.identity.resolve import keys_of
from cauce.identity.simulated import Event, Observation
from cauce.vocabulary.event import Position

_RELATION = pa.schema(
    [
        ("position", pa.int64()),
        ("time", pa.int64()),
        ("source", pa.string()),
        ("message_id", pa.string()),
        ("identifiers", pa.list_(pa.string())),
    ]
)


def in_bulk(policy: Policy, events: Iterable[Event]) -> dict[str, list[str]]:
    """The profiles of some events, each id counted once: anchor → members, in order of their text."""
    with duckdb.connect() as connection:
        return bulk_of(connection, policy, events).profiles()


def bulk_of(
    connection: duckdb.DuckDBPyConnection, policy: Policy, events: Iterable[Event], view: str = "simulation"
) -> BulkIdentity:
    """The identity view of some events."""
    rows: list[tuple[int, int, str, str, list[str]]] = []
    facts: list[Fact] = []
    delivered: set[str] = set()
    for position, event in enumerate(events, 1):
        if event.id in delivered:
            continue
        delivered.add(event.id)
        if isinstance(event, Observation):
            rows.append((position, event.time, event.source, event.id, keys_of(event.identifiers)))
        else:
            facts.append(event._replace(position=Position(position)))
    columns = list(zip(*rows, strict=True)) or [()] * len(_RELATION)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, _RELATION.types, strict=True)]
    connection.register("simulated_events", pa.table(arrays, schema=_RELATION))
    return BulkIdentity(connection, "simulated_events", view, policy, facts)
