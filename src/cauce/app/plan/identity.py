"""Identity that makes other people: what that would mean, and the state derived anew that is swapped in."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import func, select

from cauce.app.compose import Composition
from cauce.app.in_force import makes_other_people, normalizes_otherwise, under_applied
from cauce.app.plan.deliveries import waiting
from cauce.app.plan.differences import differences
from cauce.app.plan.identity_model import SegmentSize, WhatIf
from cauce.app.plan.identity_what_if import what_if
from cauce.app.plan.model import NAMED, Told
from cauce.app.plan.snapshot import Snapshot
from cauce.app.rebuild.differences import Differences
from cauce.app.rebuild.shadow import Shadow, find, shadow
from cauce.identity.stored_facts import STATEMENTS
from cauce.segment.records import membership
from cauce.storage.records import Reader
from cauce.storage.stores import Other
from cauce.vocabulary.errors import Conflict, NotFound

BY_REBUILD = (
    "Identity makes other people of the same events, and other definitions change too, so the state was "
    "derived anew beside the live one. Applying swaps it; all counts compare the two states."
)
BY_SHADOW = (
    "Identity makes other people of the same events. Applying derives the state anew beside the live one "
    "and swaps it; until then nothing changes, and `cauce rollback` swaps back."
)

_LOOKED_AT = frozenset({"identity", "sources"})
"""The kinds of definitions of which the evidence in the state tells all that they change."""


class OtherPeople(NamedTuple):
    """What other people mean, and what destinations are told; ``rebuilt`` if a state was derived anew."""

    what_if: WhatIf
    deliveries: list[Told]
    rebuilt: Differences | None


def other_people(snapshot: Snapshot, meanings: Mapping[str, str]) -> OtherPeople:
    """What identity that makes other people of the same events would mean.

    Rules alone are tried on the evidence that the state has. If segments, traits or the
    normalization of identifiers change too, a state is derived anew, and kept for applying.
    """
    before, after, live = snapshot.before, snapshot.after, snapshot.reader
    if _rules_alone(snapshot):
        found = what_if(before, after, live, snapshot.clock, meanings=meanings)
        return OtherPeople(found, _told(snapshot, found.segments), None)
    made = shadow(before.with_definitions(after.definitions, before.applied + 1))
    with made.beside(NAMED) as (live, derived, rebuilt):
        segments = _sizes(live, rebuilt)
        found = what_if(
            before, after, live, snapshot.clock, derived=derived, segments=segments, meanings=meanings
        )
    return OtherPeople(found, _told(snapshot, segments), rebuilt)


def _rules_alone(snapshot: Snapshot) -> bool:
    """Whether the state holds all that the definitions after read."""
    changes = differences(snapshot.before.in_force, snapshot.after.in_force)
    if not {change.kind for change in changes} <= _LOOKED_AT:
        return False
    old, new = snapshot.before.identity.ruleset.purpose, snapshot.after.identity.ruleset.purpose
    if old != new and snapshot.reader.progress(STATEMENTS):
        return False  # which events consent allows is kept for the purpose of old alone
    return not normalizes_otherwise(snapshot.before, snapshot.after, snapshot.position)


def _sizes(live: Reader, rebuilt: Differences) -> list[SegmentSize]:
    """The segments of which a state that was derived anew has other members."""
    counted = select(membership.c.segment, func.count()).group_by(membership.c.segment)
    sizes: dict[str, int] = dict(live.select(counted))
    changed: dict[str, Counter[str]] = {}
    for effect in rebuilt.segments:
        changed.setdefault(effect.name, Counter())[effect.what] += effect.count
    return [
        SegmentSize(
            key, sizes.get(key, 0), sizes.get(key, 0) + n["entered"] - n["left"], n["entered"], n["left"]
        )
        for key, n in sorted(changed.items())
    ]


def _told(snapshot: Snapshot, segments: Iterable[SegmentSize]) -> list[Told]:
    """The deliveries of each destination, by name."""
    entering: Counter[str] = Counter()
    leaving: Counter[str] = Counter()
    owed = snapshot.after.pipeline.activation.destinations
    for one in segments:
        for name in owed.get(one.segment, ()):
            entering[name] += one.entering
            leaving[name] += one.leaving
    gone = snapshot.before.in_force.destinations.keys() - snapshot.after.in_force.destinations.keys()
    dropped = waiting(snapshot.reader, gone)
    touched = {*+entering, *+leaving, *dropped}
    return [Told(name, entering[name], leaving[name], dropped.get(name, 0)) for name in sorted(touched)]


def swap_if_needed(composition: Composition) -> Differences | None:
    """Derive the state anew and swap it, if the applied version makes other people; None if it does not.

    What a plan derived is taken, if it fits.
    """
    current = composition.renewed()
    target = under_applied(current)
    with current.state.read() as reader:
        if not makes_other_people(current, target, reader):
            return None
    return _ready(target).swap()


def _ready(target: Composition) -> Shadow:
    try:
        return find(target, Other.SHADOW)
    except (NotFound, Conflict):
        return shadow(target)
