"""A segment that comes later knows the past: as if it had been there from the first event."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from cauce.app.follow_definitions import follow_definitions
from cauce.eventlog.sqlite import SqliteLog
from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Accepted, Position
from cauce.vocabulary.language import parse
from cauce.vocabulary.moment import HOUR, Moment
from tests.property.small_company import (
    COMPUTED,
    LINES,
    RULES,
    SURVIVORSHIP,
    Line,
    composed,
    events,
    logged,
    tables,
)


@settings(max_examples=max(20, settings.default.max_examples // 5))
@given(
    lines=LINES,
    first=st.sets(st.sampled_from(sorted(RULES))),
    traits=st.sets(st.sampled_from(sorted(SURVIVORSHIP))),
    wait=st.integers(0, 100),
)
def test_a_later_definition_knows_the_past(
    lines: list[Line], first: set[str], traits: set[str], wait: int
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        log = SqliteLog(folder)
        for row in logged(lines):
            accepted = Accepted(
                message_id=row.message_id,
                time=row.time,
                call=row.call,
                name=row.name,
                source=row.source,
                body=row.body,
            )
            log.append([accepted], [], now=row.received)
        rows = log.read(Position(0), 100)
        at = Moment(rows[-1].received + wait * HOUR)
        found = []
        for beginning, ruled in ((first, traits), (set(RULES), set(SURVIVORSHIP))):
            records = SqliteRecords(folder / f"state{len(found)}.db", STATE)
            survivorship = {name: SURVIVORSHIP[name] for name in sorted(ruled)}
            computed = {name: COMPUTED[name] for name in COMPUTED if ruled == set(SURVIVORSHIP)}
            rules = {key: RULES[key] for key in sorted(beginning)}
            pipeline = composed(records, rules, survivorship, computed)
            how = pipeline.identity.ruleset.normalization
            follow_definitions(pipeline, log, lambda _, how=how: how)  # type: ignore[misc]
            pipeline.fold(events(pipeline, rows))
            pipeline.pass_time(at)
            after = composed(records)
            changed = follow_definitions(after, log, lambda _, how=how: how)  # type: ignore[misc]
            other = set(SURVIVORSHIP) - ruled
            other |= set(COMPUTED) - set(computed)
            read = {key for key, rule in RULES.items() if other & parse(rule).mentions.traits}
            assert set(changed) == (set(RULES) - beginning) | read
            state = tables(records)
            members = sorted((profile, segment) for profile, segment, _ in state["membership"])
            kept = ("timeline", "timer", "fragment", "group_fragment", "group_member", "trait_version")
            found.append((members, [state[name] for name in kept]))
            assert follow_definitions(after, log, lambda _, how=how: how) == []  # type: ignore[misc]
            records.close()
        log.close()
        assert found[0] == found[1]


@given(lines=LINES)
@settings(max_examples=15)
def test_a_segment_taken_away_leaves_nothing(lines: list[Line]) -> None:
    with TemporaryDirectory() as name:
        records = SqliteRecords(Path(name) / "state.db", STATE)
        log = SqliteLog(Path(name))
        pipeline = composed(records)
        how = pipeline.identity.ruleset.normalization
        follow_definitions(pipeline, log, lambda _: how)
        pipeline.fold(events(pipeline, logged(lines)))
        follow_definitions(composed(records, {"buyers": RULES["buyers"]}), log, lambda _: how)
        state = tables(records)
        assert {row[1] for row in state["membership"] + state["timer"]} <= {"buyers"}
        log.close()
        records.close()
