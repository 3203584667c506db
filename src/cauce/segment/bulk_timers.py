"""Timers in bulk: when the verdict on people may next change by time alone, by the code of the stream.

Who needs none is left out by SQL; the others are read from DuckDB, not from a store.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb

from cauce.segment.live import LiveSegment
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.language import Entry
from cauce.vocabulary.moment import Moment

_ROWS = 50_000
_NO_PROPERTIES: dict[str, Any] = {}
_PLAIN = '{"properties":{}}'


class BulkPerson:
    """A person as rules see her, from rows of DuckDB."""

    __slots__ = ("_entries", "_traits")

    def __init__(self, entries: Mapping[str, Sequence[Entry]], traits: Mapping[str, str]) -> None:
        self._entries = entries
        self._traits = traits

    def trait(self, name: str) -> Any:
        """The golden value of a trait; None if she has none."""
        value = self._traits.get(name)
        return None if value is None else decode_json(value)

    def events(self, name: str) -> Sequence[Entry]:
        """Her events of that name, oldest first."""
        return self._entries.get(name, ())


def timers(
    connection: duckdb.DuckDBPyConnection,
    segment: LiveSegment,
    people: Sequence[int],
    at: Moment,
    *,
    waiting: str,
    events: str,
    traits: str,
) -> list[tuple[int, str, int]]:
    """Rows of ``timer`` for some people, who are also in the relation ``waiting``."""
    mentions = segment.rule.mentions
    told = _traits(connection, traits, waiting, sorted(mentions.traits))
    found: list[tuple[int, str, int]] = []
    met = set()
    for profile, entries in _entries(connection, events, waiting, sorted(mentions.events)):
        met.add(profile)
        until = segment.rule.evaluate(BulkPerson(entries, told.get(profile, {})), at).until
        if until is not None:
            found.append((profile, segment.key, until))
    for profile in people:
        if profile not in met:
            until = segment.rule.evaluate(BulkPerson({}, told.get(profile, {})), at).until
            if until is not None:
                found.append((profile, segment.key, until))
    return found


def _traits(
    connection: duckdb.DuckDBPyConnection, traits: str, waiting: str, names: Sequence[str]
) -> dict[int, dict[str, str]]:
    if not names:
        return {}
    listed = ", ".join(map(_quoted, names))
    query = f"""
    SELECT profile, name, value FROM {traits} SEMI JOIN {waiting} USING (profile) WHERE name IN ({listed})
    """
    found: dict[int, dict[str, str]] = {}
    for profile, name, value in _streamed(connection, query):
        found.setdefault(profile, {})[name] = value
    return found


def _entries(
    connection: duckdb.DuckDBPyConnection, events: str, waiting: str, names: Sequence[str]
) -> Iterator[tuple[int, dict[str, list[Entry]]]]:
    """Everybody's entries by event name, in the order of timelines."""
    if not names:
        return
    listed = ", ".join(map(_quoted, names))
    query = f"""
    SELECT profile, name, time, received, message_id, source, body
    FROM {events} SEMI JOIN {waiting} USING (profile) WHERE name IN ({listed})
    ORDER BY profile, time, received, message_id
    """
    for profile, rows in groupby(_streamed(connection, query), key=itemgetter(0)):
        entries: dict[str, list[Entry]] = {}
        for _, name, time, received, message_id, source, body in rows:
            entries.setdefault(name, []).append(
                Entry(Moment(time), Moment(received), message_id, source, _properties(body))
            )
        yield profile, entries


def _properties(body: str) -> dict[str, Any]:
    if body == _PLAIN:
        return _NO_PROPERTIES
    decoded: Any = decode_json(body)
    properties: dict[str, Any] = decoded["properties"]
    return properties


def _streamed(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[Any]:
    for batch in connection.sql(query).to_arrow_reader(_ROWS):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
