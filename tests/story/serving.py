"""A running `cauce serve`, as its users see it."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import httpx
import psutil

from tests.story.command import CAUCE, environment

T = TypeVar("T")

PATIENCE = 60.0
_PORTS = ("CAUCE_COLLECTOR__PORT", "CAUCE_API__PORT", "CAUCE_CONSOLE__PORT")


class Served(NamedTuple):
    """The process, its addresses and the files it writes to."""

    process: subprocess.Popen[bytes]
    collector: str
    api: str
    log: Path
    console: str = ""

    def children(self) -> dict[str, psutil.Process]:
        """The child processes by name."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            command = child.cmdline()
            if "cauce.app.child" in command:
                found[command[command.index("cauce.app.child") + 1]] = child
        return found

    def messages(self) -> list[dict[str, Any]]:
        """The log lines, each of which must be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@contextmanager
def served(space: Path, **variables: str) -> Iterator[Served]:
    """Serve a space on free ports until the block ends."""
    out, err = space.parent / "serve.out", space.parent / "serve.err"
    command = [CAUCE, "serve", "--space", str(space), "--json"]
    variables = {**dict.fromkeys(_PORTS, "0"), **variables}
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            command,
            stdout=stdout,
            stderr=stderr,
            env=environment(**variables),
            start_new_session=True,
        )
    try:
        ready = json.loads(until(lambda: _line(out, process, err), "serve to be ready"))
        yield Served(process, ready["collector"], ready["api"], err, ready["console"] or "")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise


def _line(out: Path, process: subprocess.Popen[bytes], err: Path) -> str:
    assert process.poll() is None, err.read_text()
    return out.read_text().strip()


def until(look: Callable[[], T], what: str) -> T:
    """Look again and again until there is something to see."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.05)


def send(url: str, key: str, *events: dict[str, Any]) -> httpx.Response:
    """Send a batch of events to the tracking API."""
    return httpx.post(
        f"{url}/v1/batch", json={"batch": list(events)}, auth=(key, ""), timeout=30, trust_env=False
    )
