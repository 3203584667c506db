"""Pace: how many requests a destination may be sent now."""

_BURST_SECONDS = 0.08
"""How much of what late wake-ups missed is caught up: so five seconds see at most 1.6 % too much."""


class Pace:
    """A token bucket of one destination; times are seconds of a clock that never jumps.

    It begins with one request and holds one and those of 0.08 seconds: a loop that
    wakes a little late keeps the rate, and no window of ``s`` seconds sees more than
    ``rate`` · (``s`` + 0.08) + 1 requests begin.
    """

    def __init__(self, rate: int, now: float) -> None:
        self._rate = rate
        self._most = 1.0 + rate * _BURST_SECONDS
        self._tokens = 1.0
        self._filled = now
        self._held_until = now

    def available(self, now: float) -> int:
        """How many requests may begin now."""
        self._tokens = min(self._most, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        return 0 if now < self._held_until else int(self._tokens + 1e-9)

    def pause(self, now: float) -> float:
        """Seconds until a request may begin; 0 if one may begin now."""
        if self.available(now):
            return 0.0
        return max((1.0 - self._tokens) / self._rate, self._held_until - now, 0.0)

    def take(self, requests: int) -> None:
        """Count requests that begin now."""
        self._tokens -= requests

    def hold(self, until: float) -> None:
        """Begin no request before ``until``: the destination asked for a pause."""
        self._held_until = max(self._held_until, until)
