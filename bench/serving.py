"""A whole `cauce serve`: how fresh its answers are under load, how fast it reads, what it keeps in memory."""

import asyncio
import json
import random
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil

from bench.figures import Figure
from bench.folding import SEGMENTS, filled_log
from bench.raw_http import RawClient
from cauce.app.compose import Composition
from cauce.vocabulary.moment import now
from demo.load import batches
from tests.story.command import succeed
from tests.story.serving import Served, served

SECONDS = 40
LOAD_PEOPLE = 20_000
BATCH, BATCHES_PER_SECOND = 10, 100
READS_PER_SECOND = 200
PROBES_PER_SECOND = 10
LOOK_AGAIN = 0.004
MEMORY_EVENTS = 1_000_000
FRESH_MS, READ_MS, REST_MB, SEALING_MB = 150, 20, 600, 1_500


class Space(NamedTuple):
    """A new space with the benchmark's segments, and its keys."""

    root: Path
    write_key: str
    api_key: str


def new_space(folder: Path) -> Space:
    """Make a space whose segments are those of the fold benchmark."""
    made = succeed("init", folder / "space", "--json").json
    root = folder / "space"
    written = [{"key": k, "owner": "bench", "anonymous": True, "rule": r} for k, r in SEGMENTS.items()]
    for file in (root / "definitions" / "segments").glob("*.yaml"):
        file.unlink()
    (root / "definitions" / "segments" / "bench.yaml").write_text(json.dumps(written))
    return Space(root, made["write_key"], made["api_key"])


class Load:
    """Sends events, probes and reads to a served space at fixed rates, and notes how long each takes."""

    def __init__(self, serving: Served, space: Space) -> None:
        self.reads: list[float] = []
        self.fresh: list[float] = []
        self.sent = 0
        basic = b64encode(f"{space.write_key}:".encode()).decode()
        self._in = RawClient(serving.collector, {"Authorization": f"Basic {basic}"})
        self._out = RawClient(serving.api, {"Authorization": f"Bearer {space.api_key}"})
        self._rng = random.Random(3)

    async def run(self, seconds: float) -> None:
        """Run all three at once."""
        bodies = batches(size=BATCH, people=LOAD_PEOPLE, seed=3, until=now(), days=1)
        end = time.monotonic() + seconds
        await asyncio.gather(
            at_rate(BATCHES_PER_SECOND, end, lambda _: self._send(next(bodies))),
            at_rate(READS_PER_SECOND, end, lambda _: self._read()),
            at_rate(PROBES_PER_SECOND, end, self._probe),
        )
        await self._in.close()
        await self._out.close()

    async def _send(self, body: bytes) -> None:
        status, _ = await self._in.request("POST", "/v1/batch", body)
        assert status == 200
        self.sent += BATCH

    async def _read(self) -> None:
        person = int(self._rng.random() * LOAD_PEOPLE)
        started = time.perf_counter()
        status, _ = await self._out.request("GET", f"/api/v1/profiles/user_id:u{person}?purpose=operations")
        self.reads.append(time.perf_counter() - started)
        assert status in (200, 404)

    async def _probe(self, number: int) -> None:
        """A new buyer: from the collector's answer until her profile shows her in the segment."""
        event = {"type": "track", "event": "Order Completed", "userId": f"probe-{number}"}
        status, _ = await self._in.request("POST", "/v1/track", json.dumps(event).encode())
        assert status == 200
        started = time.perf_counter()
        path = f"/api/v1/profiles/user_id:probe-{number}?purpose=operations"
        while True:
            status, content = await self._out.request("GET", path)
            if status == 200 and b"recent_buyers" in content:
                self.fresh.append(time.perf_counter() - started)
                return
            await asyncio.sleep(LOOK_AGAIN)


