"""Bringing state to other definitions, in one transaction: as if they had been there from the first event.

The events that rules mention for the first time are recorded on timelines from
the log, the members of a segment that is gone leave it, and everybody is looked
at with the segments that are new or changed. A kill in the middle leaves the
state as it was, whole, under the definitions before.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import select

from cauce.activate.service import Traits
from cauce.app.follow_traits import store_traits, tell_anew, trait_changes
from cauce.app.pipeline import CLOCK, LOG, VERSION, Pipeline, require_no_round
from cauce.app.recording import chunks, record_anew
from cauce.eventlog.port import EventLog
from cauce.identity.service import Session as IdentitySession
from cauce.profile.session import ProfileSession
from cauce.profile.survivorship import ADDRESSES
from cauce.segment.live import LiveSegment
from cauce.segment.records import membership, segment_version, timer
from cauce.segment.session import Cause, SegmentSession
from cauce.storage.records import Transaction
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey


def follow_definitions(
    pipeline: Pipeline,
    log: EventLog,
    normalization: Callable[[str], Normalization],
    *,
    before: Pipeline | None = None,
) -> list[str]:
    """Make timelines and memberships those of the segments in force; the keys that were new or changed.

    ``before`` is the pipeline under the definitions that made the state, if they
    are known: then only what they did not mention is read from the log, and the
    destinations of a segment that is gone are told that its members left.
    """
    live = {segment.key: segment for segment in pipeline.segments.all}
    with pipeline.records.write() as transaction:
        require_no_round(transaction)
        stored: dict[str, str] = {row[0]: row[1] for row in transaction.select(select(segment_version))}
        gone = sorted(stored.keys() - live.keys())
        traits = trait_changes(pipeline, transaction)
        changed = [
            one
            for key, one in live.items()
            if stored.get(key) != one.version or not traits.names.isdisjoint(one.rule.mentions.traits)
        ]
        if transaction.progress(LOG):
            cause = Cause(Moment(transaction.progress(CLOCK)))
            _leave(pipeline, before or pipeline, transaction, gone, cause)
            if traits.told:
                tell_anew(pipeline, transaction, log, normalization, members=traits.members)
            if changed or gone or traits.computed:
                known = before is not None and ADDRESSES not in traits.names
                recorded = before.recorded if before is not None and known else None
                record_anew(pipeline, transaction, log, normalization, recorded)
            if changed:
                _look(pipeline, transaction, changed, cause)
        for table in (timer, segment_version):
            transaction.remove(table, "segment", gone)
        store_traits(pipeline, transaction)
        transaction.put(segment_version, [(one.key, one.version) for one in changed])
        if pipeline.version:
            transaction.advance(VERSION, pipeline.version)
    return [one.key for one in changed]


def _leave(
    pipeline: Pipeline, before: Pipeline, transaction: Transaction, gone: Sequence[str], cause: Cause
) -> None:
    """Take the members of segments that are gone out of them; destinations that still exist are told."""
    inside = select(membership.c.profile).where(membership.c.segment.in_(gone)).distinct()
    rows = transaction.select(inside.order_by(membership.c.profile)) if gone else []
    for people in chunks(ProfileKey(row[0]) for row in rows):
        identity = before.identity.begin(transaction, (), people)
        memberships = SegmentSession(transaction, before.segments, identity, (), cause.at)
        memberships.load(people)
        for profile in people:
            memberships.dismiss(profile, gone, cause)
        owed = before.activation.owed(memberships.save())
        told = [(name, change) for name, change in owed if pipeline.activation.defined(name)]
        profiles = pipeline.profiles.begin(transaction, {})
        profiles.load(identity.loaded_signatures())
        before.activation.queue_for(transaction, told, _traits(pipeline, identity, profiles, cause))


def _look(
    pipeline: Pipeline, transaction: Transaction, segments: Sequence[LiveSegment], cause: Cause
) -> None:
    """Evaluate segments on everybody, at the moment the state has reached."""
    for people in chunks(pipeline.identity.everybody(transaction)):
        keys = [one.profile for one in people]
        identity = pipeline.identity.begin(transaction, (), keys)
        profiles = pipeline.profiles.begin(transaction, pipeline.recorded)
        profiles.load(identity.loaded_signatures())
        memberships = SegmentSession(transaction, pipeline.segments, identity, (), cause.at)
        memberships.load(keys)
        for profile in keys:
            memberships.look(profile, profiles.person(identity.signatures(profile)), segments, cause)
        pipeline.activation.queue(
            transaction, memberships.save(), _traits(pipeline, identity, profiles, cause)
        )


def _traits(pipeline: Pipeline, identity: IdentitySession, profiles: ProfileSession, cause: Cause) -> Traits:
    """What gives somebody's traits, asserted and computed, for destinations that want them."""
    return lambda profile: pipeline.profiles.values(profiles.person(identity.signatures(profile)), cause.at)
