"""The door to profiles: fold a batch, read a golden record and say why."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from cauce.profile.computed import Computed, with_computed, with_reasons
from cauce.profile.fragment import Fragment, Keeps, decode
from cauce.profile.golden import GoldenValue, TraitReason, golden_record, reasons
from cauce.profile.group_session import GroupSession
from cauce.profile.groups import GroupMembership, memberships
from cauce.profile.loaded import LoadedProfiles
from cauce.profile.needs import People
from cauce.profile.person import Person
from cauce.profile.records import fragment as fragment_table
from cauce.profile.replaced import address_entries, replacements
from cauce.profile.session import ProfileSession, Recorded, merged
from cauce.profile.survivorship import ADDRESSES, COMPUTED, FORMAT, Survivorship
from cauce.storage.records import Reader, Records, Transaction
from cauce.vocabulary.access import Access, Purpose, Viewer
from cauce.vocabulary.address_events import RECORDED
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.language import ComputedTrait, Reduction
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A golden record; ``groups`` by group id; ``why`` is filled when asked for."""

    key: ProfileKey
    profile_id: str
    identifiers: list[Identifier]
    traits: dict[str, GoldenValue]
    groups: dict[str, GroupMembership] = {}
    why: dict[str, TraitReason] | None = None


class Profiles:
    """Golden records of one identity view, under the survivorship rule of each trait."""

    def __init__(
        self,
        records: Records,
        people: People,
        rules: Mapping[str, Survivorship],
        access: Access,
        computed: Mapping[str, ComputedTrait] | None = None,
    ) -> None:
        self._records = records
        self._people = people
        self.rules = self._rules = rules
        self._access = access
        self.keeps: Keeps = {name: how.keep for name, how in rules.items() if how.keep is not None}
        """What fragments keep beyond the newest values, by trait."""
        self._computed = computed or {}
        self.read_by_rules: Recorded = {}
        """The events and paths that computed traits read."""
        for trait in self._computed.values():
            self.read_by_rules = merged(self.read_by_rules, trait.mentions.events)
        self.recorded: Recorded = merged(self.read_by_rules, RECORDED)
        """These, and the events about addresses."""
        self.versions = {FORMAT: "2", ADDRESSES: f"{COMPUTED}1"} | self._versions()
        """What decides on the traits that are defined, as text: two versions differ if values could."""

    def _versions(self) -> dict[str, str]:
        asserted = {name: str(how) for name, how in self.rules.items() if how != Survivorship()}
        return asserted | {name: f"{COMPUTED}{trait}" for name, trait in self._computed.items()}

    @property
    def expressions(self) -> dict[str, Reduction]:
        """What stands in rules in the place of each computed trait."""
        return {name: trait.reduction for name, trait in self._computed.items()}

    def begin(
        self, transaction: Transaction, recorded: Recorded, *, stored_upto: int | None = None
    ) -> ProfileSession:
        """Start a micro-batch that records the events and paths that live rules read.

        Signatures above ``stored_upto`` are known to have nothing stored.
        """
        groups = GroupSession(transaction, self.keeps)
        return ProfileSession(transaction, recorded, self._rules, self.keeps, groups, stored_upto)

    def read(
        self, identifier: Identifier, *, at: Moment, purpose: Purpose, viewer: Viewer, why: bool = False
    ) -> Profile | None:
        """The golden record of whoever has a normalized identifier; None if nobody has.

        Computed traits are those of the moment ``at``.

        Raises ``NotAllowed`` if the viewer may not read for this purpose.
        """
        self._access(viewer, "read", purpose)
        with self._records.read() as reader:
            key = self._people.find(reader, identifier)
            if key is None:
                return None
            described = self._people.describe(reader, [key])[key]
            fragments = _fragments(reader, described.signatures)
            groups = memberships(reader, described.signatures, self._rules)
            told = address_entries(reader, described.signatures)
            computed = self._compute(reader, described.signatures, at)
        replaced = replacements((one.name, one.entry) for one in told)
        return Profile(
            key=key,
            profile_id=described.profile_id,
            identifiers=list(described.identifiers),
            traits=with_computed(golden_record(fragments, self._rules, replaced), computed, at),
            groups=groups,
            why=with_reasons(reasons(fragments, self._rules, replaced), computed) if why else None,
        )

    def _compute(self, reader: Reader, signatures: Sequence[int], at: Moment) -> Computed:
        if not self._computed:
            return {}
        person = self.person(reader, signatures)
        return {name: (trait, trait.compute(person, at)) for name, trait in self._computed.items()}

    def person(self, reader: Reader, signatures: Sequence[int]) -> Person:
        """The person whose events carried these signatures, as rules see her."""
        return LoadedProfiles(reader, self._rules).person(signatures)

    def values(self, person: Person, at: Moment) -> Callable[[str], Any]:
        """What gives a person's value of a trait at a moment, asserted or computed; None if she has none."""
        computed = self._computed

        def value(name: str) -> Any:
            trait = computed.get(name)
            return person.trait(name) if trait is None else trait.value(person, at)

        return value

    def persons(
        self, reader: Reader, signatures: Mapping[ProfileKey, Sequence[int]]
    ) -> dict[ProfileKey, Person]:
        """Many people at once, read in a few queries."""
        loaded = LoadedProfiles(reader, self._rules)
        loaded.load(number for numbers in signatures.values() for number in numbers)
        return {profile: loaded.person(numbers) for profile, numbers in signatures.items()}


def _fragments(reader: Reader, signatures: Sequence[int]) -> list[Fragment]:
    return [decode(row[1]) for row in reader.rows(fragment_table, "signature", signatures)]
