"""Chores: work for a destination that blocks or takes long, each on a thread of its own."""

import logging
from collections.abc import Callable, Collection, Sequence
from threading import Event, Thread
from time import monotonic
from typing import Protocol

from cauce.activate.settings import ActivateSettings
from cauce.vocabulary.errors import CauceError
from cauce.vocabulary.moment import Clock, Moment

_log = logging.getLogger(__name__)


class Stopped(Exception):
    """The work was left where it can be taken up again, because Cauce stops or the lease is gone."""


class Chore(Protocol):
    """Something to do from time to time for a destination, or for all (then ``name`` is empty)."""

    @property
    def name(self) -> str:
        """The destination."""

    def due(self, now: Moment) -> bool:
        """Whether there is something to do."""

    def do(self, check: Callable[[], None]) -> None:
        """Do it; calls ``check`` often, which raises ``Stopped``. After other errors it is tried again."""


class Chores:
    """The threads of some chores. A daemon each: one that hangs does not keep the process from ending."""

    def __init__(
        self,
        chores: Sequence[Chore],
        held: Callable[[], Collection[str]],
        clock: Clock,
        settings: ActivateSettings,
    ) -> None:
        self._chores = chores
        self._held = held
        self._clock = clock
        self._settings = settings
        self._threads: list[Thread] = []

    def start(self, stop: Event) -> None:
        """Begin; the threads end when ``stop`` is set."""
        for one in self._chores:
            name = f"chore-{one.name or 'all'}"
            thread = Thread(target=self._run, args=(one, stop), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def join(self, seconds: float) -> None:
        """Wait until the threads have ended, but no longer than this in all."""
        deadline = monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))

    def _run(self, chore: Chore, stop: Event) -> None:
        def check() -> None:
            if stop.is_set() or not self._mine(chore):
                raise Stopped

        pause, failures = self._settings.poll_seconds, 0
        while not stop.wait(pause):
            pause = self._settings.poll_seconds
            try:
                if self._mine(chore) and chore.due(self._clock()):
                    chore.do(check)
                    failures = 0
            except Stopped:
                continue
            except Exception as error:  # the disk is full, the store is busy: it is tried again
                reason = error.message if isinstance(error, CauceError) else type(error).__name__
                _log.warning("%s: %s; it is tried again", chore.name or "backfill", reason)
                longest = self._settings.pause_limit_seconds
                pause = min(longest, self._settings.backoff_seconds * 2.0 ** min(failures, 60))
                failures += 1

    def _mine(self, chore: Chore) -> bool:
        return not chore.name or chore.name in self._held()
