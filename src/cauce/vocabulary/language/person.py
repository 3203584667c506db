"""What a rule looks at, and what it says: persons, timeline entries, verdicts and reasons."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from cauce.vocabulary.moment import Moment


class Entry(NamedTuple):
    """One event on a person's timeline.

    ``properties`` holds at least the paths that rules mention (``reduce_properties``),
    numbers with a point or an exponent as ``Decimal``.
    """

    time: Moment
    received: Moment
    message_id: str
    source: str
    properties: dict[str, Any]


class Person(Protocol):
    """A person as rules see her. Names of traits and events are in Unicode NFC."""

    def trait(self, name: str) -> Any:
        """The golden value of a trait as decoded JSON; None if she has none."""

    def events(self, name: str) -> Sequence[Entry]:
        """Her events of that name in the order of time, received, message id; also those still to come."""


class Folded(NamedTuple):
    """Entries dropped from a timeline because there were too many, and the greatest time among them."""

    entries: int
    upto: Moment


@runtime_checkable
class Bounded(Protocol):
    """A person of whom not everything is kept: what is missing where."""

    def folded(self, name: str) -> Folded | None:
        """What her timeline dropped of the events of that name; None if nothing."""

    def approximate_trait(self, name: str) -> bool:
        """Whether assertions that might have counted for a trait were folded away."""


class Verdict(NamedTuple):
    """Whether a rule holds, and the earliest later moment at which that could change by itself.

    ``until`` is None if only a new event can change the verdict. It may be too
    early (then the verdict there is the same), never too late.
    """

    holds: bool
    until: Moment | None


class Reason(NamedTuple):
    """Why a condition holds or not; ``reasons`` are those of its parts.

    ``text`` is the condition, ``evidence`` a sentence with the values that
    decided, ``message_ids`` the newest events that it comes from (10 at most).
    ``approximate``: events or values that might count are no longer kept.
    """

    text: str
    holds: bool
    until: Moment | None
    evidence: str
    message_ids: tuple[str, ...]
    reasons: "tuple[Reason, ...]"
    approximate: bool = False
