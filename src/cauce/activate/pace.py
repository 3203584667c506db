"""Pace: how many requests a destination may be sent now."""


class Pace:
    """A token bucket of one destination; times are seconds of a clock that never jumps.

    It holds at most a tenth of a second's requests (at least one), so that no
    second sees noticeably more than ``rate``.
    """

    def __init__(self, rate: int, now: float) -> None:
        self._rate = rate
        self._most = max(1.0, rate / 10)
        self._tokens = self._most
        self._filled = now
        self._held_until = now

    def available(self, now: float) -> int:
        """How many requests may begin now."""
        self._tokens = min(self._most, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        return 0 if now < self._held_until else int(self._tokens)

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
