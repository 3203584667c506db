"""Accept: the collector beside bare handlers on the same server, driven by the same load."""

import multiprocessing
import socket
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.bare import serve
from bench.figures import Figure
from bench.folding import filled_log
from bench.load import Plan, Round, serve_rounds
from cauce.vocabulary.moment import now
from tests.clients.collector_process import RunningCollector

HELD = (1_000_000, 5_000_000)
ROUNDS = 5
BATCHES = Plan(requests=300, batch=100, connections=8, seed=0)
SINGLES = Plan(requests=15_000, batch=1, connections=64, seed=0)
BATCH_TARGET, BATCH_RATIO = 60_000, 0.4
SINGLE_TARGET, SINGLE_RATIO = 6_000, 0.45
FALLING = 0.8

_SPAWN = multiprocessing.get_context("spawn")


class Load:
    """A generator in a process of its own, aimed at one port."""

    def __init__(self, port: int, key: str) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._basic = b64encode(f"{key}:".encode()).decode()
        self._process = _SPAWN.Process(target=_generate, args=(port, theirs), daemon=True)
        self._process.start()

    def round(self, plan: Plan, seed: int) -> Round:
        """Send a plan's requests, made beforehand; all must be accepted."""
        self._pipe.send(plan._replace(seed=seed, basic=self._basic))
        assert self._pipe.recv() == "ready"
        self._pipe.send("go")
        done: Round = self._pipe.recv()
        assert set(done.statuses) == {200}, done.statuses
        return done

    def end(self) -> None:
        """Stop the process."""
        self._pipe.send(None)
        self._process.join()


def _generate(port: int, pipe: Connection) -> None:
    serve_rounds(port, pipe)


@contextmanager
def floor(kind: str, folder: Path) -> Iterator[Load]:
    """A bare handler being driven."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = _SPAWN.Process(target=serve, args=(kind, port, folder / "floor.db"), daemon=True)
    process.start()
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    load = Load(port, "floor")
    try:
        yield load
    finally:
        load.end()
        process.terminate()
        process.join()


class Pairs(NamedTuple):
    """Rounds of ours and of the floor in turns: medians, and the median of the ratios."""

    ours: float
    floor: float
    ratio: float
    p99: float


def in_turns(ours: Load, floor_: Load, plan: Plan, seed: int) -> Pairs:
    """Drive both, one after the other, so that a drifting machine drifts for both."""
    pairs = []
    for number in range(ROUNDS + 1):
        pairs.append((ours.round(plan, seed + number), floor_.round(plan, seed + number)))
    rounds = pairs[1:]  # the first warms both up
    return Pairs(
        median(one.events_per_second for one, _ in rounds),
        median(other.events_per_second for _, other in rounds),
        median(one.events_per_second / other.events_per_second for one, other in rounds),
        1_000 * median(one.p99 for one, _ in rounds),
    )


def measure(folder: Path, held: int) -> tuple[Pairs, Pairs]:
    """Batches and single events against a collector whose log holds that many events already."""
    space = folder / f"held-{held}"
    with RunningCollector(space) as collector:
        collector.stop()
        filled_log(space, held, now()).close()
        collector.start()
        ours = Load(collector.port, collector.key)
        try:
            with floor("inserting", folder) as inserting:
                batches = in_turns(ours, inserting, BATCHES, held)
            with floor("empty", folder) as empty:
                singles = in_turns(ours, empty, SINGLES, held + 1_000)
        finally:
            ours.end()
    return batches, singles


def run() -> list[Figure]:
    """Batches of 100 and single events, with a million events in the log and with five."""
    with tempfile.TemporaryDirectory() as temporary:
        found = {held: measure(Path(temporary), held) for held in HELD}
    figures = []
    for held, (batches, singles) in found.items():
        name = f"log holds {held // 1_000_000} M"
        met = batches.ours >= BATCH_TARGET and batches.ratio >= BATCH_RATIO
        figures += [
            Figure(
                f"accept, batches of 100, {name}",
                batches.ours,
                "events/s",
                f"≥ {BATCH_TARGET:,}, ratio ≥ {BATCH_RATIO}",
                met,
                batches.ratio,
                "inserting the body",
            ),
            Figure(
                f"accept, single events, {name}",
                singles.ours,
                "requests/s",
                f"≥ {SINGLE_TARGET:,}, ratio ≥ {SINGLE_RATIO}",
                singles.ours >= SINGLE_TARGET and singles.ratio >= SINGLE_RATIO,
                singles.ratio,
                "an empty handler",
            ),
            Figure(f"  p99 of a single event, {name}", singles.p99, "ms", "", True),
        ]
    first, last = found[HELD[0]][0].ours, found[HELD[-1]][0].ours
    kept = last / first
    figures.append(
        Figure("accept at 5 M beside 1 M", 100 * kept, "%", f"≥ {100 * FALLING:.0f}", kept >= FALLING)
    )
    return figures


if __name__ == "__main__":
    for figure in run():
        print(
            f"{figure.what:50} {figure.value:12,.1f} {figure.unit:12} {figure.ratio or 0:.2f} {figure.target}"
        )
