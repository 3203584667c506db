"""Schedules: at which moments something is due, as a function of the clock alone.

``every N minutes|hours|days`` is due at whole multiples of that span since
1970-01-01T00:00Z, the others at a time of day in a time zone, UTC if none is
named. A time that a change to summer time leaves out is due as much later as the
clock was put forward; one that comes twice is due the first time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cauce.vocabulary.moment import DAY, HOUR, SECOND, Moment, from_datetime, to_datetime
from cauce.vocabulary.nearest import did_you_mean

_SPANS = {"minute": 60 * SECOND, "hour": HOUR, "day": DAY}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MOST_DAYS = 33
"""Days within which every calendar schedule is due at least once."""


class Schedule(Protocol):
    """When something is due."""

    def latest(self, now: Moment) -> Moment:
        """The last moment at which it was due, at or before ``now``."""

    def next(self, now: Moment) -> Moment:
        """The first moment after ``now`` at which it is due."""


@dataclass(frozen=True, slots=True)
class Every:
    """Due at each whole multiple of ``span`` microseconds."""

    span: int

    def latest(self, now: Moment) -> Moment:
        """The last multiple."""
        return Moment(now // self.span * self.span)

    def next(self, now: Moment) -> Moment:
        """The next multiple."""
        return Moment(self.latest(now) + self.span)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Due at a time of day, on every day, on one weekday (0 is Monday) or on one day of the month."""

    hour: int
    minute: int
    zone: ZoneInfo
    weekday: int | None = None
    day: int | None = None

    def latest(self, now: Moment) -> Moment:
        """The last such time."""
        today = to_datetime(now).astimezone(self.zone).date()
        days = (today - timedelta(days=back) for back in range(-1, _MOST_DAYS))
        return next(found for one in days if self._fits(one) and (found := self._on(one)) <= now)

    def next(self, now: Moment) -> Moment:
        """The next such time."""
        today = to_datetime(now).astimezone(self.zone).date()
        days = (today + timedelta(days=on) for on in range(-1, _MOST_DAYS))
        return next(found for one in days if self._fits(one) and (found := self._on(one)) > now)

    def _fits(self, day: date) -> bool:
        if self.weekday is not None:
            return day.weekday() == self.weekday
        return self.day is None or day.day == self.day

    def _on(self, day: date) -> Moment:
        local = datetime(day.year, day.month, day.day, self.hour, self.minute, tzinfo=self.zone)
        return from_datetime(local.astimezone(UTC))


def read_schedule(text: str) -> Schedule:
    """The schedule that a text names; raises ``ValueError`` with what is wrong with it."""
    words = text.split()
    if words == ["hourly"]:
        return Every(HOUR)
    if words[0] == "every":
        return Every(int(words[1]) * _SPANS[words[2].removesuffix("s")])
    at = words.index("at")
    hour, minute = map(int, words[at + 1].split(":"))
    if hour > 23 or minute > 59:
        raise ValueError(f"there is no time {words[at + 1]}. Write 00:00 to 23:59.")
    zone = _zone(words[at + 2] if len(words) > at + 2 else "UTC")
    if words[0] == "weekly":
        return Calendar(hour, minute, zone, weekday=_weekday(words[2]))
    if words[0] == "monthly":
        return Calendar(hour, minute, zone, day=_day(words[2]))
    return Calendar(hour, minute, zone)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name}. Write one such as Europe/Madrid.") from error


def _weekday(name: str) -> int:
    if name not in _WEEKDAYS:
        raise ValueError(f"there is no day {name}. {did_you_mean(name, _WEEKDAYS)}")
    return _WEEKDAYS.index(name)


def _day(text: str) -> int:
    if int(text) > 28:
        raise ValueError("not every month has that day. Write a day from 1 to 28.")
    return int(text)
