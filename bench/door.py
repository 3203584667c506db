"""Accepting over HTTP, durably: batches of 100 and single events, beside bare handlers on the same server.

Rounds on floor and collector take turns, so that a disturbance of the machine
meets both; figures are medians, ratios are medians of the ratios of neighbouring
rounds. The load comes from a process of its own that costs little.
"""

import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from bench.figures import Figure
from bench.load import Plan, Round, events, serve_rounds
from cauce.app.listening import answers, listen
from cauce.app.new_space import make_space
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.event import Accepted, Call
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.moment import now

ROUNDS = 5
HELD = (0, 1_000_000, 5_000_000)
BATCH = Plan(port=0, key="", requests=1_000, batch=100, connections=16, seed=0)
SINGLE = Plan(port=0, key="", requests=20_000, batch=1, connections=128, seed=0)
_READY_SECONDS = 120


class Server(NamedTuple):
    """A server under measurement."""

    port: int
    key: str


@contextmanager
def serving(command: Sequence[str], arguments: Sequence[str], key: str = "key") -> Iterator[Server]:
    """A server process on a free port; ``command`` takes the descriptor of its socket, then ``arguments``."""
    with closing(listen("bench", "127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, str(listener.fileno()), *arguments],
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
        )
        port = listener.getsockname()[1]
        deadline = time.monotonic() + _READY_SECONDS
        while not answers(f"http://127.0.0.1:{port}", "/ready"):
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"{command[0]} did not start")
        try:
            yield Server(port, key)
        finally:
            process.terminate()
            process.wait(60)


class Generator:
    """The process that makes load; each round has ids that no round had before."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe: Connection
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve_rounds, args=(theirs,))
        self._process.start()
        theirs.close()  # so that the end of that process is noticed
        self._seeds = random.Random(os.urandom(8))

    def round(self, server: Server, plan: Plan) -> Round:
        """One round on a server; all of it must be acknowledged."""
        seed = self._seeds.getrandbits(60)
        self._pipe.send(plan._replace(port=server.port, key=server.key, seed=seed))
        self._pipe.recv()
        self._pipe.send("go")
        measured: Round = self._pipe.recv()
        if set(measured.statuses) != {200}:
            raise RuntimeError(f"not everything was accepted: {measured.statuses}")
        return measured

    def close(self) -> None:
        """End the process."""
        self._pipe.send(None)
        self._process.join()


class Compared(NamedTuple):
    """Events per second of floor and collector, in rounds that took turns."""

    floor: list[float]
    door: list[Round]

    @property
    def rate(self) -> float:
        """The collector's median."""
        return statistics.median(one.events_per_second for one in self.door)

    @property
    def ratio(self) -> float:
        """The median of the collector's rate by the floor's."""
        pairs = zip(self.door, self.floor, strict=True)
        return statistics.median(door.events_per_second / floor for door, floor in pairs)

    @property
    def p99(self) -> float:
        """The median of the rounds' 99th percentiles, in milliseconds."""
        return 1_000 * statistics.median(one.p99 for one in self.door)


def compare(generator: Generator, floor: Server, door: Server, plan: Plan) -> Compared:
    """Rounds on both in turns, after one of each to warm up."""
    generator.round(floor, plan)
    generator.round(door, plan)
    found = Compared([], [])
    for _ in range(ROUNDS):
        found.floor.append(generator.round(floor, plan).events_per_second)
        found.door.append(generator.round(door, plan))
    return found


def fill(space: Path, upto: int) -> None:
    """Let the log hold that many events; their content matters little, their ids and size do."""
    log = SqliteLog(space)
    try:
        body = encode_json(next(events(1, 1)))
        ids = random.Random(log.head())
        for start in range(log.head(), upto, 10_000):
            log.append([_held(ids, body) for _ in range(min(10_000, upto - start))], [], now=now())
    finally:
        log.close()


def _held(ids: random.Random, body: bytes) -> Accepted:
    message_id = f"{ids.getrandbits(128):032x}"
    return Accepted(
        message_id=message_id, time=now(), call=Call.TRACK, name="Order Completed", source="web", body=body
    )


def run() -> list[Figure]:
    """Batches on an empty log, then with 1 and 5 million events held; single events on an empty one."""
    figures: list[Figure] = []
    generator = Generator()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        made = make_space(folder / "space", now=now())
        space, key = made.space.root, made.write_key.secret
        collector = (["cauce.app.child", "collector", str(space)], [], key)
        with (
            serving(["bench.bare", "empty"], [""]) as empty,
            serving(["bench.bare", "insert"], [str(folder / "bare.db")]) as inserting,
        ):
            with serving(*collector) as door:
                figures += _single(compare(generator, empty, door, SINGLE))
            rates = []
            for held in HELD:
                fill(space, held)
                with serving(*collector) as door:
                    found = compare(generator, inserting, door, BATCH)
                rates.append(found.rate)
                figures += _batches(found, held)
    generator.close()
    kept = rates[2] / rates[1]
    figures.append(Figure("rate kept from 1 M to 5 M", 100 * kept, "%", "≥ 80", kept >= 0.8))
    return figures


def _single(found: Compared) -> list[Figure]:
    name = f"single events, {SINGLE.connections} connections"
    rate, ratio = found.rate, found.ratio
    target = "≥ 6,000 and ≥ 0.45"
    met = rate >= 6_000 and ratio >= 0.45
    return [
        Figure(name, rate, "requests/s", target, met, ratio, "an empty handler"),
        Figure("  99th percentile", found.p99, "ms", "", True),
    ]


def _batches(found: Compared, held: int) -> list[Figure]:
    name = f"batches of {BATCH.batch}, log holds {held:,}"
    rate, ratio = found.rate, found.ratio
    target = "≥ 60,000 and ≥ 0.4"
    met = rate >= 60_000 and ratio >= 0.4
    return [
        Figure(name, rate, "events/s", target, met, ratio, "inserting the body"),
        Figure("  99th percentile", found.p99, "ms", "", True),
    ]


if __name__ == "__main__":
    for figure in run():
        print(f"{figure.what:45} {figure.value:12,.1f} {figure.unit:10} {figure.ratio or 0:.2f}")
