"""A scenario: named people, the identifiers that matter, and what a resolver should make of them."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What an identifier is in truth."""

    OWN = "own"
    """One person's."""
    SHARED = "shared"
    """Used by several people in turn: belongs to whoever was last named on it."""
    MISTAKEN = "mistaken"
    """One person's, and by a slip somebody else typed it once."""
    NOBODY = "nobody"
    """Nobody's: junk, a role address, a kiosk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One of the e-mail scenarios of the demo, or a mishap of daily life.

    ``expected`` are the groups that deterministic rules should make of the
    scenario's identifiers (``type:value``, normalized); ``absent`` are values
    that should be nobody's identifier. ``knowable`` says whether that is the
    whole truth; if not, ``why`` says what is missing.
    """

    id: str
    title: str
    people: tuple[str, ...]
    expected: tuple[frozenset[str], ...]
    absent: frozenset[str] = frozenset()
    knowable: bool = True
    why: str = ""

    @property
    def identifiers(self) -> frozenset[str]:
        """All identifiers that the scenario asks about."""
        return frozenset().union(*self.expected) | self.absent


def group(*identifiers: str) -> frozenset[str]:
    """One expected profile: these identifiers and no other of the scenario."""
    return frozenset(identifiers)
