"""For whom the value of a trait would change."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cauce.app.compose import Composition
from cauce.app.plan.model import Effect
from cauce.app.plan.snapshot import Snapshot
from cauce.app.segment_preview import bulk_of
from cauce.storage.records import Reader
from cauce.vocabulary.language import nfc
from cauce.vocabulary.profile import ProfileKey

_CHUNK = 5_000

Signatures = Mapping[ProfileKey, Sequence[int]]
Values = Callable[[Signatures], Mapping[ProfileKey, Any]]
"""Gives the value of a trait for some people; of those who have none, None or nothing."""


def value_changes(snapshot: Snapshot, trait: str) -> Effect:
    """The people whose value of a trait, asserted or computed, differs under the definitions after."""
    old = _values(snapshot, snapshot.before, snapshot.reader, nfc(trait))
    new = _values(snapshot, snapshot.after, snapshot.reader_after, nfc(trait))
    found: dict[ProfileKey, tuple[Any, Any]] = {}
    people = snapshot.people
    for start in range(0, len(people), _CHUNK):
        signatures = {one.profile: list(one.signatures) for one in people[start : start + _CHUNK]}
        were, will_be = old(signatures), new(signatures)
        for profile in signatures:
            before, after = were.get(profile), will_be.get(profile)
            if before != after or isinstance(before, bool) is not isinstance(after, bool):
                found[profile] = (before, after)
    return snapshot.effect("value changes", found, found)


def computed_otherwise(snapshot: Snapshot) -> list[str]:
    """The computed traits whose values may differ, by what they are made of or by what they read."""
    old, new = snapshot.before.computed, snapshot.after.computed
    others = snapshot.other_traits
    return [
        name
        for name in sorted(old.keys() & new.keys())
        if name in others or not others.isdisjoint(new[name].mentions.traits)
    ]


def _values(snapshot: Snapshot, composition: Composition, reader: Reader, trait: str) -> Values:
    """What ``Profiles.values`` gives at the snapshot's moment, for many people at once.

    Computed traits are taken in bulk from the log: timelines do not have the events
    of one that is not in force.
    """
    computed = composition.computed.get(trait)
    if computed is not None:
        found = bulk_of(composition).values(reader, computed, snapshot.at)
        return lambda _: found

    def asserted(signatures: Signatures) -> dict[ProfileKey, Any]:
        persons = composition.profiles.persons(reader, signatures)
        return {profile: person.trait(trait) for profile, person in persons.items()}

    return asserted
