"""Previews: who a rule would let in, found in bulk by DuckDB over the log and the golden traits.

A preview gives exactly the people for whom ``Rule.evaluate`` holds at the same
moment; a property-based test compares the two.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import duckdb

from cauce.segment.bulk_fields import Events
from cauce.segment.bulk_odd import odd_functions, value_of
from cauce.segment.bulk_query import Relations, members_query, values_query
from cauce.vocabulary.errors import Transient, Unsupported
from cauce.vocabulary.language import ComputedTrait, Rule
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey


class BulkSource(NamedTuple):
    """A DuckDB connection that no one else uses meanwhile, and its tables or views by name.

    ``events``: profile BIGINT, time BIGINT (µs), source VARCHAR, call VARCHAR,
    name VARCHAR, body VARCHAR (the accepted JSON), received BIGINT, message_id VARCHAR;
    each message id once. Or several such relations, of which each may have promoted columns.
    ``traits``: profile BIGINT, name VARCHAR (in NFC, as golden records have it), value
    VARCHAR (the golden value as JSON); one row per profile and name.
    ``people``: profile BIGINT, those the segment asks for, each once. Further columns are ignored.
    """

    connection: duckdb.DuckDBPyConnection
    events: str | Sequence[Events] = "events"
    traits: str = "traits"
    people: str = "people"


class QueryFailed(Unsupported):
    """A query of a preview failed; ``sql`` is the query."""

    code = "query_failed"

    def __init__(self, message: str, *, sql: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.sql = sql

    def __str__(self) -> str:
        return f"{super().__str__()}\n{self.sql}"


def _identifier(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def preview(rule: Rule, at: Moment, source: BulkSource) -> list[ProfileKey]:
    """The profiles for which a rule holds at a moment, ascending.

    Raises ``Transient`` if memory or disk ran out, ``QueryFailed`` if DuckDB refuses the query.
    """
    rows = _run(members_query(rule.tree, at, _relations(source)), source.connection)
    return [profile for (profile,) in rows]


def compute(trait: ComputedTrait, at: Moment, source: BulkSource) -> dict[ProfileKey, Any]:
    """The value of a computed trait at a moment for everybody who has one, as decoded JSON.

    Raises as ``preview`` does.
    """
    rows = _run(values_query(trait.reduction, at, _relations(source)), source.connection)
    values = ((profile, trait.converted(value_of(leaf))) for profile, leaf in rows if leaf is not None)
    return {profile: value for profile, value in values if value is not None}


def _relations(source: BulkSource) -> Relations:
    events = source.events
    parts = [Events(_identifier(events), {})] if isinstance(events, str) else events
    return Relations(parts, _identifier(source.traits), _identifier(source.people))


def _run(sql: str, connection: duckdb.DuckDBPyConnection) -> list[Any]:
    try:
        with odd_functions(connection):
            return connection.execute(sql).fetchall()
    except (duckdb.OutOfMemoryException, duckdb.IOException, duckdb.InterruptException) as error:
        raise Transient("The preview could not finish.", hint="Give it more memory or disk.") from error
    except duckdb.Error as error:
        kind = type(error).__name__
        raise QueryFailed(
            f"DuckDB refused the preview ({kind}).", sql=sql, hint="Please report it."
        ) from error
