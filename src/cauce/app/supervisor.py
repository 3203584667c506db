"""The supervisor: keeps child processes running until it is told to stop."""

import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from threading import Event
from time import monotonic
from types import FrameType
from typing import NamedTuple

from cauce.app.exit_codes import FAILURE, HOPELESS

logger = logging.getLogger(__name__)

_GLANCE_SECONDS = 0.1


class Task(NamedTuple):
    """What a child does: a Python module with arguments, and the file descriptors it inherits.

    ``ready`` says whether the running child does its work by now.
    """

    name: str
    module: str
    arguments: Sequence[str]
    descriptors: Sequence[int]
    ready: Callable[["subprocess.Popen[bytes]"], bool]


class Patience(NamedTuple):
    """How long to wait, in seconds: for readiness, for the end, and before a start is repeated."""

    ready: float
    stop: float
    restart: float
    restart_limit: float


class Supervisor:
    """Starts the children of all tasks, starts them again if they end, and stops them."""

    def __init__(self, tasks: Sequence[Task], patience: Patience) -> None:
        self._children = [_Child(task, patience) for task in tasks]
        self._patience = patience
        self._changed = Event()
        self._stopping = False

    def run(self, on_ready: Callable[[], None]) -> int:
        """Run until a signal to stop; 0, or the exit code of a child that cannot start.

        Must be called on the main thread, whose signals it handles meanwhile.
        """
        wanted = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
        before = {number: signal.signal(number, self._signalled) for number in wanted}
        try:
            return self._work(on_ready)
        finally:
            self._stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _signalled(self, number: int, _: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self._stopping = True
        self._changed.set()

    def _work(self, on_ready: Callable[[], None]) -> int:
        deadline = monotonic() + self._patience.ready
        told = False
        while not self._stopping:
            for child in self._children:
                code = child.look_after(hopeless=not told)
                if code is not None:
                    return code
            if not told:
                if all(child.is_ready() for child in self._children):
                    told = True
                    on_ready()
                elif monotonic() > deadline:
                    return self._late()
            self._changed.wait(_GLANCE_SECONDS if not told else self._longest_wait())
            self._changed.clear()
        return 0

    def _late(self) -> int:
        """Say who is late; the code with which the first of them ended last."""
        late = [child for child in self._children if not child.was_ready]
        names = ", ".join(child.task.name for child in late)
        logger.error("not ready after %g seconds: %s", self._patience.ready, names)
        return late[0].last_code if late[0].last_code > 0 else FAILURE

    def _longest_wait(self) -> float | None:
        """Until the next start that is due; None if only a signal can change anything."""
        due = [child.due for child in self._children if child.process is None]
        return max(0.0, min(due) - monotonic()) if due else None

    def _stop(self) -> None:
        running = [child for child in self._children if child.process is not None]
        for child in running:
            child.signal(signal.SIGTERM)
        deadline = monotonic() + self._patience.stop
        for child in running:
            child.end(deadline)


class _Child:
    """One task's process, now or soon again."""

    def __init__(self, task: Task, patience: Patience) -> None:
        self.task = task
        self.process: subprocess.Popen[bytes] | None = None
        self.due = monotonic()
        self.was_ready = False
        self.last_code = 0
        self._patience = patience
        self._failures = 0
        self._started = 0.0

    def look_after(self, *, hopeless: bool) -> int | None:
        """Start the process if it is due, note if it ended; its code if starting again cannot help."""
        if self.process is not None:
            code = self.process.poll()
            if code is not None:
                self._note_end(code)
                if hopeless and code in HOPELESS:
                    return code
        if self.process is None and monotonic() >= self.due:
            self._start()
        return None

    def _start(self) -> None:
        command = [sys.executable, "-m", self.task.module, *self.task.arguments]
        # Standard input is a lifeline: a child that sees its end knows that the supervisor is gone.
        # A session of its own keeps the terminal's Ctrl-C away: the supervisor passes it on.
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=self.task.descriptors,
            start_new_session=True,
        )
        self._started = monotonic()
        logger.info("started %s with pid %d", self.task.name, self.process.pid)

    def _note_end(self, code: int) -> None:
        self._release()
        self.last_code = code
        if monotonic() - self._started > self._patience.restart_limit:
            self._failures = 0
        wait = min(self._patience.restart_limit, self._patience.restart * 2.0 ** min(self._failures, 30))
        self._failures += 1
        self.due = monotonic() + wait
        logger.error("%s ended with code %d; it is started again in %g s", self.task.name, code, wait)

    def _release(self) -> None:
        assert self.process is not None
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process = None

    def is_ready(self) -> bool:
        """Whether the task said so once."""
        if not self.was_ready and self.process is not None:
            self.was_ready = self.task.ready(self.process)
        return self.was_ready

    def signal(self, number: int) -> None:
        """Send a signal to the process, if it still runs."""
        if self.process is not None:
            self.process.send_signal(number)

    def end(self, deadline: float) -> None:
        """Wait for the end until ``deadline``, then end it by force."""
        assert self.process is not None
        try:
            self.process.wait(max(0.0, deadline - monotonic()))
        except subprocess.TimeoutExpired:
            logger.error("%s did not stop in time; it is ended by force", self.task.name)
            self.process.kill()
            self.process.wait()
        self._release()
