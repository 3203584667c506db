"""A served space under load and in trouble: nothing acknowledged is lost, nothing counts twice."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec
import psutil

from cauce.app.compose import Composition
from cauce.app.pipeline import CLOCK, LOG, VERSION, Pipeline
from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Position, read_event
from cauce.vocabulary.moment import Moment, now
from demo.load import batches
from tests.property.small_company import tables
from tests.story.command import succeed
from tests.story.serving import PATIENCE, Served, served, until

BATCH = 50
PAUSE = 0.06
"""Seconds between two batches: what is sent while the worker starts again must be folded before the end."""
SEGMENTS = """
- {key: fresh, owner: test, anonymous: true, rule: "event('Page Viewed').within(1 hours).count() >= 1"}
- {key: brief, owner: test, anonymous: true, rule: "event('Product Viewed').within(1 hours).count() >= 2"}
- {key: known, owner: test, rule: "trait('email').exists() AND event('Order Completed').count() >= 1"}
"""


CREW = {"CAUCE_WORKER__PROCESSES": "2", "CAUCE_SERVE__RESTART_LIMIT_SECONDS": "1"}
"""Two workers, which PostgreSQL allows; who was killed often is not started later and later."""

_WORKER = {"cauce.app.child", "worker"}


class Sender(threading.Thread):
    """Sends batches until told to halt, each again and again until it is acknowledged or all is given up.

    ``refused`` counts the other answers by status and Retry-After, ``unanswered`` what got none of them too.
    """

    def __init__(self, url: str, key: str, bodies: Iterator[bytes]) -> None:
        super().__init__()
        self.acknowledged: set[str] = set()
        self.refused: Counter[tuple[int, str]] = Counter()
        self.unanswered = 0
        self.halt = threading.Event()
        self.given_up = False
        self._url, self._key, self._bodies = url, key, bodies

    def run(self) -> None:
        with httpx.Client(auth=(self._key, ""), timeout=30, trust_env=False) as client:
            for body in self._bodies:
                while not self._accepted(client, body):
                    if self.given_up:
                        return
                    self.unanswered += 1
                    time.sleep(0.05)
                sent = msgspec.json.decode(body)["batch"]
                self.acknowledged.update(event["messageId"] for event in sent)
                if self.halt.wait(PAUSE):
                    return

    def _accepted(self, client: httpx.Client, body: bytes) -> bool:
        with suppress(httpx.HTTPError):
            answer = client.post(f"{self._url}/v1/batch", content=body)
            if answer.status_code == 200:
                return True
            self.refused[answer.status_code, answer.headers.get("retry-after", "")] += 1
        return False


Trouble = Callable[[Served, Sender, random.Random], None]


def kills(count: int) -> Trouble:
    """Kill collector and worker in turn, each at a random moment of its life."""
    return lambda serving, _, rng: kill_at_random(serving, rng, count)


def kill_at_random(now_serving: Served, rng: random.Random, count: int) -> None:
    """Kill collector and worker in turn, each at a random moment of its life."""
    for number in range(count):
        time.sleep(rng.uniform(0.05, 0.6))
        name = ("worker", "collector")[number % 2]
        child = until(lambda name=name: now_serving.children().get(name), name)  # type: ignore[misc]
        os.kill(child.pid, signal.SIGKILL)


def kill_crew(count: int) -> Trouble:
    """Kill one of several workers, the collector, or all workers at once, at random moments."""

    def trouble(serving: Served, _: Sender, rng: random.Random) -> None:
        for number in range(count):
            time.sleep(rng.uniform(0.05, 0.6))
            workers = workers_of(serving)
            victims = [[rng.choice(workers)], [serving_child(serving, "collector")], workers][number % 3]
            for victim in victims:
                with suppress(psutil.NoSuchProcess):  # it ended by itself: the log of the space says why
                    victim.kill()

    return trouble


def serving_child(now_serving: Served, name: str) -> psutil.Process:
    """A child process, when there is one."""
    return until(lambda: now_serving.children().get(name), name)


def workers_of(now_serving: Served, count: int = 2) -> list[psutil.Process]:
    """The worker processes, as soon as so many run."""

    def look() -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(now_serving.process.pid).children()
            found = [child for child in children if set(child.cmdline()) >= _WORKER]
            return found if len(found) == count else []
        return []

    return until(look, f"{count} workers")


def waiting(now_serving: Served, worker: psutil.Process, why: str = "") -> None:
    """Wait until a worker has said that it waits, and why."""

    said_by, said = f'"pid": {worker.pid},', f'"message": "waiting: {why}'

    def waits() -> bool:
        lines = now_serving.log.read_text().splitlines()  # libraries add lines of their own at an end
        return any(said_by in line and said in line for line in lines)

    until(waits, "a worker to wait")


def refolded(composition: Composition, folder: Path, upto: Moment) -> Pipeline:
    """What one undisturbed run makes of the log, with the clock at ``upto``."""
    records = SqliteRecords(folder / "undisturbed.db", STATE)
    pipeline = composition.renewed().pipeline._replace(records=records, version=0)
    after = Position(0)
    while rows := composition.log.read(after, 777):
        pipeline.fold([read_event(row, composition.normalization(row.source)) for row in rows])
        after = rows[-1].position
    pipeline.pass_time(upto)
    return pipeline


def survive(folder: Path, trouble: Trouble, seed: int, **variables: str) -> None:
    """Serve under load while ``trouble`` happens: what was acknowledged is logged once and folded rightly.

    ``variables`` are settings of the space, which this process has in its environment too.
    """
    root = folder / "space"
    key = succeed("init", root, "--json", **variables).json["write_key"]
    (root / "definitions" / "segments" / "faults.yaml").write_text(SEGMENTS)
    rng = random.Random(seed)
    bodies = batches(size=BATCH, people=300, seed=seed, until=now(), days=1, repeats=0.02)
    with opened(root) as composition:
        acknowledged = endure(composition, trouble, Load(key, bodies, rng), variables)
        assert acknowledged == set(logged_once(composition))
        compare(composition, folder)


class Load(NamedTuple):
    """What is sent with which key, and the chance of trouble."""

    key: str
    bodies: Iterator[bytes]
    rng: random.Random


def endure(composition: Composition, trouble: Trouble, load: Load, variables: Mapping[str, str]) -> set[str]:
    """Serve and send while ``trouble`` happens, then let the worker catch up; what was acknowledged."""
    sealing = {"CAUCE_WORKER__SEAL_EVENTS": "1000", "CAUCE_WORKER__HOT_EVENTS": "100"}
    with served(composition.space.root, **sealing, **variables) as serving:
        sender = Sender(serving.collector, load.key, load.bodies)
        sender.start()
        try:
            trouble(serving, sender, load.rng)
            until(composition.log.sealed_upto, "the worker to seal")
        except BaseException:
            sender.given_up = True  # the fault may last: nobody might ever answer
            raise
        finally:
            sender.halt.set()
            sender.join()
        wait_for_the_worker(composition)
    assert told_to_wait(sender), sender.refused
    return sender.acknowledged


def told_to_wait(sender: Sender) -> bool:
    """Whether whoever was refused was told when to try again, and that the fault was none of hers."""
    return all(
        status in (429, 503) and after.isdigit() and int(after) >= 1 for status, after in sender.refused
    )


def more(sender: Sender, count: int = 300, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Wait until so many more events were acknowledged; do something again and again meanwhile."""
    wanted = len(sender.acknowledged) + count

    def look() -> bool:
        meanwhile()
        return len(sender.acknowledged) >= wanted

    until(look, "events to be acknowledged again")


