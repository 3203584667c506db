"""What the contract tests let real processes do to a log.

``python -m tests.contract.event_log_process ENGINE SPACE TASK [NUMBER ...]``;
what a process reports, it prints one line at a time.
"""

import os
import resource
import signal
import sys
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


def seal_and_die(engine: Engine, space: Path, upto: int, step: int) -> None:
    """Seal, and be killed before the given call that changes a file or the database (0: live)."""
    steps = 0
    names = {"execute", "fsync", "replace", "rename", "unlink", "flush", "write", "truncate"}

    def watch(_: FrameType, kind: str, function: object) -> None:
        nonlocal steps
        if kind == "c_call" and getattr(function, "__name__", "") in names:
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
    task.__name__: task for task in (append, append_forever, seal_and_die, seal_full, fill)
}

if __name__ == "__main__":
    engine_name, folder, task_name, *numbers = sys.argv[1:]
    TASKS[task_name](ENGINES[engine_name], Path(folder), *map(int, numbers))
