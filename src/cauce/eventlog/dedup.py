"""What the log has seen: the fingerprint of every message id, and of its content."""

from collections.abc import Iterable


class Seen:
    """Fingerprints of ids, each with the fingerprint of its content."""

    def __init__(self) -> None:
        self._recent: dict[int, bytes] = {}

    def find(self, prints: Iterable[int]) -> dict[int, bytes]:
        """Those of ``prints`` that are known, with the fingerprints of their contents."""
        recent = self._recent
        return {known: recent[known] for known in prints if known in recent}

    def add(self, new: dict[int, bytes]) -> None:
        """Remember ids of events that the log now holds durably."""
        self._recent.update(new)
