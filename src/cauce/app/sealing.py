"""When to seal: the worker starts a process of its own once enough folded events are hot."""

import logging
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from cauce.eventlog.port import EventLog
from cauce.eventlog.seal_process import start_sealing
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Normalization

logger = logging.getLogger(__name__)

_STOP_SECONDS = 10
_LOOK_EVERY = 1_000


class Sealing:
    """Seals what is folded, ``at_least`` events at a time, but keeps the newest ``hot`` as rows."""

    def __init__(
        self,
        space: Path,
        log: EventLog,
        normalization: Callable[[], Mapping[str, Normalization]],
        *,
        at_least: int,
        hot: int,
    ) -> None:
        self._space = space
        self._log = log
        self._normalization = normalization
        self._at_least = at_least
        self._hot = hot
        self._process: subprocess.Popen[bytes] | None = None
        self._looked: int = -_LOOK_EVERY

    def consider(self, folded: Position) -> None:
        """Start to seal if it is time; called as the worker goes on."""
        if folded - self._looked < _LOOK_EVERY or self._running():
            return
        self._looked = folded
        upto = Position(folded - self._hot)
        if upto - self._log.sealed_upto() >= self._at_least:
            self._process = start_sealing(self._space, upto, self._normalization())

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
