"""The right to seal a log: one process at a time, by a lock that a killed holder loses."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cauce.vocabulary.errors import Conflict

LOCK = "seal.lock"
"""The file in the space whose lock, and whose content, name the process that seals."""

_PAUSE_SECONDS = 0.02


@contextmanager
def sealer(space: Path, *, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the right to seal; raises ``Conflict`` naming who holds it."""
    deadline = time.monotonic() + wait_seconds
    with (space / LOCK).open("a+") as file:
        while not _locked(file.fileno()):
            if time.monotonic() >= deadline:
                file.seek(0)
                raise already_sealing(f"Process {file.read().strip() or 'unknown'}")
            time.sleep(_PAUSE_SECONDS)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def already_sealing(who: str) -> Conflict:
    """The error for a second sealer; ``who`` is the first."""
    return Conflict(f"{who} is sealing this log.", hint="Wait until it has ended.", code="already_sealing")


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
