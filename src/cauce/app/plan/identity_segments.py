"""Segments under other people: only those who become others are looked at with the rules again.

Fragments and timelines are kept by signature, whoever its events belong to. So all that
other identity rules change of a segment is in the state already.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from sqlalchemy import func, select

from cauce.app.pipeline import Pipeline
from cauce.app.plan.identity_model import SegmentSize
from cauce.identity.bulk_evidence import Integers
from cauce.identity.stored_columns import NOBODY, Side
from cauce.profile.fragment import Fragment, decode
from cauce.profile.person import Person
from cauce.profile.records import fragment, timeline
from cauce.profile.survivorship import Survivorship
from cauce.segment.bulk_memberships import MEMBERS, BulkMemberships
from cauce.segment.records import membership
from cauce.storage.columns import columns
from cauce.storage.records import Reader, Row
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.moment import Moment

_SIGNATURES = 5_000
_SCAN = 10
"""One in so many signatures: from there on the whole table is read."""

_EVENTS, _TRAITS, _TYPES = "what_if_events", "what_if_traits", "what_if_types"

_LINE = pa.schema(
    [
        *(("signature", pa.int64()), ("time", pa.int64()), ("received", pa.int64())),
        *((name, pa.string()) for name in ("message_id", "source", "name", "properties")),
    ]
)
_TRAIT = pa.schema([("profile", pa.int64()), ("name", pa.string()), ("value", pa.string())])
_MEMBER = pa.schema([("profile", pa.int64()), ("segment", pa.string())])


class Others(NamedTuple):
    """The profiles that are not the same people before and after, and the signatures they own after.

    ``profiles``: keys before or after, ascending; ``signatures``: as number - 1, ascending.
    """

    profiles: Integers
    signatures: Integers


def others(before: Side, after: Side) -> Others:
    """Whose identifiers or events are not the same, of two sides that number identifiers alike."""
    moved = before.profile != after.profile
    owned = before.owner != after.owner
    sides = (before.profile[moved], after.profile[moved], before.owner[owned], after.owner[owned])
    profiles = np.unique(np.concatenate(sides))
    profiles = profiles[profiles != NOBODY]
    return Others(profiles, np.flatnonzero(np.isin(after.owner, profiles)))


class Sizes(NamedTuple):
    """Looks at segments again: under a pipeline whose rules and traits are those in force."""

    connection: duckdb.DuckDBPyConnection
    reader: Reader
    pipeline: Pipeline
    at: Moment

    def changed(self, found: Others, after: Side, types: pa.Array) -> list[SegmentSize]:
        """The segments that have other members; ``types`` are those of identifiers, by id - 1."""
        self._bring(found, after, types)
        live = self.pipeline.segments
        BulkMemberships(self.connection, live, self.at, events=_EVENTS, traits=_TRAITS, types=_TYPES)
        return self._compared()

    def _bring(self, found: Others, after: Side, types: pa.Array) -> None:
        """Tables of what rules read of these people."""
        self._keep(
            "what_if_owners",
            pa.table({"signature": found.signatures + 1, "profile": after.owner[found.signatures]}),
        )
        self._keep("what_if_others", pa.table({"profile": found.profiles}))
        place = np.flatnonzero(np.isin(after.profile, found.profiles))
        hers = pa.table({"profile": after.profile[place], "type": types.take(pa.array(place))})
        self._keep(_TYPES, hers.group_by(["profile", "type"]).aggregate([]))
        self._keep("what_if_lines", _LINE.empty_table())
        for batch in columns(self._lines(found.signatures, len(after.owner)), _LINE):
            self._add("what_if_lines", batch)
        self.connection.execute(f"""
        CREATE OR REPLACE TEMPORARY TABLE {_EVENTS} AS
        SELECT profile, time, source, 'track' AS call, name, '{{"properties":' || properties || '}}' AS body,
          received, message_id
        FROM what_if_lines JOIN what_if_owners USING (signature);
        DROP TABLE what_if_lines
        """)
        self._keep(_TRAITS, _TRAIT.empty_table())
        for batch in columns(self._golden(found.signatures, after.owner), _TRAIT):
            self._add(_TRAITS, batch)

    def _lines(self, signatures: Integers, all_: int) -> Iterator[Row]:
        """The entries of timelines that segments read, of these signatures and perhaps of others."""
        table = timeline.c
        wanted = select(
            table.signature,
            table.time,
            table.received,
            table.message_id,
            table.source,
            table.name,
            table.properties,
        )
        names = sorted(self.pipeline.segments.recorded)
        if not names:
            return
        if len(signatures) * _SCAN > all_:
            yield from self.reader.scan(wanted.where(table.name.in_(names)))
            return
        known = set(names)
        for some in _chunks(signatures):
            for row in self.reader.rows(timeline, "signature", some):
                if row[6] in known:
                    yield row[0], row[1], *row[3:]

    def _golden(self, signatures: Integers, owner: Integers) -> Iterator[Row]:
        """The golden values that rules read, of the owners of these signatures."""
        names = sorted({name for one in self.pipeline.segments.all for name in one.rule.mentions.traits})
        if not names:
            return
        ordered = signatures[np.argsort(owner[signatures], kind="stable")]
        rows = chain.from_iterable(self._texts(some, owner) for some in _chunks(ordered))
        for profile, hers in groupby(rows, key=itemgetter(0)):
            fragments = [decode(text) for _, text in hers]
            yield from _values(profile, names, fragments, self.pipeline.profiles.rules)

    def _texts(self, signatures: Sequence[int], owner: Integers) -> Iterator[tuple[int, str]]:
        """Owner and fragment of some signatures, in their order."""
        texts: Mapping[int, str] = dict(self.reader.rows(fragment, "signature", signatures))
        return ((int(owner[one - 1]), texts[one]) for one in signatures if one in texts)

    def _compared(self) -> list[SegmentSize]:
        """The members before and after of those who become others, segment by segment."""
        table = membership.c
        sizes: dict[str, int] = dict(
            self.reader.select(select(table.segment, func.count()).group_by(table.segment))
        )
        self._keep("what_if_members", _MEMBER.empty_table())
        for batch in columns(self.reader.scan(select(table.profile, table.segment)), _MEMBER):
            self._add("what_if_members", batch, "SEMI JOIN what_if_others USING (profile)")
        rows = self.connection.execute(f"""
        SELECT segment, count(*) FILTER (old IS NULL), count(*) FILTER (new IS NULL) FROM (
          SELECT coalesce(old.segment, new.segment) AS segment, old.profile AS old, new.profile AS new
          FROM what_if_members AS old FULL JOIN {MEMBERS} AS new
            ON old.profile = new.profile AND old.segment = new.segment)
        GROUP BY segment HAVING count(*) > count(old) OR count(*) > count(new) ORDER BY segment
        """).fetchall()
        return [
            SegmentSize(key, sizes.get(key, 0), sizes.get(key, 0) + entering - leaving, entering, leaving)
            for key, entering, leaving in rows
        ]

    def _keep(self, name: str, table: pa.Table) -> None:
        self.connection.register("what_if_kept", table)
        self.connection.execute(f"CREATE OR REPLACE TEMPORARY TABLE {name} AS FROM what_if_kept")
        self.connection.unregister("what_if_kept")

    def _add(self, name: str, batch: pa.RecordBatch, which: str = "") -> None:
        self.connection.register("what_if_added", batch)
        self.connection.execute(f"INSERT INTO {name} FROM what_if_added {which}")
        self.connection.unregister("what_if_added")


def _values(
    profile: int, names: Iterable[str], fragments: list[Fragment], rules: Mapping[str, Survivorship]
) -> Iterator[Row]:
    person = Person(lambda: fragments, (), rules, ())
    for name in names:
        value = person.trait(name)
        if value is not None:
            yield profile, name, encode_json(value).decode()


def _chunks(signatures: Integers) -> Iterator[list[int]]:
    for start in range(0, len(signatures), _SIGNATURES):
        yield (signatures[start : start + _SIGNATURES] + 1).tolist()
