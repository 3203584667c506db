"""Health: a destination that fails again and again is left alone for a while.

Without it, one that is down would be sent everything that is queued for it, at the
cost of its neighbours, and each of these attempts would count.
"""

from cauce.activate.answers import Answer
from cauce.activate.delivery import Outcome
from cauce.activate.settings import ActivateSettings

_FAULTS = frozenset({Outcome.FAILED, Outcome.UNKNOWN})


class Health:
    """Counts attempts that failed in a row; times are seconds of a clock that never jumps.

    After ``failures_before_pause`` there is a pause; then one call at a time is
    tried, and each further failure doubles the pause up to ``pause_limit_seconds``.
    A success ends all that. An answer that asks for a pause of its own
    (``Retry-After``) is no failure here.
    """

    def __init__(self, settings: ActivateSettings) -> None:
        self._settings = settings
        self._failures = 0
        self._pauses = 0
        self._until = 0.0

    @property
    def failing(self) -> bool:
        """Whether the destination is taken for down."""
        return self._pauses > 0

    def calls(self, now: float, under_way: int, most: int) -> int:
        """How many more calls may begin now."""
        if not self._pauses:
            return most - under_way
        return 0 if under_way or now < self._until else 1

    def pause(self, now: float) -> float:
        """Seconds until a call may begin."""
        return max(0.0, self._until - now)

    def ended(self, answer: Answer, now: float) -> None:
        """Take note of what came of an attempt."""
        if answer.outcome not in _FAULTS:
            self._failures = self._pauses = 0
            self._until = 0.0
        elif not answer.retry_after and now >= self._until:
            self._failures += 1
            if self._failures >= self._settings.failures_before_pause:
                pause = self._settings.backoff_seconds * 2.0 ** min(self._pauses, 60)
                self._until = now + min(pause, self._settings.pause_limit_seconds)
                self._pauses += 1
