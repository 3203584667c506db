"""Backoff: when a failed delivery is tried again, and when it is given up."""

from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import ceil

from cauce.activate.settings import ActivateSettings
from cauce.vocabulary.moment import HOUR, SECOND, Moment, from_datetime


def wait(tries: int, settings: ActivateSettings, random: Callable[[], float]) -> int:
    """Microseconds to wait after the ``tries``-th failed attempt (the first is 1).

    Exponential with equal jitter: between half and the whole of
    ``backoff_seconds`` · 2^(tries − 1), at most ``backoff_limit_seconds``.
    ``random`` gives numbers in [0, 1).
    """
    limit = settings.backoff_limit_seconds
    whole = min(limit, settings.backoff_seconds * 2.0 ** min(tries - 1, 62))
    return ceil((whole / 2 + whole / 2 * random()) * SECOND)


def retry_after(value: str, now: Moment, settings: ActivateSettings) -> int:
    """Microseconds that a ``Retry-After`` header asks for: whole seconds or an HTTP date (RFC 9110).

    0 if there is none, if it is malformed or past; at most ``backoff_limit_seconds``.
    """
    text = value.strip()
    if not text:
        return 0
    if text.isascii() and text.isdigit():
        asked = int(text[:12]) * SECOND
    else:
        asked = _until(text, now)
    return max(0, min(asked, ceil(settings.backoff_limit_seconds * SECOND)))


def _until(text: str, now: Moment) -> int:
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return 0
    return from_datetime(when if when.tzinfo else when.replace(tzinfo=UTC)) - now


def given_up(tries: int, begun: Moment, next_due: Moment, settings: ActivateSettings) -> bool:
    """Whether ``tries`` failed attempts since ``begun`` are enough, the next being due at ``next_due``."""
    return tries >= settings.max_attempts or next_due - begun > settings.max_age_hours * HOUR
