"""Locks that name their holder: one `cauce serve` and one worker for each space.

The lock is the kernel's (``flock``) and ends with the process, however that ends;
the file's content says who holds it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import msgspec

from cauce.vocabulary.errors import Conflict

_LONGEST = 10_000
_LOOK_SECONDS = 0.05


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a lock: the pid, and of `cauce serve` the URLs of its processes."""

    pid: int
    collector: str = ""
    api: str = ""
    console: str = ""
    workers: tuple[str, ...] = ()


class ProcessLock:
    """A lock that was taken; ``killed`` is the holder before, if it did not end by itself."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        before = _noted(descriptor)
        self.killed = before if before.pid else None

    def note(self, holder: Holder) -> None:
        """Write down who holds it, for those who are refused or look for the addresses."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, msgspec.json.encode(holder), 0)


@contextmanager
def process_lock(file: Path, act: str, *, wait_seconds: float = 0) -> Iterator[ProcessLock]:
    """Hold the lock, once it is free; ``act`` is what its holder does to the space.

    Raises ``Conflict`` that names the holder's pid if it keeps the lock for ``wait_seconds``.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = monotonic() + wait_seconds
        while not _taken(descriptor):
            if monotonic() >= deadline:
                pid = _noted(descriptor).pid
                raise Conflict(
                    f"{file.parent} is {act} already, by process {pid}.",
                    hint=f"Stop that process with `kill {pid}`, or use another space.",
                )
            sleep(_LOOK_SECONDS)
        lock = ProcessLock(descriptor)
        lock.note(Holder(pid=os.getpid()))
        yield lock
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def who_holds(file: Path) -> Holder | None:
    """The process that holds a lock now; None if nobody does."""
    if not file.exists():
        return None
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _noted(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _noted(descriptor: int) -> Holder:
    try:
        return msgspec.json.decode(os.pread(descriptor, _LONGEST, 0), type=Holder)
    except msgspec.DecodeError:  # taken a moment ago, not written down yet
        return Holder(pid=0)
