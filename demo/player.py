"""The player: sends the generated records through Cauce's public doors, as real systems would.

Live systems post batches to the tracking API, each with its own write key. Some
records come late, some batches carry a record that was sent before. Files go
through ``cauce import``.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx

from cauce.vocabulary.errors import CauceError, Transient
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.moment import Clock, to_iso
from demo.chronicle import LIVE_SOURCES, Record

LATE = 0.03
"""The share of records that come late."""

LATEST = 400
"""By how many records a late one comes late at most."""

REPEATED = 0.02
"""The share of records that are sent a second time."""

SMALLEST_BATCH, LARGEST_BATCH = 10, 100

ATTEMPTS = 20


BROKEN: tuple[Mapping[str, Any], ...] = (
    {"type": "track", "anonymousId": "broken-1", "properties": {"why": "an event without a name"}},
    {"type": "identify", "traits": {"plan": "nobody's"}},
    {"type": "trakc", "anonymousId": "broken-3", "event": "Typing Error"},
)
"""Calls that are no valid events: they go to quarantine, and their neighbours are kept."""


class Batch(NamedTuple):
    """Calls that one system sends in one request."""

    source: str
    calls: tuple[Mapping[str, Any], ...]


@dataclass(slots=True)
class Played:
    """What was sent: requests, calls in them by source, how many of these were repeats, further attempts."""

    requests: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    repeats: int = 0
    attempts_again: int = 0


def batches(records: Iterable[Record], rng: random.Random) -> Iterator[tuple[Batch, int]]:
    """The batches in the order of sending, each with its number of repeats; file records are left out."""
    waiting: dict[str, list[Mapping[str, Any]]] = {source: [] for source in LIVE_SOURCES}
    repeats: dict[str, list[Mapping[str, Any]]] = {source: [] for source in LIVE_SOURCES}
    sizes = {source: rng.randint(SMALLEST_BATCH, LARGEST_BATCH) for source in LIVE_SOURCES}

    def flush(source: str) -> Iterator[tuple[Batch, int]]:
        again, repeats[source] = repeats[source], []
        calls = (*waiting[source], *again)
        if calls:
            yield Batch(source, calls), len(again)
            repeats[source] = [call for call in waiting[source] if rng.random() < REPEATED]
        waiting[source] = []
        sizes[source] = rng.randint(SMALLEST_BATCH, LARGEST_BATCH)

    for record in _arrivals(records, rng):
        waiting[record.source].append(record.body)
        if len(waiting[record.source]) >= sizes[record.source]:
            yield from flush(record.source)
    for source in LIVE_SOURCES * 2:  # once for the calls, once for the repeats they leave behind
        yield from flush(source)


def _arrivals(records: Iterable[Record], rng: random.Random) -> list[Record]:
    """Live records in the order in which they are sent: that of time, some of them late."""
    live = [record for record in records if record.source in LIVE_SOURCES]
    order = [
        (place + (rng.randint(1, LATEST) if rng.random() < LATE else 0), place) for place in range(len(live))
    ]
    return [live[place] for _, place in sorted(order)]


class Door:
    """The tracking API at ``url``, with the write key of each source."""

    def __init__(self, url: str, keys: Mapping[str, str], *, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False)
        self.played = Played()

    def send(self, batch: Batch, repeats: int) -> None:
        """Post one batch, again and again while the door answers with a passing fault.

        Raises ``Transient`` if it never gets through, ``CauceError`` if it is refused.
        """
        body = encode_json({"batch": batch.calls, "sentAt": to_iso(self._clock())})
        for attempt in range(ATTEMPTS):
            self.played.attempts_again += attempt > 0
            wait = self._attempt(batch.source, body)
            if wait is None:
                self.played.requests += 1
                self.played.calls[batch.source] += len(batch.calls)
                self.played.repeats += repeats
                return
            time.sleep(wait)
        raise Transient("The tracking API does not answer.", hint="Look at the output of `cauce serve`.")

    def _attempt(self, source: str, body: bytes) -> float | None:
        """One attempt; the seconds to wait before the next, None if it was accepted."""
        try:
            answer = self._client.post(
                "/v1/batch",
                content=body,
                auth=(self._keys[source], ""),
                headers={"Content-Type": "application/json"},
            )
        except httpx.TransportError:
            return 0.5
        if answer.status_code == 200:
            return None
        if answer.status_code in (429, 500, 502, 503, 504):
            return min(float(answer.headers.get("Retry-After", "1")), 5.0)
        raise CauceError(
            f"The tracking API refused a batch of {source} with status {answer.status_code}.",
            hint=answer.text[:200],
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def play(
    records: Iterable[Record], door: Door, rng: random.Random, *, progress: Callable[[int], None]
) -> None:
    """Send all live records; ``progress`` is told how many after each batch."""
    for batch, repeats in batches(records, rng):
        door.send(batch, repeats)
        progress(len(batch.calls) - repeats)
