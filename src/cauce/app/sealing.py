"""When to seal: the worker starts a process of its own once enough folded events are hot.

The process compacts too. It is started once without new events where files lack
what the definitions in force read.
"""

import logging
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cauce.eventlog.plan import Plan
from cauce.eventlog.port import EventLog
from cauce.eventlog.seal_process import start_sealing
from cauce.eventlog.sealable import Opener
from cauce.vocabulary.event import Position

logger = logging.getLogger(__name__)

_STOP_SECONDS = 10
_LOOK_EVERY = 1_000


class Sealing:
    """Seals what is folded, ``at_least`` events at a time, but keeps the newest ``hot`` as rows."""

    def __init__(
        self,
        space: Path,
        log: EventLog,
        plan: Callable[[], Plan],
        opener: Opener,
        *,
        at_least: int,
        hot: int,
    ) -> None:
        self._space = space
        self._log = log
        self._plan = plan
        self._opener = opener
        self._at_least = at_least
        self._hot = hot
        self._process: subprocess.Popen[bytes] | None = None
        self._looked: int = -_LOOK_EVERY
        self._compared = False

    def consider(self, folded: Position) -> None:
        """Start to seal if it is time; called as the worker goes on."""
        if folded - self._looked < _LOOK_EVERY or self._running():
            return
        self._looked = folded
        upto = Position(folded - self._hot)
        sealed = self._log.sealed_upto()
        if upto - sealed >= self._at_least:
            self._start(upto)
        elif sealed and not self._compared and self._lacking():
            self._start(sealed)
        self._compared = True

    def _lacking(self) -> bool:
        """Whether a sealed file lacks what the plan wants."""
        plan, known = self._plan(), self._log.statistics()
        return any(plan.lacking(known.get(one.file)) for one in self._log.sealed())

    def _start(self, upto: Position) -> None:
        self._process = start_sealing(self._space, upto, self._plan(), opener=self._opener)

    def _running(self) -> bool:
        process = self._process
        if process is None:
            return False
        if process.poll() is None:
            return True
        said, complaint = process.communicate()
        if process.returncode == 0:
            logger.info("sealed: %s", said.decode().strip())
        else:
            logger.warning("sealing failed and will be tried again: %s", complaint.decode().strip())
        self._process = None
        return False

    def end(self) -> None:
        """Stop a sealing under way; what it has not finished is sealed later."""
        if self._process is not None and self._running():
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.communicate(timeout=_STOP_SECONDS)
