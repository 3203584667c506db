"""Rounds change nothing: however many lanes, whoever folds them, the tables are those of one worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise, permutations
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table

from cauce.app.pipeline import TIMERS_AT_ONCE, Pipeline
from cauce.app.rounds.lane import LaneTransaction, end_lane
from cauce.app.rounds.plan import due_of, read_plan, store_round
from cauce.app.rounds.records import lanes
from cauce.identity.graph import Given
from cauce.segment.session import due_timers
from cauce.storage.postgres import PostgresRecords
from cauce.storage.records import STATE, Records, progress
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Event
from cauce.vocabulary.moment import DAY, HOUR, Moment
from tests.property.small_company import LINES, Line, composed, events, logged, tables
from tests.services.postgres import fresh_schema


@pytest.fixture(scope="module")
def store(postgres_url: str) -> Iterator[PostgresRecords]:
    with fresh_schema(postgres_url) as place:
        records = PostgresRecords(*place, STATE, durable=False)
        yield records
        records.close()


def empty(records: PostgresRecords) -> PostgresRecords:
    with records.write() as transaction:
        for table in STATE.sorted_tables:
            if not table.name.endswith("_revision"):
                transaction.clear(table)
    return records


@contextmanager
def fresh() -> Iterator[Records]:
    with TemporaryDirectory() as folder:
        records = SqliteRecords(Path(folder) / "state.db", STATE)
        yield records
        records.close()


class Watched(LaneTransaction):
    """A lane's transaction that notes which rows are read and which are written."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.read: set[tuple[Any, ...]] = set()
        self.written: set[tuple[Any, ...]] = set()

    def rows(self, table: Table, column: str, keys: Any, **equal: object) -> list[Any]:
        found = super().rows(table, column, list(keys), **equal)
        if table is not progress and table.name != "identity_view":
            self.read |= _keys(table, found)
        return found

    def put(self, table: Table, rows: Any) -> None:
        if table.name not in ("identity_move", "membership_change"):
            self.written |= _keys(table, rows)
        super().put(table, rows)

    def remove(self, table: Table, column: str, keys: Any, **equal: object) -> None:
        self.written |= _keys(table, super().rows(table, column, list(keys), **equal))
        super().remove(table, column, keys, **equal)


def _keys(table: Table, rows: Any) -> set[tuple[Any, ...]]:
    places = [n for n, column in enumerate(table.columns) if column.primary_key]
    return {(table.name, *(row[place] for place in places)) for row in rows}


def fold_round(
    pipeline: Pipeline, records: PostgresRecords, batch: list[Event], count: int, last: bool
) -> int:
    """Fold some events as a round of lanes, the last one first if asked to; how many lanes there were."""
    with records.write() as transaction:
        due = due_timers(transaction, batch[-1].received, TIMERS_AT_ONCE)
        if not store_round(transaction, pipeline, batch, due, count):
            due = []
            stored: list[Any] = []
        else:
            stored = sorted(transaction.rows(lanes, "done", [0]), reverse=last)
    if not stored:
        pipeline.fold(batch)
        return 1
    watched: list[Watched] = []
    for lane, _, written, _ in stored:
        plan = read_plan(written)
        with records.lane() as transaction:
            within = Watched(transaction, plan, [(e.received, e.position) for e in batch])
            mine = [event for event in batch if event.position in plan.positions]
            numbers = Given(plan.identifiers, plan.signatures)
            pipeline.fold_lane(within, mine, plan.horizon, due_of(plan), numbers)
            end_lane(transaction, lane, plan, within.result)
        watched.append(within)
    for one, other in permutations(watched, 2):
        assert not one.written & (other.read | other.written), "one lane wrote what another one looked at"
    return len(stored)


def many(found: dict[str, Any]) -> dict[str, Any]:
    return {name: rows for name, rows in found.items() if not name.startswith("fold_")}


EXAMPLES = settings.default.max_examples // 3


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=LINES,
    cuts=st.lists(st.integers(1, 14), max_size=3),
    counts=st.lists(st.integers(2, 4), min_size=4, max_size=4),
    last=st.booleans(),
)
def test_lanes_make_the_tables_of_one_worker(
    store: PostgresRecords, lines: list[Line], cuts: list[int], counts: list[int], last: bool
) -> None:
    compare(store, lines, cuts, counts, last=last)


def crowd(rng: Random) -> list[Line]:
    """Many people, some of whom share what they use, so that one event may reach people it does not name."""
    lines = []
    for _ in range(60):
        user = f"u{rng.randrange(8)}" if rng.random() < 0.5 else None
        body: dict[str, Any] = {"type": "identify", "anonymousId": f"d{rng.randrange(10)}", "traits": {}}
        if user is not None:
            body["userId"] = user
        if rng.random() < 0.3:
            body["traits"]["email"] = f"e{rng.randrange(8)}@x.example"
        if rng.random() < 0.2:
            body["traits"]["phone"] = f"+34600000{rng.randrange(4):03}"
        late, wait = rng.choice([0, 0, HOUR, DAY]), rng.choice([0, 1, HOUR])
        lines.append(Line(wait=wait, late=late, source=rng.choice(["web", "crm"]), body=body))
    return lines


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), size=st.sampled_from([4, 7, 12, 20]), last=st.booleans())
def test_people_who_share_things_are_kept_in_order(
    store: PostgresRecords, seed: int, size: int, last: bool
) -> None:
    lines = crowd(Random(seed))
    compare(store, lines, list(range(size, len(lines), size)), [4] * len(lines), last=last)


def compare(
    store: PostgresRecords, lines: list[Line], cuts: list[int], counts: list[int], *, last: bool
) -> None:
    rows = logged(lines)
    end = Moment(rows[-1].received + 4 * DAY)
    with fresh() as alone:
        pipeline = composed(alone)
        for one in events(pipeline, rows):
            pipeline.fold([one])
        pipeline.pass_time(end)
        expected = many(tables(alone))
    pipeline = composed(empty(store))
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for (begin, stop), count in zip(pairwise(edges), counts, strict=False):
        count = fold_round(pipeline, store, events(pipeline, rows[begin:stop]), count, last)
        event(f"{count} lanes")
    pipeline.pass_time(end)
    found = many(tables(store))
    assert found.keys() == expected.keys()
    for name, some in expected.items():
        assert found[name] == some, name
