"""State is a function of the log and the clock: neither batches nor restarts change a row."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cauce.storage.records import STATE, Records
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Position
from cauce.vocabulary.moment import DAY, Moment
from tests.property.small_company import LINES, Line, composed, events, logged, tables

EXAMPLES = settings.default.max_examples // 2  # each folds two logs into two stores


@contextmanager
def fresh() -> Iterator[Records]:
    with TemporaryDirectory() as folder:
        records = SqliteRecords(Path(folder) / "state.db", STATE)
        yield records
        records.close()


@settings(max_examples=EXAMPLES)
@given(lines=LINES, cuts=st.lists(st.integers(1, 14), max_size=6), restart=st.booleans())
def test_batches_change_nothing(lines: list[Line], cuts: list[int], restart: bool) -> None:
    rows = logged(lines)
    end = Moment(rows[-1].received + 4 * DAY)
    with fresh() as one_by_one:
        pipeline = composed(one_by_one)
        for event in events(pipeline, rows):
            pipeline.fold([event])
        pipeline.pass_time(end)
        expected = tables(one_by_one)
    with fresh() as batched:
        pipeline = composed(batched)
        edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
        for first, last in pairwise(edges):
            if restart:
                pipeline = composed(batched)
            pipeline.fold(events(pipeline, rows[first:last]))
        pipeline.pass_time(end)
        assert tables(batched) == expected


@settings(max_examples=EXAMPLES)
@given(lines=LINES)
def test_the_order_of_arrival_changes_no_membership(lines: list[Line]) -> None:
    """Once all is in, late events leave the same people in the same segments."""
    rows = logged([line._replace(wait=0) for line in lines])
    end = Moment(rows[-1].received + DAY)
    found = []
    for order in (rows, [replace(row, position=Position(n)) for n, row in enumerate(rows[::-1], 1)]):
        with fresh() as records:
            pipeline = composed(records)
            for event in events(pipeline, order):
                pipeline.fold([event])
            pipeline.pass_time(end)
            state = tables(records)
            ids = {row[1]: row[2] for row in state["identity_profile"]}
            found.append(sorted((ids[profile], segment) for profile, segment, _ in state["membership"]))
    assert found[0] == found[1]
