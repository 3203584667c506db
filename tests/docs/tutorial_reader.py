"""Somebody who follows a page: writes its files, types its commands, and compares what she sees.

Ports that the page names are replaced by free ones, everywhere. In what is shown, ``…`` stands for
anything, and a line of it alone for any lines; how many spaces there are does not count.
"""

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

from tests.docs.markdown_blocks import Command
from tests.story.command import CAUCE, environment
from tests.story.serving import PATIENCE, until

NEVER_END = ("cauce serve", "python3 receiver.py")
ACTS_ONCE = (
    "cauce init",
    "cauce import",
    "cauce key create",
    "cauce apply",
    "cauce rollback",
    "cauce backup",
    "cauce restore",
    "cauce quarantine",
    "curl",
    "echo",
    "sed",
)

READY = ["Collector: …", "API: …", "Stop with Ctrl-C."]
"""What `cauce serve` shows when it serves."""


def free_ports(count: int) -> list[str]:
    """Ports that were free a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def looks_like(shown: list[str], seen: str) -> bool:
    """Whether what is seen is what the page shows."""
    lines = [".*" if line.strip() == "…" else _pattern(line) for line in shown if line.strip()]
    found = "\n".join(_even(line) for line in seen.splitlines() if line.strip())
    return re.fullmatch("\n".join(lines).replace("\n.*", "(?:\n.*)*"), found) is not None


def _pattern(line: str) -> str:
    return ".*".join(re.escape(part) for part in _even(line).split("…"))


def _even(line: str) -> str:
    return " ".join(line.split())


class Reader:
    """A reader with a folder, variables of her shell, and programs that keep running."""

    def __init__(self, folder: Path, ports: dict[str, str]) -> None:
        self._folder = folder
        self._ports = ports
        self._running: dict[str, tuple[subprocess.Popen[bytes], Path]] = {}
        self._seen = ""
        self.environment = environment(
            PATH=f"{CAUCE.parent}{os.pathsep}{os.environ['PATH']}",
            CAUCE_COLLECTOR__PORT=ports["8765"],
            CAUCE_API__PORT=ports["8766"],
            NO_PROXY="127.0.0.1",
            no_proxy="127.0.0.1",
            PYTHONUNBUFFERED="1",
        )

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._running):
            self.stop(name)

    def write(self, file: str, text: str) -> None:
        """Save a block as a file, in a folder that must exist."""
        (self._folder / file).write_text(self._local(text), encoding="utf-8")

    def type(self, command: Command) -> str:
        """Type a command and compare; what it printed."""
        line, shown = self._local(command.line), [self._local(line) for line in command.shown]
        assignment = re.fullmatch(r"([A-Z_]+)=(\S+)", line)
        if assignment:
            self.environment[assignment[1]] = self._value(assignment[2])
            return ""
        endless = next((name for name in NEVER_END if name in line), "")
        if endless:
            return self._start(endless, line, shown)
        if not shown or line.startswith(ACTS_ONCE):
            seen = self._run(line)
            assert looks_like(shown, seen) or not shown, f"$ {line}\n{seen}"
            return seen
        return self._look(line, shown)

    def printed_by(self, name: str) -> str:
        """What a running program printed until now."""
        return self._running[name][1].read_text(encoding="utf-8")

    def stop(self, name: str) -> None:
        """Press Ctrl-C where a program runs: it reaches the whole process group."""
        process, _ = self._running.pop(name)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise

    def _local(self, text: str) -> str:
        return re.sub(rf"\b(?:{'|'.join(self._ports)})\b", lambda port: self._ports[port[0]], text)

    def _value(self, written: str) -> str:
        if not written.endswith("…"):
            return written
        found = re.search(re.escape(written[:-1]) + r"\S+", self._seen)
        assert found, f"nothing seen begins with {written[:-1]}"
        return found[0]

    def _run(self, line: str) -> str:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self._folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if line.startswith(("curl", "cauce import")) else subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0 or "Error: " in done.stdout, f"$ {line}\n{done.stdout}"
        self._seen += done.stdout
        return done.stdout

    def _look(self, line: str, shown: list[str]) -> str:
        """Look again and again until the page's text is there."""
        last = ""

        def look() -> str:
            nonlocal last
            last = self._run(line)
            return last if looks_like(shown, last) else ""

        try:
            return until(look, line)
        except AssertionError:
            raise AssertionError(f"$ {line}\n{last}") from None

    def _start(self, name: str, line: str, shown: list[str]) -> str:
        if name in self._running:
            self.stop(name)
        out, err = (self._folder / f"{name.split()[-1]}.{stream}" for stream in ("out", "err"))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                ["bash", "-c", line],
                cwd=self._folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        self._running[name] = (process, out)
        until(lambda: self._has_begun(process, err) and looks_like(shown, self.printed_by(name)), line)
        return self.printed_by(name)

    def _has_begun(self, process: subprocess.Popen[bytes], err: Path) -> bool:
        assert process.poll() is None, err.read_text(encoding="utf-8")
        return True
