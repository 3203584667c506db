"""Presence: which workers are there, without trusting any machine's clock.

A living worker counts its beats in a row of its own. Who sees no new beat for a few
seconds of its own time takes the worker for gone.
"""

from collections.abc import Callable

from sqlalchemy import select

from cauce.app.rounds.records import workers
from cauce.storage.records import ManyWriters, Reader

_BEAT_SECONDS = 0.5
_GONE_SECONDS = 3.0
_FORGOTTEN_SECONDS = 60.0


class Presence:
    """One worker among others; ``name`` is its own, ``monotonic`` gives seconds."""

    def __init__(self, records: ManyWriters, name: str, monotonic: Callable[[], float]) -> None:
        self._records = records
        self._name = name
        self._monotonic = monotonic
        self._beat = 0
        self._beaten = float("-inf")
        self._seen: dict[str, tuple[int, float]] = {}

    def others(self) -> int:
        """How many other workers live; says twice a second that this one does."""
        now = self._monotonic()
        if now - self._beaten >= _BEAT_SECONDS:
            self._beaten = now
            self._beat += 1
            with self._records.lane() as transaction:
                transaction.put(workers, [(self._name, self._beat)])
                self._look(transaction, now)
                forgotten = [n for n, (_, seen) in self._seen.items() if now - seen > _FORGOTTEN_SECONDS]
                transaction.remove(workers, "worker", forgotten)
        return sum(now - seen < _GONE_SECONDS for _, seen in self._seen.values())

    def _look(self, reader: Reader, now: float) -> None:
        found: dict[str, int] = {row[0]: row[1] for row in reader.select(select(workers))}
        for name, beat in found.items():
            if name not in self._seen:
                self._seen[name] = (beat, now)  # may be gone already: it counts until it is known better
            elif self._seen[name][0] != beat:
                self._seen[name] = (beat, now)
        self._seen = {n: seen for n, seen in self._seen.items() if n in found and n != self._name}

    def leave(self) -> None:
        """Say that this worker ends."""
        with self._records.lane() as transaction:
            transaction.remove(workers, "worker", [self._name])
