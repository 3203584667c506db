"""What the activate stage asks of segments, identity and profiles: who is in a segment now."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from cauce.storage.records import Reader
from cauce.vocabulary.access import Purpose
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey


class Member(NamedTuple):
    """A person in a segment: since when, by which identifiers, strongest first, and her traits."""

    profile: ProfileKey
    profile_id: str
    identifiers: tuple[Identifier, ...]
    since: Moment
    trait: Callable[[str], Any]


class Members(Protocol):
    """Reads who is in a segment."""

    def of(
        self, reader: Reader, segment: str, *, purpose: Purpose, after: int = 0, traits: bool = False
    ) -> Iterator[list[Member]]:
        """The members with profile keys above ``after``, ascending, some at a time.

        Without ``traits`` nobody seems to have any. Raises ``NotAllowed`` if
        nothing may be read for this purpose.
        """
