"""Profiles in bulk: the fragments and timelines that the stream would have made of the same events.

In comes a relation of events in DuckDB with the signature of each; out go rows for
every table of ``records.py``. What events assert is folded by the code of the stream.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
from sqlalchemy import Table

from cauce.profile import records
from cauce.profile.bulk_timeline import BulkTimeline
from cauce.profile.fragment import Fragment, Keeps, assert_traits, decode, encode
from cauce.profile.person import Person
from cauce.profile.session import Recorded
from cauce.profile.survivorship import Survivorship
from cauce.vocabulary.event import Call, Event, Logged, Position, read_event
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.moment import Moment

__all__ = ["TIMELINE", "TRAITS", "BulkProfiles", "Definition"]

TIMELINE = "profile_timeline"
"""The table with the columns of ``timeline``, the newest entries only, as they are stored."""

TRAITS = "profile_traits"
"""The table ``profile BIGINT, name VARCHAR, value VARCHAR``: golden values as JSON."""

_ROWS = 20_000
_SAID = pa.schema([("signature", pa.int64()), *((name, pa.string()) for name in ("name", "value", "cells"))])

_COLUMNS = "signature, position, received, time, call, name, message_id, source, body"

# "groupId" may be written with escapes of its letters; what else has such escapes is decoded in vain.
_GROUPED = r"""(call = 'group' OR contains(body, '"groupId"')
  OR (contains(body, '\u00') AND regexp_matches(body, '\\u00[4-7]')))"""


class Definition(NamedTuple):
    """What the definitions ask of profiles: what is recorded and kept, and how values survive."""

    recorded: Recorded
    keeps: Keeps
    rules: Mapping[str, Survivorship]
    read: frozenset[str] = frozenset()
    """The traits whose golden values are wanted in ``TRAITS``."""


class BulkProfiles:
    """What a relation's events say of people and groups.

    ``events`` has signature (null: nobody's), position, received, time, call, name,
    message_id, source and body.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, events: str, definition: Definition) -> None:
        self._connection = connection
        self._events = events
        self._definition = definition
        self._timeline = BulkTimeline(connection, events, definition.recorded, TIMELINE)
        self._said: list[pa.RecordBatch] = []

    def rows(self) -> Iterator[tuple[Table, Iterable[pa.RecordBatch]]]:
        """Each table with its rows, in the order of its key; to be taken one after another."""
        yield records.timeline, self._timeline.rows()
        yield records.timeline_folded, self._timeline.folded()
        yield records.fragment, self._fragments()
        fragments: dict[str, Fragment] = {}
        since: dict[tuple[int, str], int] = {}
        for event, signature in self._read(_GROUPED, "position"):
            if event.group and event.call is Call.GROUP:
                assert_traits(fragments.setdefault(event.group, {}), event, self._definition.keeps)
            if event.group and signature is not None:
                key = signature, event.group
                since[key] = min(event.time, since.get(key, event.time))
        yield (
            records.group_fragment,
            _batches(
                ((group, encode(one)) for group, one in sorted(fragments.items())), ("group_id", "traits")
            ),
        )
        yield (
            records.group_member,
            _batches(
                ((*key, time) for key, time in sorted(since.items())), ("signature", "group_id", "since")
            ),
        )

    def golden(self, people: str) -> None:
        """Make ``TRAITS`` once the fragments are taken; ``people`` has signature and profile."""
        said = pa.Table.from_batches(self._said, _SAID)
        self._connection.register("profile_said", said)
        self._connection.execute(f"""
        CREATE OR REPLACE TEMPORARY TABLE profile_owned AS
        SELECT profile, name, value, cells, count(*) OVER (PARTITION BY profile, name) AS n
        FROM profile_said JOIN {people} USING (signature)
        """)
        self._connection.execute(f"""
        CREATE OR REPLACE TEMPORARY TABLE {TRAITS} AS
        SELECT profile, name, value FROM profile_owned WHERE n = 1 AND value IS NOT NULL
        """)
        shared = "SELECT profile, name, cells FROM profile_owned WHERE n > 1 ORDER BY profile, name"
        values = []
        for (profile, name), rows in groupby(_streamed(self._connection, shared), key=itemgetter(0, 1)):
            value = self._value(name, [decode(cells) for _, _, cells in rows])
            if value is not None:
                values.append((profile, name, value))
        if values:
            self._connection.register("profile_merged", _table(values, ("profile", "name", "value")))
            self._connection.execute(f"INSERT INTO {TRAITS} FROM profile_merged")
            self._connection.unregister("profile_merged")
        self._connection.execute("DROP TABLE profile_owned")
        self._connection.unregister("profile_said")
        self._said = []

    def _fragments(self) -> Iterator[pa.RecordBatch]:
        told: list[tuple[int, str]] = []
        said: list[tuple[int, str, str | None, str]] = []
        found = self._read("call = 'identify' AND signature IS NOT NULL", "signature")
        for signature, events in groupby(found, key=itemgetter(1)):
            fragment: Fragment = {}
            for event, _ in events:
                assert_traits(fragment, event, self._definition.keeps)
            if not fragment or signature is None:
                continue
            told.append((signature, encode(fragment)))
            for name in self._definition.read & fragment.keys():
                cells = {name: fragment[name]}
                said.append((signature, name, self._value(name, [cells]), encode(cells)))
            if len(told) == _ROWS:
                yield _batch(told, ("signature", "traits"))
                told = []
            if len(said) >= _ROWS:
                self._said.append(_said(said))
                said = []
        if told:
            yield _batch(told, ("signature", "traits"))
        if said:
            self._said.append(_said(said))

    def _value(self, name: str, fragments: list[Fragment]) -> str | None:
        """The golden value of a trait as JSON text."""
        value = Person(lambda: fragments, (), self._definition.rules, ()).trait(name)
        return None if value is None else encode_json(value).decode()

    def _read(self, where: str, order: str) -> Iterator[tuple[Event, int | None]]:
        """The events of a condition, decoded but for their identifiers, with their signatures."""
        query = f"SELECT {_COLUMNS} FROM {self._events} WHERE {where} ORDER BY {order}"
        for row in _streamed(self._connection, query):
            yield _event(*row), row[0]


def _event(
    _: int | None,
    position: int,
    received: int,
    time: int,
    call: str,
    name: str,
    message_id: str,
    source: str,
    body: str,
) -> Event:
    row = Logged(
        position=Position(position),
        received=Moment(received),
        time=Moment(time),
        call=Call(call),
        name=name,
        message_id=message_id,
        source=source,
        body=body.encode(),
    )
    return read_event(row, None)


def _streamed(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[Any]:
    """The rows of a query; nothing else may be asked of the connection before they are taken."""
    for batch in connection.sql(query).to_arrow_reader(_ROWS):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _said(rows: list[tuple[int, str, str | None, str]]) -> pa.RecordBatch:
    columns = zip(zip(*rows, strict=True), _SAID.types, strict=True)
    return pa.RecordBatch.from_arrays([pa.array(*column) for column in columns], schema=_SAID)


def _batches(rows: Iterable[tuple[Any, ...]], names: tuple[str, ...]) -> list[pa.RecordBatch]:
    found = list(rows)
    return [_batch(found, names)] if found else []


def _batch(rows: list[Any], names: tuple[str, ...]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(column) for column in zip(*rows, strict=True)], names=names)


def _table(rows: list[Any], names: tuple[str, ...]) -> pa.Table:
    return pa.Table.from_batches([_batch(rows, names)])
