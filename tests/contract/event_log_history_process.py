"""Processes that append history or compact, and are killed at a step.

``python -m tests.contract.event_log_history_process ENGINE SPACE TASK COUNT STEP``
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

from cauce.eventlog.compact import compact
from cauce.eventlog.history import columns_of
from cauce.eventlog.plan import BySource, Plan
from cauce.vocabulary.moment import Moment
from tests.contract.event_log_engines import ENGINES, Engine, event

PATHS = [frozenset({("properties", name)}) for name in "pqr"]


def history(engine: Engine, space: Path, count: int) -> None:
    """Append that many events in chunks of 50."""
    log = engine.open(space)
    events = [event(f"id-{n}", name=f"N{n % 3}") for n in range(count)]
    plan = Plan(BySource({}))
    for _ in log.append_sealed(columns_of(events), plan, clock=lambda: Moment(5), events_per_chunk=50):
        pass
    log.close()


def compaction(_: Engine, space: Path, which: int) -> None:
    """Compact SQLite's files, with other paths promoted for each ``which``."""
    compact(space, Plan(BySource({}), PATHS[which]))


def die_at(step: int) -> None:
    """Be killed before the given call that changes a file or the database (0: live)."""
    steps = 0
    names = {
        "execute",
        "executemany",
        "fsync",
        "replace",
        "rename",
        "unlink",
        "flush",
        "write",
        "write_table",
    }

    def watch(frame: FrameType, kind: str, function: object) -> None:
        nonlocal steps
        name = getattr(function, "__name__", "") if kind == "c_call" else frame.f_code.co_name
        if kind in ("call", "c_call") and name in names:
            steps += 1
            if steps == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)


if __name__ == "__main__":
    engine_name, folder, task, number, last = sys.argv[1:]
    die_at(int(last))
    {"history": history, "compaction": compaction}[task](ENGINES[engine_name], Path(folder), int(number))
