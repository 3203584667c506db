"""kill -9 of collector and worker under load: nothing acknowledged is lost, nothing counts twice."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import httpx
import msgspec
import pytest

from cauce.app.compose import Composition
from cauce.app.pipeline import CLOCK, LOG, Pipeline
from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Position, read_event
from cauce.vocabulary.moment import Moment, now
from demo.load import batches
from tests.property.small_company import tables
from tests.story.command import succeed
from tests.story.serving import Served, served, until

BATCH = 50
SEGMENTS = """
- {key: fresh, owner: test, anonymous: true, rule: "event('Page Viewed').within(1 hours).count() >= 1"}
- {key: brief, owner: test, anonymous: true, rule: "event('Product Viewed').within(1 hours).count() >= 2"}
- {key: known, owner: test, rule: "trait('email').exists() AND event('Order Completed').count() >= 1"}
"""


class Sender(threading.Thread):
    """Sends batches until told to stop, each again and again until it is acknowledged."""

    def __init__(self, url: str, key: str, bodies: Iterator[bytes]) -> None:
        super().__init__()
        self.acknowledged: set[str] = set()
        self.unanswered = 0
        self.halt = threading.Event()
        self._url, self._key, self._bodies = url, key, bodies

    def run(self) -> None:
        with httpx.Client(auth=(self._key, ""), timeout=30, trust_env=False) as client:
            for body in self._bodies:
                while not self._accepted(client, body):
                    self.unanswered += 1
                    time.sleep(0.05)
                sent = msgspec.json.decode(body)["batch"]
                self.acknowledged.update(event["messageId"] for event in sent)
                if self.halt.is_set():
                    return

    def _accepted(self, client: httpx.Client, body: bytes) -> bool:
        with suppress(httpx.HTTPError):
            return client.post(f"{self._url}/v1/batch", content=body).status_code == 200
        return False


def kill_at_random(now_serving: Served, rng: random.Random, kills: int) -> None:
    """Kill collector and worker in turn, each at a random moment of its life."""
    for number in range(kills):
        time.sleep(rng.uniform(0.05, 0.6))
        name = ("worker", "collector")[number % 2]
        child = until(lambda name=name: now_serving.children().get(name), name)  # type: ignore[misc]
        os.kill(child.pid, signal.SIGKILL)


def refolded(composition: Composition, folder: Path, upto: Moment) -> Pipeline:
    """What one undisturbed run makes of the log, with the clock at ``upto``."""
    pipeline = composition.pipeline._replace(records=SqliteRecords(folder / "undisturbed.db", STATE))
    after = Position(0)
    while rows := composition.log.read(after, 777):
        pipeline.fold([read_event(row, composition.normalization(row.source)) for row in rows])
        after = rows[-1].position
    pipeline.pass_time(upto)
    return pipeline


def survive(folder: Path, kills: int, seed: int) -> None:
    root = folder / "space"
    key = succeed("init", root, "--json").json["write_key"]
    (root / "definitions" / "segments" / "faults.yaml").write_text(SEGMENTS)
    rng = random.Random(seed)
    bodies = batches(size=BATCH, people=300, seed=seed, until=now(), days=1, repeats=0.02)
    composition = Composition(root)
    with served(root, CAUCE_WORKER__SEAL_EVENTS="1000", CAUCE_WORKER__HOT_EVENTS="100") as serving:
        sender = Sender(serving.collector, key, bodies)
        sender.start()
        try:
            kill_at_random(serving, rng, kills)
            until(composition.log.sealed_upto, "the worker to seal")
        finally:
            sender.halt.set()
            sender.join()

        def drained() -> bool:
            with composition.state.read() as reader:
                return reader.progress(LOG) == composition.log.head()

        until(drained, "the worker to catch up")
    logged: list[str] = []
    after = Position(0)
    while rows := composition.log.read(after, 1_000):
        logged += [row.message_id for row in rows]
        after = rows[-1].position
    assert len(logged) == len(set(logged))
    assert sender.acknowledged == set(logged)
    with composition.state.read() as reader:
        clock = Moment(reader.progress(CLOCK))
    live, expected = tables(composition.state), tables(refolded(composition, folder, clock).records)
    assert len(live["identity_profile"]) > 100
    assert {name: len(rows) for name, rows in live.items()} == {n: len(r) for n, r in expected.items()}
    assert live == expected


def test_eight_kills(tmp_path: Path) -> None:
    survive(tmp_path, kills=8, seed=20260301)


@pytest.mark.soak
def test_fifty_kills(tmp_path: Path) -> None:
    survive(tmp_path, kills=50, seed=int(os.environ.get("CAUCE_SEED", "7")))


def test_bodies_repeat() -> None:
    """The load holds repeats, so that the test above can tell once from twice."""
    sent = [
        event["messageId"]
        for body in islice(batches(size=BATCH, people=300, seed=1, until=now(), days=1, repeats=0.02), 40)
        for event in msgspec.json.decode(body)["batch"]
    ]
    assert len(set(sent)) < len(sent)
