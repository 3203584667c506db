"""People who are in segments, for tests of destinations that need no identity behind them."""

from collections.abc import Iterator

from cauce.activate.needs import Member
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey


class People:
    """Who is in which segment; ``put`` and ``take`` change it."""

    def __init__(self) -> None:
        self.segments: dict[str, dict[int, Member]] = {}
        self.purposes: set[str] = set()

    def put(self, number: int, since: int, segment: str = "buyers", **traits: object) -> None:
        self.segments.setdefault(segment, {})[number] = Member(
            profile=ProfileKey(number),
            profile_id=f"p{number}",
            identifiers=(Identifier("user_id", f"u{number}"), Identifier("email", f"{number}@example.org")),
            since=Moment(since),
            trait=traits.get,
        )

    def take(self, number: int, segment: str = "buyers") -> None:
        del self.segments[segment][number]

    def of(self, reader, segment, *, purpose, after=0, traits=False) -> Iterator[list[Member]]:
        self.purposes.add(purpose)
        numbers = sorted(number for number in self.segments.get(segment, {}) if number > after)
        for first in range(0, len(numbers), 3):
            yield [self.segments[segment][number] for number in numbers[first : first + 3]]