def refusals(sender: Sender, count: int = 5) -> None:
    """Wait until so many more batches were answered with 503."""

    def unavailable() -> int:
        return sum(times for (status, _), times in list(sender.refused.items()) if status == 503)

    wanted = unavailable() + count
    until(lambda: unavailable() >= wanted, "a sender to be told to come back")


def wait_for_the_worker(composition: Composition) -> None:
    """Wait until everything is folded, as long as the worker goes on."""
    reached, deadline = -1, time.monotonic() + PATIENCE
    while reached < composition.log.head():
        assert time.monotonic() < deadline, f"the worker stays at {reached} of {composition.log.head()}"
        with composition.state.read() as reader:
            position = reader.progress(LOG)
        if position > reached:
            reached, deadline = position, time.monotonic() + PATIENCE
        time.sleep(0.05)


def logged_once(composition: Composition) -> list[str]:
    """The message ids of the log, of which none comes twice."""
    logged: list[str] = []
    after = Position(0)
    while rows := composition.log.read(after, 1_000):
        logged += [row.message_id for row in rows]
        after = rows[-1].position
    assert len(logged) == len(set(logged))
    return logged


def compare(composition: Composition, folder: Path) -> None:
    """The state is what one undisturbed run makes of the log."""
    with composition.state.read() as reader:
        clock = Moment(reader.progress(CLOCK))
    live, expected = tables(composition.state), tables(refolded(composition, folder, clock).records)
    live["progress"] = [row for row in live["progress"] if row[0] != VERSION]
    live["trait_version"] = []  # these two tell of definitions, which nobody followed in the other store
    assert len(live["identity_profile"]) > 100
    unequal = {name: (len(live[name]), len(expected[name])) for name in live if live[name] != expected[name]}
    assert unequal == {}, f"tables (rows of the live one, rows as expected): {unequal}"


@contextmanager
def opened(root: Path) -> Iterator[Composition]:
    """A space whose stores are closed afterwards."""
    composition = Composition(root)
    try:
        yield composition
    finally:
        for name in ("log", "state", "control"):
            if name in composition.__dict__:
                composition.__dict__[name].close()
