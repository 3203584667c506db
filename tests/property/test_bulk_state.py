"""A state derived in bulk is that of the stream, table by table, and goes on like it."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from cauce.app.log_past import LogPast
from cauce.app.pipeline import CLOCK, LOG, Pipeline
from cauce.app.rebuild.derive import Derivation, Resources
from cauce.eventlog.port import EventLog
from cauce.eventlog.seal import seal
from cauce.eventlog.sqlite import SqliteLog
from cauce.identity.rules import default_rules, read_rules
from cauce.storage.records import STATE, Records
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Accepted, Logged, Position
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.moment import DAY, HOUR, Moment
from tests.property.small_company import HISTORIES, LINES, Line, composed, events, logged, tables

HISTORY = {"identity_move", "membership_change", "progress", "segment_version", "trait_version"}
"""What only history knows, and what says how far it has come."""

FORMER = Normalization({"user_id": "phone", "anonymous_id": "phone"})
"""How identifiers may have been normalized when the log was sealed; it makes `u1` and `d1` of one person."""


def append(log: EventLog, rows: list[Logged]) -> list[Logged]:
    """Log the rows; as they are read again."""
    for row in rows:
        accepted = Accepted(
            message_id=row.message_id,
            time=row.time,
            call=row.call,
            name=row.name,
            source=row.source,
            body=row.body,
        )
        log.append([accepted], [], now=row.received)
    return log.read(Position(0), 1_000)


def counters(records: Records) -> dict[str, int]:
    with records.read() as reader:
        names = ("identity.identifiers", "identity.signatures", "identity.views", LOG, CLOCK)
        return {name: reader.progress(name) for name in names}


def due(pipeline: Pipeline, state: dict[str, Any], at: Moment) -> list[tuple[int, str, int]]:
    """The timers as the moments of the next change, which do not depend on when somebody last looked."""
    found = []
    with pipeline.records.write() as transaction:
        for profile, key, moment in state["timer"]:
            identity = pipeline.identity.begin(transaction, (), [profile])
            profiles = pipeline.profiles.begin(transaction, {})
            person = profiles.person(identity.signatures(profile))
            segment = pipeline.segments.get(key)
            assert segment is not None
            holds = segment.rule.evaluate(person, at).holds
            while moment is not None:
                verdict = segment.rule.evaluate(person, moment)
                if verdict.holds != holds:
                    found.append((profile, key, moment))
                    break
                moment = verdict.until
    return sorted(found)


def since_of(records: Records):
    """The memberships of a store with the moments they began."""

    def since(lake: duckdb.DuckDBPyConnection) -> str:
        lake.execute("CREATE TABLE known (profile BIGINT, segment VARCHAR, since BIGINT)")
        for row in tables(records)["membership"]:
            lake.execute("INSERT INTO known VALUES (?, ?, ?)", row)
        return "known"

    return since


@settings(max_examples=max(40, settings.default.max_examples // 3), deadline=None)
@given(
    lines=st.one_of(LINES, HISTORIES),
    cut=st.integers(1, 14),
    sealed=st.integers(0, 14),
    stale=st.booleans(),
    wait=st.integers(0, 120),
)
def test_bulk_equals_stream(lines: list[Line], cut: int, sealed: int, stale: bool, wait: int) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        log = SqliteLog(folder)
        rows = append(log, logged(lines))
        cut = min(cut, len(rows))
        before, after = rows[:cut], rows[cut:]
        at = Moment(before[-1].received + wait * HOUR)
        if after:
            at = min(at, after[0].received)
        how = read_rules(default_rules()).normalization
        past = partial(LogPast, log, lambda _: how, folder)
        stream = composed(SqliteRecords(folder / "state.db", STATE), past=past)
        if sealed:
            then = FORMER if stale else how
            seal(folder, Position(min(sealed, len(rows))), lambda _: then, rows_per_file=4)
        stream.fold(events(stream, before))
        stream.pass_time(at)
        bulk = composed(SqliteRecords(folder / "shadow.db", STATE), past=past)
        derivation = Derivation(bulk, log, lambda _: how, Resources(folder))
        derivation.derive(before[-1].position, at, since_of(stream.records))
        compare(stream, bulk, at)
        assert counters(stream.records) == counters(bulk.records)
        if after:
            for pipeline in (stream, bulk):
                pipeline.fold(events(pipeline, after))
        end = Moment(rows[-1].received + 4 * DAY)
        for pipeline in (stream, bulk):
            pipeline.pass_time(end)
        compare(stream, bulk, end)
        for pipeline in (stream, bulk):
            pipeline.records.close()
        log.close()


def compare(stream: Pipeline, bulk: Pipeline, at: Moment) -> None:
    expected, found = tables(stream.records), tables(bulk.records)
    assert due(stream, expected, at) == due(bulk, found, at)
    for table in expected.keys() - HISTORY - {"timer"}:
        assert found[table] == expected[table], table
