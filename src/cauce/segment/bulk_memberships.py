"""Memberships in bulk: who is in which segment at a moment, and of whom time alone may change that."""

from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa

from cauce.segment.bulk import BulkSource, preview
from cauce.segment.bulk_timers import timers
from cauce.segment.live import KNOWN_TYPES, LiveSegment, LiveSegments
from cauce.vocabulary.language.mentions import operands
from cauce.vocabulary.language.tree import Reduction
from cauce.vocabulary.moment import Moment

MEMBERS = "segment_member"
"""The table ``profile BIGINT, segment VARCHAR``."""

_ROWS = 100_000
_WAITING = "segment_waiting"
_BY_DATE = ("within_last", "within_next", "before_last", "after_next")


class BulkMemberships:
    """The memberships that rules give to people in DuckDB at a moment.

    ``types`` has profile and type, each once. ``events`` and ``traits`` are those of
    ``BulkSource``. Leaves ``MEMBERS`` in the connection.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        live: LiveSegments,
        at: Moment,
        *,
        events: str,
        traits: str,
        types: str,
    ) -> None:
        self._connection = connection
        self._at = at
        self._events = events
        self._traits = traits
        known = ", ".join(f"'{type_}'" for type_ in sorted(KNOWN_TYPES))
        connection.execute(f"""
        CREATE OR REPLACE TEMPORARY TABLE segment_everybody AS SELECT DISTINCT profile FROM {types};
        CREATE OR REPLACE TEMPORARY TABLE segment_known AS
        SELECT DISTINCT profile FROM {types} WHERE type IN ({known});
        CREATE OR REPLACE TEMPORARY TABLE {MEMBERS} (profile BIGINT, segment VARCHAR);
        """)
        for segment in live.all:
            self._enter(segment)

    def _enter(self, segment: LiveSegment) -> None:
        source = BulkSource(self._connection, self._events, self._traits, _people(segment))
        members = pa.table({"profile": pa.array(preview(segment.rule, self._at, source), pa.int64())})
        self._connection.register("segment_entering", members)
        self._connection.execute(
            f"INSERT INTO {MEMBERS} SELECT profile, $1 FROM segment_entering", [segment.key]
        )
        self._connection.unregister("segment_entering")

    def rows(self, since: str) -> Iterator[pa.RecordBatch]:
        """Rows of ``membership``; ``since`` is a relation with profile, segment and since for those known."""
        sql = f"""
        SELECT profile, segment, coalesce(since, {int(self._at)}) AS since
        FROM {MEMBERS} LEFT JOIN {since} USING (profile, segment) ORDER BY profile, segment
        """
        yield from self._connection.sql(sql).to_arrow_reader(_ROWS)

    def timers(self, segments: Sequence[LiveSegment]) -> Iterator[pa.RecordBatch]:
        """Rows of ``timer``."""
        rows: list[tuple[int, str, int]] = []
        for segment in segments:
            people = self._wait(segment) if segment.rule.timed else []
            if people:
                rows += timers(
                    self._connection,
                    segment,
                    people,
                    self._at,
                    waiting=_WAITING,
                    events=self._events,
                    traits=self._traits,
                )
        rows.sort()
        for start in range(0, len(rows), _ROWS):
            columns = zip(*rows[start : start + _ROWS], strict=True)
            yield pa.RecordBatch.from_arrays(
                list(map(pa.array, columns)), names=["profile", "segment", "due"]
            )

    def _wait(self, segment: LiveSegment) -> list[int]:
        """The profiles of which time alone may change the verdict, perhaps others too; also as a table."""
        rule = segment.rule
        tests = []
        for operand in operands(rule.tree):
            if isinstance(operand, Reduction):  # what is in its window will leave, what is to come will enter
                oldest = int(self._at) - (operand.window.end if operand.window else 0)
                test = f"name = {_quoted(operand.event)} AND time > {oldest}"
                tests.append(f"SELECT profile FROM {self._events} WHERE {test}")
        if rule.mentions.traits and any(word in str(rule) for word in _BY_DATE):
            names = ", ".join(map(_quoted, sorted(rule.mentions.traits)))
            tests.append(f"SELECT profile FROM {self._traits} WHERE name IN ({names})")
        if not tests:
            return []
        self._connection.execute(f"""
        CREATE OR REPLACE TEMPORARY TABLE {_WAITING} AS
        SELECT DISTINCT profile
        FROM ({" UNION ALL ".join(tests)}) SEMI JOIN {_people(segment)} USING (profile)
        """)
        return [profile for (profile,) in self._connection.execute(f"FROM {_WAITING}").fetchall()]


def _people(segment: LiveSegment) -> str:
    return "segment_everybody" if segment.anonymous else "segment_known"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
