"""Turns: a lock that is given to the threads of a process in the order they asked.

SQLite lets the writers of one file wait by trying again after ever longer naps,
so a thread that writes all the time would keep the others out for good.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from cauce.vocabulary.errors import Transient


class Turns:
    """First come, first served; not reentrant."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken = False
        self._waiting: deque[Lock] = deque()

    @contextmanager
    def take(self, seconds: float) -> Iterator[None]:
        """Hold the lock during the block; raises ``Transient`` after waiting ``seconds``."""
        with self._lock:
            turn = Lock()
            turn.acquire()
            if self._taken:
                self._waiting.append(turn)
            else:
                self._taken = True
                turn.release()
        try:
            came = turn.acquire(timeout=seconds)
        except BaseException:  # a signal while waiting
            self._leave(turn)
            raise
        if not came:
            self._leave(turn)
            raise Transient("The state store is busy with other transactions.")
        try:
            yield
        finally:
            self._pass_on()

    def _leave(self, turn: Lock) -> None:
        """Give up waiting; if the turn came in this very moment, pass it on."""
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return
        self._pass_on()

    def _pass_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
