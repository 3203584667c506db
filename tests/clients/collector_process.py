"""A real collector in a process of its own: in-memory keys, the embedded log, a free port."""

import multiprocessing
import time
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from uuid import uuid4

import httpx

from cauce.app.collector import Collector, run
from cauce.collect.settings import CollectSettings
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.event import Logged, Position
from cauce.vocabulary.moment import now

KEY = "test-write-key"
SOURCE = "website"
_SPAWN = multiprocessing.get_context("spawn")


class Keys:
    """Write keys in memory; see ``WriteKeys``."""

    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources

    def verify(self, write_key: str) -> str | None:
        return self._sources.get(write_key)


def _serve(space: Path, port: int, limits: CollectSettings, ready: Connection) -> None:
    log = SqliteLog(space, wait_seconds=2)
    collector = Collector(log, Keys({KEY: SOURCE}), limits, clock=now, new_id=lambda: str(uuid4()))
    run(
        collector,
        host="127.0.0.1",
        port=port,
        stop_seconds=10,
        announce=lambda _, bound: ready.send(bound),
    )
    log.close()


class RunningCollector:
    """Starts on entry, stops on exit; ``kill`` ends it with SIGKILL, ``start`` begins again on the port."""

    def __init__(self, space: Path, limits: CollectSettings | None = None) -> None:
        self.space = space
        self.port = 0
        self._limits = limits or CollectSettings()

    def __enter__(self) -> "RunningCollector":
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self.process.is_alive():
            self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        mine, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=_serve, args=(self.space, self.port, self._limits, theirs))
        self.process.start()
        theirs.close()
        self.port = mine.recv()
        deadline = time.monotonic() + 20
        while True:
            try:
                if httpx.get(f"{self.url}/ready", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, "the collector did not become ready"
            time.sleep(0.02)

    def stop(self) -> int | None:
        self.process.terminate()
        self.process.join(20)
        return self.process.exitcode

    def kill(self) -> None:
        self.process.kill()
        self.process.join(20)

    def logged(self) -> list[Logged]:
        """Every event in the log."""
        return logged(self.space)

    def reasons(self) -> list[str]:
        """Why input is in quarantine, oldest first."""
        log = SqliteLog(self.space)
        try:
            return [one.reason for one in log.quarantined(limit=1_000_000)]
        finally:
            log.close()


def logged(space: Path) -> list[Logged]:
    log = SqliteLog(space)
    try:
        return log.read(Position(0), 10_000_000)
    finally:
        log.close()
