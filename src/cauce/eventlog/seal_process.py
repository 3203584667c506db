"""Sealing in a process of its own, so that its memory goes back to the system when it ends.

``python -m cauce.eventlog.seal_process`` reads a pickled ``Task`` from standard
input, seals and compacts, and prints one line of JSON: the events and files
sealed, the files compacted, and the seconds that either took. Exit code 0: done; 1: the
reason stands on standard error.
"""

import os
import pickle
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from cauce.eventlog.compact import compact
from cauce.eventlog.plan import Plan
from cauce.eventlog.seal import seal
from cauce.eventlog.sealable import Opener
from cauce.eventlog.sqlite_sealing import SqliteSealable
from cauce.vocabulary.errors import CauceError
from cauce.vocabulary.event import Position

_NICENESS = 10  # accepting and folding come first where processors are few
_PROCESSES = 2


class Task(NamedTuple):
    """What to seal: the log of a space up to a position, as a plan says."""

    space: Path
    upto: Position
    plan: Plan
    opener: Opener


def start_sealing(
    space: Path, upto: Position, plan: Plan, *, opener: Opener | None = None
) -> subprocess.Popen[bytes]:
    """Start the process that seals a space up to a position and compacts its files.

    ``plan`` must be picklable (``BySource``); ``opener`` opens the log, the space's
    SQLite unless told otherwise.
    """
    task = Task(space, upto, plan, opener or partial(SqliteSealable, space))
    process = subprocess.Popen(
        [sys.executable, "-m", "cauce.eventlog.seal_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if process.stdin is not None:
        process.stdin.write(pickle.dumps(task))
        process.stdin.close()
        process.stdin = None
    return process


def main() -> int:
    """Do the task on standard input; the exit code."""
    task: Task = pickle.loads(sys.stdin.buffer.read())
    os.nice(_NICENESS)
    start = time.monotonic()
    processes = min(_PROCESSES, os.cpu_count() or 1)
    try:
        made = seal(
            task.space, task.upto, task.plan.how, plan=task.plan, opener=task.opener, processes=processes
        )
        sealed = time.monotonic()
        compacted = compact(task.space, task.plan, opener=task.opener)
    except CauceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    report = {
        "events": sum(one.events for one in made),
        "files": len(made),
        "compacted": len(compacted),
        "seconds": round(sealed - start, 3),
        "compacting_seconds": round(time.monotonic() - sealed, 3),
    }
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
