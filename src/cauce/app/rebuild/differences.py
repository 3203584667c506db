"""What a rebuilt state says otherwise than the live one: people, traits, segments, deliveries."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from cauce.app.pipeline import CLOCK, LOG, Pipeline
from cauce.app.rebuild.moves import Feeds, Moved
from cauce.app.rebuild.rows import COMPARED, Changed, changed_rows, same_numbers, translation
from cauce.identity import records as identity
from cauce.profile import records as profile
from cauce.segment.records import membership
from cauce.storage.records import Reader
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey

SAMPLE = 20
"""How many people are named for each kind of difference."""

_CHUNK = 2_000


class Example(msgspec.Struct, frozen=True):
    """Somebody whom a difference concerns: her public id and strongest identifier."""

    profile_id: str
    identifier: str


class Effect(msgspec.Struct, frozen=True):
    """How many people a kind of difference concerns, and the first of them.

    ``what``: merged, split or renamed (people); entered or left (a segment, by
    ``name``); changed (a trait, by ``name``).
    """

    what: str
    name: str
    count: int
    people: list[Example]


class Differences(msgspec.Struct, frozen=True):
    """How a rebuilt state differs from the live one at the same position and moment.

    ``rows``: table → rows that differ; empty if identifiers have other numbers, as
    nothing can be compared row by row then (``renumbered``). ``deliveries``:
    destination → what it would be told by a swap.
    """

    position: int
    at: int
    renumbered: bool
    rows: dict[str, int]
    people: list[Effect]
    traits: list[Effect]
    segments: list[Effect]
    deliveries: dict[str, int]

    @property
    def none(self) -> bool:
        """Whether the two states are the same."""
        return not (any(self.rows.values()) or self.people or self.traits or self.segments)


class MembershipDifference(NamedTuple):
    """Somebody who is in a segment in one state and not in the other, as numbered in the rebuilt one."""

    profile: ProfileKey
    segment: str
    entered: bool


class Comparison:
    """The live store and a rebuilt one, each at a snapshot; ``each`` is told of every row that differs."""

    def __init__(
        self,
        live: Reader,
        rebuilt: Reader,
        before: Pipeline,
        after: Pipeline,
        each: Callable[[Changed], None] = lambda _: None,
    ) -> None:
        self._live, self._rebuilt = live, rebuilt
        self._before, self._after = before, after
        self._each = each
        self.renumbered = not same_numbers(live, rebuilt)
        self._numbers = translation(live, rebuilt) if self.renumbered else None
        self._rows: Counter[str] = Counter()
        self._signatures: set[int] = set()
        self.memberships: list[MembershipDifference] = []
        self._moved: list[Moved] = []
        if self._numbers is None:
            self._compare_rows()
        else:
            self._compare_renumbered(self._numbers)

    def _compare_rows(self) -> None:
        for table in COMPARED:
            for one in changed_rows(self._live, self._rebuilt, table):
                self._rows[table.name] += 1
                self._each(one)
                self._note(one)

    def _note(self, one: Changed) -> None:
        if one.table is identity.members:
            old = one.before[2] if one.before else None
            new = one.after[2] if one.after else None
            if old != new:
                self._moved.append(Moved(one.key[0], one.key[1], old, new))
        elif one.table is membership:
            profile_, segment = one.key
            self.memberships.append(MembershipDifference(profile_, segment, entered=one.after is not None))
        elif one.table in (profile.fragment, profile.timeline):
            self._signatures.add(one.key[0])

    def _compare_renumbered(self, numbers: Mapping[int, int]) -> None:
        old = {
            (row[0], numbers[row[1]]): numbers[row[2]] for row in self._live.scan(identity.members.select())
        }
        new = {(row[0], row[1]): row[2] for row in self._rebuilt.scan(identity.members.select())}
        self._moved = [
            Moved(one[0], one[1], old.get(one), new.get(one))
            for one in sorted(old.keys() | new.keys())
            if old.get(one) != new.get(one)
        ]
        was = {(numbers[row[0]], row[1]) for row in self._live.scan(membership.select())}
        now = {(row[0], row[1]) for row in self._rebuilt.scan(membership.select())}
        self.memberships = [
            MembershipDifference(ProfileKey(one), segment, (one, segment) in now)
            for one, segment in sorted(was ^ now)
        ]

    @property
    def feeds(self) -> Feeds:
        """What a swap would do to the feeds."""
        return Feeds(self._moved, self._numbers)

    def differences(self, sample: int = SAMPLE) -> Differences:
        """What differs, with the first of those concerned named."""
        return Differences(
            position=self._rebuilt.progress(LOG),
            at=self._rebuilt.progress(CLOCK),
            renumbered=self.renumbered,
            rows={} if self.renumbered else {table.name: self._rows[table.name] for table in COMPARED},
            people=self._people(sample),
            traits=self._traits(sample),
            segments=self._segments(sample),
            deliveries=self._deliveries(),
        )

    def _people(self, sample: int) -> list[Effect]:
        """Who was merged, split or is only anchored by another identifier."""
        into: dict[int, set[int]] = {}
        out_of: dict[int, set[int]] = {}
        for old, new in self._whole_homes():
            into.setdefault(new, set()).add(old)
            out_of.setdefault(old, set()).add(new)
        merged = sorted(new for new, olds in into.items() if len(olds) > 1)
        split = sorted(old for old, news in out_of.items() if len(news) > 1)
        parts = sorted({new for old in split for new in out_of[old]})
        renamed = sorted(
            new
            for new, olds in into.items()
            if len(olds) == 1 and olds != {new} and len(out_of[next(iter(olds))]) == 1
        )
        found = (("merged", merged, merged), ("split", split, parts), ("renamed", renamed, renamed))
        return [
            Effect(what, "", len(counted), self._named(shown, sample))
            for what, counted, shown in found
            if counted
        ]

    def _whole_homes(self) -> Iterator[tuple[int, int]]:
        """Old and new profile of every identifier of the profiles in which one moved."""
        moved = [(old, new) for _, _, old, new in self._moved if old is not None and new is not None]
        concerned = {new for _, new in moved}
        yield from moved
        was = {old for old, _ in moved}
        gone = {old for old in was if old not in concerned}
        for profile_ in (concerned | was) - gone:
            if self._stays(profile_):
                yield profile_, profile_

    def _stays(self, profile_: int) -> bool:
        """Whether a profile's anchor is in it in both states."""
        return self._home(self._live, profile_, back=True) == profile_ == self._home(self._rebuilt, profile_)

    def _home(self, reader: Reader, number: int, *, back: bool = False) -> int | None:
        if self._numbers is not None and back:
            old = [one for one, new in self._numbers.items() if new == number]
            found = reader.rows(identity.members, "identifier", old)
            return self._numbers[found[0][2]] if found else None
        found = reader.rows(identity.members, "identifier", [number])
        return int(found[0][2]) if found else None

    def _traits(self, sample: int) -> list[Effect]:
        """Whose golden values differ, of those who are somebody in both states."""
        changed: dict[str, list[ProfileKey]] = {}
        for chunk in self._concerned():
            old, new = (
                self._golden(self._live, self._before, chunk),
                self._golden(self._rebuilt, self._after, chunk),
            )
            for key, values in new.items():
                known = old.get(key, values)
                for name in known.keys() | values.keys():
                    if known.get(name) != values.get(name):
                        changed.setdefault(name, []).append(key)
        return [
            Effect("changed", name, len(keys), self._named(keys, sample))
            for name, keys in sorted(changed.items())
        ]

    def _concerned(self) -> Iterator[list[ProfileKey]]:
        """The profiles whose golden values may differ."""
        everybody = self.renumbered or dict(self._before.profiles.versions) != dict(
            self._after.profiles.versions
        )
        found: list[ProfileKey] = []
        moved = {one.new for one in self._moved} | {one.old for one in self._moved}
        for _, key, _, _, owned in self._rebuilt.scan(identity.profiles.select()):
            hers = (
                everybody
                or key in moved
                or not self._signatures.isdisjoint(msgspec.json.decode(owned) if self._signatures else ())
            )
            if hers:
                found.append(key)
            if len(found) == _CHUNK:
                yield found
                found = []
        if found:
            yield found

    def _golden(
        self, reader: Reader, pipeline: Pipeline, people: Sequence[ProfileKey]
    ) -> dict[ProfileKey, dict[str, Any]]:
        keys: dict[ProfileKey, ProfileKey] = {key: key for key in people}
        if self._numbers is not None and reader is self._live:
            wanted = set(people)
            keys = {ProfileKey(old): ProfileKey(new) for old, new in self._numbers.items() if new in wanted}
        described = pipeline.identity.describe(reader, list(keys))
        signatures = {key: list(one.signatures) for key, one in described.items()}
        persons = pipeline.profiles.persons(reader, signatures)
        at, golden = Moment(self._rebuilt.progress(CLOCK)), {}
        for key, person in persons.items():
            value = pipeline.profiles.values(person, at)
            names = person.trait_names() | pipeline.profiles.expressions.keys()
            golden[keys[key]] = {name: found for name in names if (found := value(name)) is not None}
        return golden

    def _segments(self, sample: int) -> list[Effect]:
        found: dict[tuple[str, str], list[ProfileKey]] = {}
        for one in self.memberships:
            found.setdefault((one.segment, "entered" if one.entered else "left"), []).append(one.profile)
        return [
            Effect(what, segment, len(keys), self._named(keys, sample))
            for (segment, what), keys in sorted(found.items())
        ]

    def _deliveries(self) -> dict[str, int]:
        owed = self._after.activation.destinations
        counted = Counter(name for one in self.memberships for name in owed.get(one.segment, ()))
        return dict(sorted(counted.items()))

    def leaving_ids(self) -> dict[ProfileKey, str]:
        """The public ids, by which they are known until now, of those who leave a segment."""
        back = {new: old for old, new in self._numbers.items()} if self._numbers else {}
        keys = {
            ProfileKey(back.get(one.profile, one.profile)): one.profile
            for one in self.memberships
            if not one.entered
        }
        described = self._before.identity.describe(self._live, list(keys))
        return {keys[key]: one.profile_id for key, one in described.items()}

    def _named(self, people: Sequence[int], sample: int) -> list[Example]:
        """The first of some people, as the rebuilt state has them, or the live one if they are gone."""
        keys = [ProfileKey(one) for one in people[:sample]]
        known = self._after.identity.describe(self._rebuilt, keys)
        missing = [key for key in keys if key not in known]
        back = {new: old for old, new in self._numbers.items()} if self._numbers and missing else {}
        old = self._before.identity.describe(self._live, [ProfileKey(back.get(key, key)) for key in missing])
        return [Example(one.profile_id, str(one.identifiers[0])) for one in (*known.values(), *old.values())]
