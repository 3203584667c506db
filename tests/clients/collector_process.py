"""A real collector: the child process of `cauce serve`, on a space of its own and a free port."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import httpx

from cauce.app.child import main as child
from cauce.app.listening import listen, url_of
from cauce.app.new_space import FIRST_SOURCE, make_space
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.event import Logged, Position
from cauce.vocabulary.moment import now

SOURCE = FIRST_SOURCE
_SECONDS = 30


class RunningCollector:
    """Starts on entry, stops on exit; ``kill`` ends it with SIGKILL, ``start`` begins again on the port.

    ``settings`` are environment variables such as ``CAUCE_COLLECTOR__WAITING_EVENTS``.
    """

    def __init__(self, space: Path, settings: dict[str, str] | None = None) -> None:
        self.space = space
        self.key = make_space(space, now=now()).write_key.secret
        self._listener = listen("collector", "127.0.0.1", 0)
        self.url = url_of(self._listener)
        self.port: int = self._listener.getsockname()[1]
        self.settings = settings or {}

    def __enter__(self) -> "RunningCollector":
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self.process.poll() is None:
            self.stop()
        self._listener.close()

    def start(self) -> None:
        descriptor = self._listener.fileno()
        self.process = subprocess.Popen(
            [sys.executable, "-m", child.__module__, "collector", str(self.space), str(descriptor)],
            pass_fds=[descriptor],
            stdin=subprocess.PIPE,
            env=os.environ | self.settings,
        )
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                if httpx.get(f"{self.url}/ready", timeout=5, trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, "the collector ended"
            assert time.monotonic() < deadline, "the collector did not become ready"
            time.sleep(0.02)

    def stop(self) -> int:
        self.process.terminate()
        return self._ended()

    def kill(self) -> None:
        self.process.kill()
        self._ended()

    def _ended(self) -> int:
        code = self.process.wait(_SECONDS)
        assert self.process.stdin is not None
        self.process.stdin.close()
        return code

    def logged(self) -> list[Logged]:
        """Every event in the log."""
        log = SqliteLog(self.space)
        try:
            return log.read(Position(0), 10_000_000)
        finally:
            log.close()

    def refused(self) -> list[tuple[str, bytes]]:
        """What is in quarantine, oldest first: reasons and bodies."""
        log = SqliteLog(self.space)
        try:
            return [(one.reason, one.body) for one in log.quarantined(limit=1_000_000)]
        finally:
            log.close()

    def reasons(self) -> list[str]:
        """Why input is in quarantine, oldest first."""
        return [reason for reason, _ in self.refused()]
