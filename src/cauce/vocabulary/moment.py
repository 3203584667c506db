"""Moments: points in time, aware and in UTC.

Between the edges a moment is a whole number of microseconds since
1970-01-01T00:00:00Z. It has no zone to forget, it compares and subtracts
exactly, and every engine stores it as a 64-bit integer.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NewType

Moment = NewType("Moment", int)
"""Microseconds since 1970-01-01T00:00:00Z."""

Clock = Callable[[], Moment]
"""Gives the present moment. Handed in, so that tests can fix it."""

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def from_datetime(when: datetime) -> Moment:
    """The moment of an aware datetime; a naive one raises ``ValueError``."""
    if when.tzinfo is None:
        raise ValueError("a datetime without zone names no moment")
    return Moment((when - _EPOCH) // _MICROSECOND)


def to_datetime(moment: Moment) -> datetime:
    """The aware UTC datetime of a moment."""
    return _EPOCH + timedelta(microseconds=moment)


def to_iso(moment: Moment) -> str:
    """ISO 8601 in UTC with milliseconds, or microseconds where there are any."""
    when = to_datetime(moment)
    spec = "milliseconds" if moment % 1000 == 0 else "microseconds"
    return when.isoformat(timespec=spec).replace("+00:00", "Z")


def iso_or_none(moment: Moment | None) -> str | None:
    """The same text; None where there is no moment."""
    return None if moment is None else to_iso(moment)


def parse_iso(text: str) -> Moment | None:
    """The moment an ISO 8601 text names; None without a zone or if malformed.

    A date without clock is its midnight UTC (``language.md`` rule 5). Digits
    below the microsecond are dropped.
    """
    try:
        when = datetime.fromisoformat(text)
        if when.tzinfo is None:
            if len(text) > 10:
                return None
            when = when.replace(tzinfo=UTC)
        since = when - _EPOCH
        return Moment(since.days * DAY + since.seconds * SECOND + since.microseconds)
    except (ValueError, OverflowError):
        return None


def now() -> Moment:
    """The present moment by the machine's clock."""
    return from_datetime(datetime.now(UTC))
