"""For whom the value of a trait would change."""

from typing import Any

from cauce.app.plan.model import Effect
from cauce.app.plan.snapshot import Snapshot
from cauce.vocabulary.profile import ProfileKey

_CHUNK = 5_000


def value_changes(snapshot: Snapshot, trait: str) -> Effect:
    """The people whose golden value of a trait differs under the definitions after."""
    found: dict[ProfileKey, tuple[Any, Any]] = {}
    people = snapshot.people
    for start in range(0, len(people), _CHUNK):
        signatures = {one.profile: list(one.signatures) for one in people[start : start + _CHUNK]}
        old = snapshot.before.profiles.persons(snapshot.reader, signatures)
        new = snapshot.after.profiles.persons(snapshot.reader_after, signatures)
        for profile, person in old.items():
            before, after = person.trait(trait), new[profile].trait(trait)
            if before != after or type(before) is not type(after):
                found[profile] = (before, after)
    return snapshot.effect("value changes", found, found)
