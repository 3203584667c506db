"""What the profile stage asks of identity."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from cauce.storage.records import Reader
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.profile import Described, ProfileKey


class People(Protocol):
    """Finds and describes people in one identity view."""

    def find(self, reader: Reader, identifier: Identifier) -> ProfileKey | None:
        """The profile that has a normalized identifier."""

    def describe(self, reader: Reader, profiles: Sequence[ProfileKey]) -> Mapping[ProfileKey, Described]:
        """Who these profiles are."""

    def owners(self, reader: Reader, signatures: Sequence[int]) -> Mapping[int, ProfileKey]:
        """The profile that each of these signatures belongs to; those of nobody are left out."""
