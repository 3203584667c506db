"""Who would enter and leave segments: members under the definitions before and after, in bulk."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import func, select

from cauce.app.compose import Composition
from cauce.app.plan.snapshot import Snapshot
from cauce.app.segment_preview import bulk_of
from cauce.segment.live import LiveSegment
from cauce.segment.records import membership, timer
from cauce.vocabulary.profile import ProfileKey

Members = frozenset[ProfileKey]


class Turnover(NamedTuple):
    """The members of a segment that differs, before and after."""

    key: str
    before: Members
    after: Members

    @property
    def entering(self) -> Members:
        """Those who would enter."""
        return self.after - self.before

    @property
    def leaving(self) -> Members:
        """Those who would leave."""
        return self.before - self.after


def turnovers(snapshot: Snapshot) -> Iterator[Turnover]:
    """Members before and after of each segment whose members may differ, by key."""
    old = {one.key: one for one in snapshot.before.live.all}
    new = {one.key: one for one in snapshot.after.live.all}
    for key in sorted(old.keys() | new.keys() | _stored(snapshot)):
        before, after = old.get(key), new.get(key)
        if before and after and before.version == after.version and not _reads(after, snapshot.other_traits):
            continue
        was = members_now(snapshot, key, before)
        will = frozenset(_bulk(snapshot, after, snapshot.after)) if after else frozenset()
        yield Turnover(key, was, will)


def members_now(snapshot: Snapshot, key: str, segment: LiveSegment | None) -> Members:
    """The members of a segment at the snapshot's moment, under the definitions before.

    The stored ones, unless timers are due that nobody has fired yet.
    """
    overdue = select(func.count()).where(timer.c.segment == key, timer.c.due <= snapshot.at)
    if segment is not None and snapshot.reader.select(overdue)[0][0]:
        return frozenset(_bulk(snapshot, segment, snapshot.before))
    stored = select(membership.c.profile).where(membership.c.segment == key)
    return frozenset(ProfileKey(row[0]) for row in snapshot.reader.select(stored))


def _stored(snapshot: Snapshot) -> set[str]:
    """The segments that have members: of a space whose versions were not kept yet."""
    return {row[0] for row in snapshot.reader.select(select(membership.c.segment).distinct())}


def _reads(segment: LiveSegment, traits: frozenset[str]) -> bool:
    return not traits.isdisjoint(segment.rule.mentions.traits)


def _bulk(snapshot: Snapshot, segment: LiveSegment, composition: Composition) -> list[ProfileKey]:
    reader = snapshot.reader_after if composition is snapshot.after else snapshot.reader
    return bulk_of(composition).members(reader, segment, snapshot.at)
