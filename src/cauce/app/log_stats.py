"""How far the log and its folding have come."""

import msgspec

from cauce.app.compose import Composition
from cauce.app.pipeline import LOG
from cauce.vocabulary.event import Position
from cauce.vocabulary.moment import SECOND, Moment


class LogStats(msgspec.Struct, frozen=True, kw_only=True):
    """Positions of the log's end and of the fold; inputs in quarantine by reason.

    ``behind_seconds`` is the age of the oldest event that waits to be folded;
    None if none waits.
    """

    head: int
    folded: int
    behind_seconds: float | None
    quarantine: dict[str, int]


def log_stats(composition: Composition, now: Moment) -> LogStats:
    """The figures at this moment."""
    log = composition.log
    with composition.state.read() as reader:
        folded = reader.progress(LOG)
    waiting = log.read(Position(folded), 1)
    return LogStats(
        head=log.head(),
        folded=folded,
        behind_seconds=max(0, now - waiting[0].received) / SECOND if waiting else None,
        quarantine=log.quarantine_counts(),
    )
