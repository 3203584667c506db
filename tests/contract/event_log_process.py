"""What the contract tests let real processes do to a log.

``python -m tests.contract.event_log_process ENGINE SPACE TASK [NUMBER ...]``;
what a process reports, it prints one line at a time.
"""

import os
import random
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from cauce.eventlog.port import Outcome
from cauce.vocabulary.errors import Transient
from cauce.vocabulary.event import Position
from cauce.vocabulary.moment import Moment
from tests.contract.event_log_engines import ENGINES, Engine, event

GROUP = 20


def append(engine: Engine, space: Path, first: int, last: int) -> None:
    """Append events ``first`` to ``last`` in groups, half of each group shared with other processes."""
    log = engine.open(space)
    for start in range(first, last, GROUP):
        ids = [f"own-{n}" if n % 2 else f"shared-{n - first}" for n in range(start, start + GROUP)]
        outcomes = log.append([event(one) for one in ids], [], now=Moment(start))
        report(*(one for one, outcome in zip(ids, outcomes, strict=True) if outcome is Outcome.ACCEPTED))
    log.close()


def append_forever(engine: Engine, space: Path, first: int) -> None:
    """Append groups and report each when it is acknowledged, until killed."""
    log = engine.open(space)
    while True:
        ids = [f"id-{n}" for n in range(first, first + GROUP)]
        log.append([event(one) for one in ids], [], now=Moment(first))
        report(*ids)
        first += GROUP


def called(frame: FrameType, kind: str, function: object) -> str:
    """The name of the function that a profiler is told is called; empty at other moments."""
    if kind == "c_call":
        return getattr(function, "__name__", "")
    return frame.f_code.co_name if kind == "call" and "psycopg" in frame.f_code.co_filename else ""


def append_slowly(engine: Engine, space: Path, seed: int, threads: int) -> None:
    """Append and tick on several threads, each with a log of its own, and pause within each transaction."""
    ready = threading.Barrier(threads)

    def work(number: int) -> None:
        chance = random.Random(number)
        log = engine.open(space)
        ready.wait()

        def pause(frame: FrameType, kind: str, function: object) -> None:
            if called(frame, kind, function) in ("execute", "executemany", "copy", "decide"):
                time.sleep(chance.random() ** 4 * 0.02)

        sys.setprofile(pause)
        for group in range(12):
            ids = [f"own-{number}-{group}-{n}" if n % 2 else f"shared-{group}-{n}" for n in range(GROUP)]
            chance.shuffle(ids)
            now = Moment(chance.randrange(1_000))
            outcomes = log.append([event(one, f'{{"n":"{one}"}}') for one in ids], [], now=now)
            new = [one for one, outcome in zip(ids, outcomes, strict=True) if outcome is Outcome.ACCEPTED]
            report(*new)
            if group % 5 == 0:
                log.tick(Moment(chance.randrange(1_000)))
        sys.setprofile(None)
        log.close()

    workers = [threading.Thread(target=work, args=(seed + number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def seal_and_die(engine: Engine, space: Path, upto: int, step: int) -> None:
    """Seal, and be killed before the given call that changes a file or the database (0: live)."""
    steps = 0
    names = {"execute", "fsync", "replace", "rename", "unlink", "flush", "write", "truncate"}

    def watch(frame: FrameType, kind: str, function: object) -> None:
        nonlocal steps
        if called(frame, kind, function) in names:
            steps += 1
            if steps == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    engine.seal(space, Position(upto))
    sys.setprofile(None)
    report(str(steps))


def fill(engine: Engine, space: Path, kilobytes: int) -> None:
    """Append until no file may grow any more; then allow it again and append the refused group."""
    log = engine.open(space)
    log.append([event("first")], [], now=Moment(0))
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, hard))
    for number in range(1_000_000):
        group = [event(f"id-{number}-{n}", '{"filler":"%s"}' % ("x" * 1_000)) for n in range(GROUP)]
        try:
            log.append(group, [], now=Moment(number))
        except Transient:
            break
        report(*(one.message_id for one in group))
    held = [one.message_id for one in log.read(Position(0), 1_000_000)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    outcomes = log.append(group, [], now=Moment(0))
    report("full", str(len(held)), str(sum(outcome is Outcome.ACCEPTED for outcome in outcomes)))
    log.close()


def seal_full(engine: Engine, space: Path, upto: int) -> None:
    """Seal while no file may grow beyond a kilobyte."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_024, hard))
    try:
        engine.seal(space, Position(upto))
    except Transient:
        report("refused")


def report(*words: str) -> None:
    """Print a line at once."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


TASKS: dict[str, Callable[..., None]] = {
    task.__name__: task for task in (append, append_slowly, append_forever, seal_and_die, seal_full, fill)
}

if __name__ == "__main__":
    engine_name, folder, task_name, *numbers = sys.argv[1:]
    TASKS[task_name](ENGINES[engine_name], Path(folder), *map(int, numbers))
