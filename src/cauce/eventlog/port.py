"""The port for the log of events: append durably, read in order, seal."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from cauce.vocabulary.event import Accepted, Logged, Position, Refused
from cauce.vocabulary.moment import Moment


class Outcome(StrEnum):
    """What became of one appended event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICTING_REPEAT = "conflicting_repeat"


class Tick(NamedTuple):
    """A promise of the log: every event after ``head`` is received at ``moment`` or later."""

    moment: Moment
    head: Position


class Quarantined(NamedTuple):
    """Refused input as kept: when it came, from where, and why it was refused."""

    number: int
    received: Moment
    source: str
    reason: str
    detail: str
    body: bytes


class EventLog(Protocol):
    """The log of a space. Its order is the order of positions, and ``received`` never falls along it."""

    def append(self, events: Sequence[Accepted], refused: Sequence[Refused], *, now: Moment) -> list[Outcome]:
        """Append durably; an outcome for each of ``events``, in order.

        A message id that the log holds already, with the same content, is a
        duplicate; with other content it goes to quarantine as a conflicting
        repeat. Raises ``Transient`` if the log is locked or out of space; then
        nothing was appended.
        """

    def read(self, after: Position, limit: int) -> list[Logged]:
        """Up to ``limit`` events with positions above ``after``, in order, each message id once."""

    def head(self) -> Position:
        """The last position that is visible; 0 if the log is empty."""

    def tick(self, now: Moment) -> Tick:
        """Fix the present: later appends are received at the returned moment or later."""

    def quarantined(self, *, after: int = 0, limit: int = 100) -> list[Quarantined]:
        """Refused input in the order of its numbers, above ``after``."""

    def close(self) -> None:
        """Release files and connections."""
