"""Backoff: for every number of tries, every header and every random number."""

from datetime import UTC, datetime
from email.utils import format_datetime

from hypothesis import given
from hypothesis import strategies as st

from cauce.activate.backoff import given_up, retry_after, wait
from cauce.activate.settings import ActivateSettings
from cauce.vocabulary.moment import HOUR, SECOND, Moment, from_datetime

SETTINGS = st.builds(
    ActivateSettings,
    backoff_seconds=st.floats(0.001, 100),
    backoff_limit_seconds=st.floats(0.001, 100_000),
    max_attempts=st.integers(1, 1000),
    max_age_hours=st.integers(1, 1000),
)
NOW = from_datetime(datetime(2026, 3, 1, 12, tzinfo=UTC))


@given(st.integers(1, 10_000), SETTINGS, st.floats(0, 1, exclude_max=True))
def test_a_wait_is_between_half_and_the_whole_of_the_doubled_wait(tries, settings, random):
    asked = min(settings.backoff_seconds * 2 ** (min(tries, 200) - 1), settings.backoff_limit_seconds)
    waited = wait(tries, settings, lambda: random)
    assert asked / 2 * SECOND <= waited <= asked * SECOND + 1
    assert waited > 0


@given(st.integers(1, 500), SETTINGS)
def test_waits_never_get_shorter_and_jitter_spreads_them(tries, settings):
    assert wait(tries, settings, lambda: 0.5) <= wait(tries + 1, settings, lambda: 0.5)
    assert wait(tries, settings, lambda: 0.0) < wait(tries, settings, lambda: 0.999)


@given(st.text() | st.integers(-5, 10**30).map(str), SETTINGS)
def test_no_header_can_do_harm(header, settings):
    assert 0 <= retry_after(header, NOW, settings) <= settings.backoff_limit_seconds * SECOND + 1


@given(st.integers(0, 3600), st.sampled_from(["{}", " {} ", "00{}"]))
def test_seconds_are_taken_as_they_are(seconds, form):
    assert retry_after(form.format(seconds), NOW, ActivateSettings()) == seconds * SECOND


@given(st.integers(-10_000, 3600))
def test_dates_count_from_now(seconds):
    when = datetime.fromtimestamp(NOW // SECOND + seconds, UTC)
    header = format_datetime(when, usegmt=True)
    assert retry_after(header, NOW, ActivateSettings()) == max(0, seconds) * SECOND


@given(st.integers(1, 2000), st.integers(0, 2000), SETTINGS)
def test_it_is_given_up_by_number_or_by_age(tries, hours, settings):
    late = Moment(NOW + hours * HOUR)
    expected = tries >= settings.max_attempts or hours > settings.max_age_hours
    assert given_up(tries, NOW, late, settings) == expected
