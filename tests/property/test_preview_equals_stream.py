"""A preview over the log names the people that the stream has let in, sealed or not."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cauce.app.preview import Bulk
from cauce.eventlog.seal import seal
from cauce.eventlog.sqlite import SqliteLog
from cauce.segment.records import membership
from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Accepted, Position
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.moment import HOUR, Moment
from tests.property.small_company import LINES, Line, composed, events, logged


@settings(max_examples=max(20, settings.default.max_examples // 5))
@given(lines=LINES, sealed=st.integers(0, 14), stale=st.booleans(), wait=st.integers(0, 120))
def test_preview_equals_stream(lines: list[Line], sealed: int, stale: bool, wait: int) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        records, log = SqliteRecords(folder / "state.db", STATE), SqliteLog(folder)
        pipeline = composed(records)
        how = pipeline.identity.ruleset.normalization
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
        pipeline.fold(events(pipeline, rows))
        at = Moment(rows[-1].received + wait * HOUR)
        pipeline.pass_time(at)
        if sealed:
            then = Normalization({"user_id": "phone", "anonymous_id": "phone"}) if stale else how
            seal(folder, rows[min(sealed, len(rows)) - 1].position, lambda _: then)
        bulk = Bulk(log, pipeline.identity, pipeline.profiles, lambda _: how, folder)
        with records.read() as reader:
            inside = set(reader.select(select(membership.c.segment, membership.c.profile)))
            for segment in pipeline.segments.all:
                expected = sorted(profile for key, profile in inside if key == segment.key)
                assert bulk.members(reader, segment, at) == expected, segment.key
        log.close()
        records.close()
