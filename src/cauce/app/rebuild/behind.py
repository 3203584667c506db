"""A state that is far behind its log: it is derived in bulk to the end of the log, and swapped in.

So a large historical import, or a log that was there before its state, does not pass
through the stream. Destinations are told of the members it comes to, not of what was between.
"""

import logging
import subprocess
import sys

from cauce.app.compose import Composition
from cauce.app.pipeline import LOG

logger = logging.getLogger(__name__)

_CHILD = "cauce.app.child"

_TIMES = 8
"""Bulk takes so many times less for an event than the stream, but takes all events."""


class Behind:
    """Looks how far the state of a space is behind, and catches up in bulk once where that is worth it."""

    def __init__(self, composition: Composition) -> None:
        self._log = composition.log
        self._state = composition.state
        settings = composition.settings
        self._most = settings.rebuild.behind_events
        self._possible = not settings.store.url  # on PostgreSQL others may be folding

    def far(self) -> bool:
        """Whether deriving everything takes less than folding what is left."""
        if not self._possible:
            return False
        with self._state.read() as reader:
            position = reader.progress(LOG)
        head = self._log.head()
        return head - position > self._most and (head - position) * _TIMES > head

    def catch_up(self, composition: Composition) -> None:
        """Derive and swap, by whoever holds the worker's lock; on failure the stream goes on.

        A process of its own does it, so that its memory goes back to the system.
        """
        command = [sys.executable, "-m", _CHILD, "catch_up", str(composition.space.root)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            failed = process.wait()
        if failed:
            logger.warning("catching up in bulk failed, the stream goes on")
            self._possible = False
