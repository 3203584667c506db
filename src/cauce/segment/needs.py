"""What the segment stage asks of identity and profiles."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from cauce.storage.records import Reader
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.language import Person
from cauce.vocabulary.profile import Described, ProfileKey


class Who(Protocol):
    """Answers who a profile is, within one micro-batch."""

    def profile_id(self, profile: ProfileKey) -> str:
        """Her public id; also of a profile that is gone."""

    def identifier_types(self, profile: ProfileKey) -> frozenset[str]:
        """The types of her identifiers."""

    def identifiers(self, profile: ProfileKey) -> tuple[Identifier, ...]:
        """Her identifiers, strongest first; empty if the profile is gone."""


class Known(Person, Protocol):
    """A person of whom it is known what there is to read."""

    def event_names(self) -> Iterable[str]:
        """The names of her events."""

    def trait_names(self) -> Iterable[str]:
        """The traits that were ever asserted of her."""


class People(Protocol):
    """Finds and describes people in one identity view."""

    def find(self, reader: Reader, identifier: Identifier) -> ProfileKey | None:
        """The profile that has a normalized identifier."""

    def describe(self, reader: Reader, profiles: Sequence[ProfileKey]) -> Mapping[ProfileKey, Described]:
        """Who these profiles are."""


class PersonReader(Protocol):
    """Gives people as rules see them."""

    def person(self, reader: Reader, signatures: Sequence[int]) -> Person:
        """The person whose events carried these signatures."""


class Doubts(Protocol):
    """Knows which people may be one person, though the view has them apart."""

    def candidates(self, reader: Reader, profile: ProfileKey) -> Sequence[ProfileKey] | None:
        """The profiles that may be the same person as this one, likeliest first; None if nobody looked."""

    def everybody(self, reader: Reader) -> Sequence[ProfileKey] | None:
        """The profiles that have candidates, ascending; None if nobody looked."""
