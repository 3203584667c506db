"""kill -9 of the real collector under load: every acknowledged event is in the log, exactly once."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx

from tests.clients.collector_process import RunningCollector

KILLS = 4
SENDERS = 6


class Sender(threading.Thread):
    """Sends singles and batches; what is not acknowledged it sends again, as SDKs do."""

    def __init__(self, collector: RunningCollector, seed: int) -> None:
        super().__init__()
        self.acknowledged: list[str] = []
        self.unanswered = 0
        self.halt = threading.Event()
        self._collector = collector
        self._random = random.Random(seed)

    def run(self) -> None:
        with httpx.Client(
            base_url=self._collector.url, auth=(self._collector.key, ""), timeout=10, trust_env=False
        ) as client:
            while not self.halt.is_set():
                count = self._random.choice([1, 1, 20])
                events = [self._event() for _ in range(count)]
                path, body = ("/v1/track", events[0]) if count == 1 else ("/v1/batch", {"batch": events})
                while not self._sent(client, path, json.dumps(body).encode()):
                    self.unanswered += 1
                    time.sleep(0.01)
                self.acknowledged += [event["messageId"] for event in events]

    def _event(self) -> dict[str, str]:
        message_id = str(UUID(int=self._random.getrandbits(128)))
        return {"type": "track", "event": "e", "userId": "u", "messageId": message_id}

    def _sent(self, client: httpx.Client, path: str, body: bytes) -> bool:
        try:
            return client.post(path, content=body).status_code == 200
        except httpx.TransportError:
            return False


def test_nothing_acknowledged_is_lost_or_counted_twice(tmp_path: Path) -> None:
    rng = random.Random(11)
    with RunningCollector(tmp_path / "space") as collector:
        senders = [Sender(collector, seed) for seed in range(SENDERS)]
        for sender in senders:
            sender.start()
        for _ in range(KILLS):
            before = sum(len(sender.acknowledged) for sender in senders)
            wanted = before + rng.randrange(200, 1_500)
            _until(lambda wanted=wanted: sum(len(sender.acknowledged) for sender in senders) >= wanted)
            collector.kill()
            collector.start()
        for sender in senders:
            sender.halt.set()
        for sender in senders:
            sender.join(30)
            assert not sender.is_alive()
        assert sum(sender.unanswered for sender in senders) > 0, "no kill met a request under way"
        counts = Counter(event.message_id for event in collector.logged())
        acknowledged = [message_id for sender in senders for message_id in sender.acknowledged]
        assert {counts[message_id] for message_id in acknowledged} == {1}
        assert max(counts.values()) == 1


def test_a_stop_finishes_what_was_accepted(tmp_path: Path) -> None:
    with RunningCollector(tmp_path / "space") as collector:
        senders = [Sender(collector, seed) for seed in range(SENDERS)]
        for sender in senders:
            sender.start()
        _until(lambda: sum(len(sender.acknowledged) for sender in senders) > 500)
        collector.stop()
        collector.start()
        for sender in senders:
            sender.halt.set()
        for sender in senders:
            sender.join(30)
        held = {event.message_id for event in collector.logged()}
        assert all(held.issuperset(sender.acknowledged) for sender in senders)


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.005)
