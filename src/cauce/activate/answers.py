"""Answers: what an HTTP status means for a delivery."""

from typing import NamedTuple

from cauce.activate.delivery import Outcome

_PASSING = frozenset({408, 409, 425, 429})
"""Client errors that pass: request timeout, the same key still being worked on, too early, too many."""


class Answer(NamedTuple):
    """What came of one attempt; ``status`` and ``retry_after`` only where there was an answer.

    ``error`` is a short sentence without personal data, empty if it was delivered.
    """

    outcome: Outcome
    status: int | None = None
    error: str = ""
    retry_after: str = ""


def judge(status: int, retry_after: str = "") -> Answer:
    """What an HTTP status means: 2xx delivered, 5xx and a few 4xx for now not, all else never.

    A redirect is never followed: its target was not written down by the owner
    of the destination. 409 is what the draft of the ``Idempotency-Key`` header
    answers while an earlier request with the same key is under way.
    """
    if 200 <= status < 300:
        return Answer(Outcome.DELIVERED, status)
    if status >= 500 or status in _PASSING:
        return Answer(Outcome.FAILED, status, f"answered {status}", retry_after)
    if 300 <= status < 400:
        return Answer(Outcome.REFUSED, status, f"answered {status}; redirects are not followed")
    return Answer(Outcome.REFUSED, status, f"answered {status}")
