"""Profiles: what identity calls one person, and how the stages name her to each other."""

from collections.abc import Sequence
from typing import NewType, Protocol

from cauce.vocabulary.identifier import Identifier

ProfileKey = NewType("ProfileKey", int)
"""A profile within one identity view: the integer id of its anchor identifier."""

SignatureKey = NewType("SignatureKey", int)
"""A signature: the integer id of one set of normalized identifiers that events carried."""


class Described(Protocol):
    """Who a profile is."""

    @property
    def profile_id(self) -> str:
        """Her public id."""

    @property
    def identifiers(self) -> Sequence[Identifier]:
        """Her identifiers, strongest first."""

    @property
    def signatures(self) -> Sequence[SignatureKey]:
        """The signatures whose events are hers, ascending."""
