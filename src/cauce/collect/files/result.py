"""What an import reports: while it runs, and when it is done."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from cauce.vocabulary.event import Accepted


class Progress(NamedTuple):
    """How far an import is.

    ``step`` is ``grouping`` (the first reading of a file whose lines are
    grouped) or ``importing``; ``done`` of ``total`` bytes of the file are read
    in this step, which are ``lines`` lines.
    """

    step: str
    lines: int
    done: int
    total: int


Report = Callable[[Progress], None]
"""Is told of the progress now and then."""


@dataclass
class ImportResult:
    """The count of a file's lines by what became of them; ``read`` is the sum of the other three.

    A line is a duplicate if it repeats an earlier one of its group, or if the
    log held its event already. ``events`` is the number of events that the
    accepted lines made. A record in several physical lines counts as one line;
    the header and empty lines do not count. ``reasons`` splits ``quarantined``.
    ``problem`` is a sentence if the file could not be read to its end; what
    could be read is imported. ``first_events`` are filled by a dry run only.
    """

    read: int = 0
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    events: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    problem: str = ""
    first_events: list[Accepted] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The five counts, as ``cauce import --json`` prints them."""
        return {
            "read": self.read,
            "accepted": self.accepted,
            "duplicate": self.duplicate,
            "quarantined": self.quarantined,
            "events": self.events,
        }
