"""The door to profiles: fold a batch, read a golden record and say why."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cauce.profile.fragment import Assertion, Fragment, assertions, decode
from cauce.profile.loaded import LoadedProfiles
from cauce.profile.needs import People
from cauce.profile.person import Person
from cauce.profile.records import fragment as fragment_table
from cauce.profile.session import ProfileSession, Recorded
from cauce.profile.survivorship import Survivorship, losers, survivor
from cauce.storage.records import Reader, Records, Transaction
from cauce.vocabulary.access import Access, Purpose, Viewer
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.profile import ProfileKey

_NEWEST = Survivorship()


class GoldenValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value and where it comes from; ``time`` and ``received`` in µs since 1970 UTC."""

    value: Any
    source: str
    time: int
    received: int
    message_id: str


class TraitReason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a trait has its value: the rule, and the values that lost, newest first."""

    rule: str
    lost: list[GoldenValue]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A golden record; ``why`` is filled when asked for."""

    key: ProfileKey
    profile_id: str
    identifiers: list[Identifier]
    traits: dict[str, GoldenValue]
    why: dict[str, TraitReason] | None = None


class Profiles:
    """Golden records of one identity view, under the survivorship rule of each trait."""

    def __init__(
        self, records: Records, people: People, rules: Mapping[str, Survivorship], access: Access
    ) -> None:
        self._records = records
        self._people = people
        self._rules = rules
        self._access = access

    def begin(
        self, transaction: Transaction, recorded: Recorded, *, stored_upto: int | None = None
    ) -> ProfileSession:
        """Start a micro-batch that records the events and paths that live rules read.

        Signatures above ``stored_upto`` are known to have nothing stored.
        """
        return ProfileSession(transaction, recorded, self._rules, stored_upto)

    def read(
        self, identifier: Identifier, *, purpose: Purpose, viewer: Viewer, why: bool = False
    ) -> Profile | None:
        """The golden record of whoever has a normalized identifier; None if nobody has.

        Raises ``NotAllowed`` if the viewer may not read for this purpose.
        """
        self._access(viewer, "read", purpose)
        with self._records.read() as reader:
            key = self._people.find(reader, identifier)
            if key is None:
                return None
            described = self._people.describe(reader, [key])[key]
            fragments = _fragments(reader, described.signatures)
        names = sorted({trait for fragment in fragments for trait in fragment})
        winners = {name: self._winner(fragments, name) for name in names}
        return Profile(
            key=key,
            profile_id=described.profile_id,
            identifiers=list(described.identifiers),
            traits={
                name: _golden(winner)
                for name, winner in winners.items()
                if winner is not None and winner.value is not None
            },
            why=self._reasons(fragments, winners) if why else None,
        )

    def person(self, reader: Reader, signatures: Sequence[int]) -> Person:
        """The person whose events carried these signatures, as rules see her."""
        return LoadedProfiles(reader, self._rules).person(signatures)

    def persons(
        self, reader: Reader, signatures: Mapping[ProfileKey, Sequence[int]]
    ) -> dict[ProfileKey, Person]:
        """Many people at once, read in a few queries."""
        loaded = LoadedProfiles(reader, self._rules)
        loaded.load(number for numbers in signatures.values() for number in numbers)
        return {profile: loaded.person(numbers) for profile, numbers in signatures.items()}

    def _winner(self, fragments: list[Fragment], name: str) -> Assertion | None:
        return survivor(assertions(fragments, name), self._rules.get(name, _NEWEST))

    def _reasons(
        self, fragments: list[Fragment], winners: Mapping[str, Assertion | None]
    ) -> dict[str, TraitReason]:
        return {
            name: TraitReason(
                rule=str(self._rules.get(name, _NEWEST)),
                lost=[_golden(one) for one in losers(assertions(fragments, name), winner)],
            )
            for name, winner in winners.items()
            if winner is not None
        }


def _fragments(reader: Reader, signatures: Sequence[int]) -> list[Fragment]:
    return [decode(row[2]) for row in reader.rows(fragment_table, "signature", signatures)]


def _golden(assertion: Assertion) -> GoldenValue:
    return GoldenValue(
        value=assertion.value,
        source=assertion.source,
        time=assertion.time,
        received=assertion.received,
        message_id=assertion.message_id,
    )
