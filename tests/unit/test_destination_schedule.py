"""Schedules as functions of the clock, and what is no schedule."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauce.activate.schedule import read_schedule
from cauce.vocabulary.moment import DAY, HOUR, SECOND, Moment, parse_iso, to_iso

TEXTS = [
    "every 1 minute",
    "every 7 minutes",
    "every 6 hours",
    "every 3 days",
    "hourly",
    "daily at 03:00",
    "daily at 23:59 America/St_Johns",
    "weekly on monday at 06:30 Europe/Madrid",
    "monthly on 28 at 00:00",
]


@pytest.mark.parametrize(
    ("text", "now", "latest", "next_"),
    [
        ("every 15 minutes", "2026-03-01T12:14:59Z", "2026-03-01T12:00:00.000Z", "2026-03-01T12:15:00.000Z"),
        ("hourly", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000Z", "2026-03-01T13:00:00.000Z"),
        ("daily at 03:00", "2026-03-01T02:59:59Z", "2026-02-28T03:00:00.000Z", "2026-03-01T03:00:00.000Z"),
        (
            "daily at 03:00 Europe/Madrid",
            "2026-07-01T01:00:00Z",
            "2026-07-01T01:00:00.000Z",
            "2026-07-02T01:00:00.000Z",
        ),
        (
            "weekly on sunday at 06:30",
            "2026-03-04T00:00:00Z",
            "2026-03-01T06:30:00.000Z",
            "2026-03-08T06:30:00.000Z",
        ),
        (
            "monthly on 15 at 00:00",
            "2026-03-14T00:00:00Z",
            "2026-02-15T00:00:00.000Z",
            "2026-03-15T00:00:00.000Z",
        ),
    ],
)
def test_when_it_is_due(text, now, latest, next_):
    schedule, moment = read_schedule(text), parse_iso(now)
    assert (to_iso(schedule.latest(moment)), to_iso(schedule.next(moment))) == (latest, next_)


def test_a_time_that_summer_time_leaves_out_and_one_that_comes_twice_are_due_once_a_day():
    schedule = read_schedule("daily at 02:30 Europe/Madrid")
    moment, due = parse_iso("2026-03-27T12:00:00Z"), []
    while moment < parse_iso("2026-11-01T00:00:00Z"):
        moment = schedule.next(moment)
        due.append(moment)
    around = [to_iso(one) for one in due if to_iso(one)[:10] in ("2026-03-29", "2026-10-25")]
    assert around == ["2026-03-29T01:30:00.000Z", "2026-10-25T00:30:00.000Z"]
    assert {round((b - a) / HOUR) for a, b in itertools.pairwise(due)} == {23, 24, 25}


@given(st.sampled_from(TEXTS), st.integers(0, 4_000_000_000).map(lambda s: Moment(s * SECOND)))
def test_the_last_and_the_next_moment_enclose_now_and_nothing_lies_between(text, now):
    schedule = read_schedule(text)
    latest, following = schedule.latest(now), schedule.next(now)
    assert latest <= now < following <= latest + 32 * DAY
    assert schedule.latest(following) == following and schedule.latest(Moment(following - 1)) == latest


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("daily at 25:00", "there is no time 25:00"),
        ("daily at 03:00 Europe/Madird", "there is no time zone Europe/Madird"),
        ("weekly on mnday at 03:00", "Did you mean monday?"),
        ("monthly on 31 at 03:00", "not every month has that day"),
    ],
)
def test_what_is_no_schedule(text, says):
    with pytest.raises(ValueError, match=says.replace("?", r"\?")):
        read_schedule(text)
