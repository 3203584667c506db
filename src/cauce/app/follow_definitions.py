"""Bringing state to the definitions in force, when the worker starts.

A segment that is new or changed needs the past: the events that rules mention
are recorded on timelines anew from the log, and everybody is looked at once. It
happens in one transaction, so a kill in the middle leaves the state as it was.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from sqlalchemy import select

from cauce.app.pipeline import CLOCK, LOG, Pipeline
from cauce.eventlog.port import EventLog
from cauce.profile.records import timeline
from cauce.segment.live import LiveSegment
from cauce.segment.records import membership, segment_version, timer
from cauce.segment.session import Cause, SegmentSession
from cauce.storage.records import Transaction
from cauce.vocabulary.event import Event, Position, read_event
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.moment import Moment

_CHUNK = 2_000

T = TypeVar("T")


def follow_definitions(
    pipeline: Pipeline, log: EventLog, normalization: Callable[[str], Normalization]
) -> list[str]:
    """Make timelines and memberships those of the segments in force; the keys that were new or changed."""
    live = {segment.key: segment for segment in pipeline.segments.all}
    with pipeline.records.write() as transaction:
        stored: dict[str, str] = {row[0]: row[1] for row in transaction.select(select(segment_version))}
        gone = sorted(stored.keys() - live.keys())
        for table in (membership, timer, segment_version):
            transaction.remove(table, "segment", gone)
        changed = [one for key, one in live.items() if stored.get(key) != one.version]
        if changed and transaction.progress(LOG):
            events = _events(log, Position(transaction.progress(LOG)), normalization)
            _record(pipeline, transaction, events)
            _look(pipeline, transaction, changed)
        transaction.put(segment_version, [(one.key, one.version) for one in changed])
    return [one.key for one in changed]


def _record(pipeline: Pipeline, transaction: Transaction, events: Iterable[Event]) -> None:
    """Put the events that rules mention on their signatures' timelines, from the first on."""
    transaction.clear(timeline)
    recorded = pipeline.segments.recorded
    for chunk in _chunks(event for event in events if event.name in recorded):
        identity = pipeline.identity.begin(transaction, [event.identifiers for event in chunk])
        session = pipeline.profiles.begin(transaction, recorded)
        for event in chunk:
            signature = identity.signature(event.identifiers)
            if signature is not None:
                session.record(event, signature)
        session.save()


def _look(pipeline: Pipeline, transaction: Transaction, segments: list[LiveSegment]) -> None:
    """Evaluate segments on everybody, at the moment the state has reached."""
    cause = Cause(Moment(transaction.progress(CLOCK)))
    for people in _chunks(pipeline.identity.everybody(transaction)):
        keys = [one.profile for one in people]
        identity = pipeline.identity.begin(transaction, (), keys)
        profiles = pipeline.profiles.begin(transaction, pipeline.segments.recorded)
        profiles.load(identity.loaded_signatures())
        memberships = SegmentSession(transaction, pipeline.segments, identity, (), cause.at)
        memberships.load(keys)
        for profile in keys:
            memberships.look(profile, profiles.person(identity.signatures(profile)), segments, cause)
        pipeline.activation.queue(transaction, memberships.save())


def _events(log: EventLog, upto: Position, normalization: Callable[[str], Normalization]) -> Iterator[Event]:
    after = Position(0)
    while after < upto:
        rows = log.read(after, _CHUNK)
        for row in rows:
            if row.position <= upto:
                yield read_event(row, normalization(row.source))
        after = rows[-1].position if rows else upto


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