async def at_rate(rate: float, end: float, act: Any) -> None:
    """Start ``act(number)`` that many times a second, whether or not the former ones are done."""
    started, running = time.monotonic(), set()
    for number in count():
        due = started + number / rate
        if due >= end:
            break
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        task = asyncio.create_task(act(number))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` of the values do not exceed."""
    return sorted(values)[int(len(values) * share)]


def resident(serving: Served) -> dict[str, float]:
    """Proportional memory of every process of a served space, in MB, by name."""
    root = psutil.Process(serving.process.pid)
    found: dict[str, float] = {}
    for process in (root, *root.children(recursive=True)):
        try:
            command = process.cmdline()
            name = command[command.index("cauce.app.child") + 1] if "cauce.app.child" in command else ""
            name = name or ("sealer" if "cauce.eventlog.seal_process" in command else "serve")
            found[name] = found.get(name, 0) + process.memory_full_info().pss / 2**20
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def freshness() -> list[Figure]:
    """Answers under a load of 1,000 events a second."""
    with tempfile.TemporaryDirectory() as temporary:
        space = new_space(Path(temporary))
        with served(space.root) as serving:
            warm_up(serving, space, 20_000)
            load = Load(serving, space)
            asyncio.run(load.run(SECONDS))
    fresh, read = 1_000 * percentile(load.fresh, 0.99), 1_000 * percentile(load.reads, 0.99)
    return [
        Figure("load while measuring", load.sent / SECONDS, "events/s", "1,000", True),
        Figure("answer → profile and segment, p50", 1_000 * percentile(load.fresh, 0.5), "ms", "", True),
        Figure("answer → profile and segment, p99", fresh, "ms", f"≤ {FRESH_MS}", fresh <= FRESH_MS),
        Figure("profile read over HTTP, p50", 1_000 * percentile(load.reads, 0.5), "ms", "", True),
        Figure("profile read over HTTP, p99", read, "ms", f"≤ {READ_MS}", read <= READ_MS),
    ]


def warm_up(serving: Served, space: Space, events: int) -> None:
    """Send events until people are known, and wait until they are."""
    stream: Iterator[bytes] = batches(size=500, people=LOAD_PEOPLE, seed=5, until=now(), days=1)
    with httpx.Client(auth=(space.write_key, ""), trust_env=False, timeout=30) as client:
        for body in islice(stream, events // 500):
            client.post(f"{serving.collector}/v1/batch", content=body).raise_for_status()
    wait_until_folded(Composition(space.root), lambda: None)


def wait_until_folded(composition: Composition, meanwhile: Any) -> None:
    """Wait until the worker has reached the log's head."""
    while True:
        with composition.state.read() as reader:
            if reader.progress("log") == composition.log.head():
                return
        meanwhile()
        time.sleep(0.5)


def memory() -> list[Figure]:
    """Memory of all processes after a million events of 100,000 people, and the most while sealing."""
    with tempfile.TemporaryDirectory() as temporary:
        space = new_space(Path(temporary))
        filled_log(space.root, MEMORY_EVENTS, now()).close()
        peaks: list[float] = []
        with served(space.root) as serving:
            started = time.monotonic()
            composition = Composition(space.root)
            wait_until_folded(composition, lambda: peaks.append(sum(resident(serving).values())))
            rate = MEMORY_EVENTS / (time.monotonic() - started)
            settle(serving, peaks)
            rest = resident(serving)
            sealed = composition.log.sealed_upto()
    total = sum(rest.values())
    parts = ", ".join(f"{name} {size:.0f}" for name, size in sorted(rest.items()))
    return [
        Figure("fold of 1 M events by a served space", rate, "events/s", "", True),
        Figure("events sealed meanwhile", sealed, "events", "", True),
        Figure(f"memory at rest ({parts})", total, "MB", f"≤ {REST_MB}", total <= REST_MB),
        Figure(
            "memory at most, while sealing", max(peaks), "MB", f"≤ {SEALING_MB:,}", max(peaks) <= SEALING_MB
        ),
    ]


def settle(serving: Served, peaks: list[float]) -> None:
    """Wait until nothing is being sealed."""
    while True:
        time.sleep(2)
        found = resident(serving)
        peaks.append(sum(found.values()))
        if "sealer" not in found:
            return


def run() -> list[Figure]:
    """Freshness and reads under load, then memory."""
    return [*freshness(), *memory()]


if __name__ == "__main__":
    for figure in run():
        print(f"{figure.what:60} {figure.value:12,.1f} {figure.unit} {figure.target}")
