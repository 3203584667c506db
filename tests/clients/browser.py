"""A real Chromium without a window, driven by its DevTools protocol over a pipe."""

import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 60
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)


def executable() -> str | None:
    """The browser on this machine; None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Refused(Exception):
    """The browser refused a command, or a script in a page failed."""


class Browser:
    """Starts on entry, ends on exit. ``page`` opens a page that shares nothing with others."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._numbers = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._told: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._ended = False

    def __enter__(self) -> "Browser":
        self._home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        flags = [*_FLAGS, f"--user-data-dir={self._home.name}", "about:blank"]
        if os.geteuid() == 0:
            flags.insert(0, "--no-sandbox")
        # The browser reads commands from descriptor 3 and writes to 4.
        begin = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            ["bash", "-c", begin, self._program, *flags],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.send("Browser.close")
            self._process.wait(_SECONDS)
        except (OSError, Refused, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait(_SECONDS)
        os.close(self._out)
        self._reader.join(_SECONDS)
        os.close(self._in)
        self._home.cleanup()

    def _read(self) -> None:
        rest = b""
        while chunk := os.read(self._in, 1 << 16):
            *messages, rest = (rest + chunk).split(b"\0")
            with self._news:
                for message in map(json.loads, messages):
                    if "id" in message:
                        self._answers[message["id"]] = message
                    else:
                        self._told.append(message)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def send(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Give a command and wait for its result."""
        with self._news:
            self._numbers += 1
            number = self._numbers
        command = {"id": number, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        os.write(self._out, json.dumps(command).encode() + b"\0")
        with self._news:
            there = self._news.wait_for(lambda: number in self._answers or self._ended, _SECONDS)
            if not there or number not in self._answers:
                raise Refused(f"{method}: no answer")
            answer = self._answers.pop(number)
        if "error" in answer:
            raise Refused(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def told(self, method: str, session: str) -> list[dict[str, Any]]:
        """The parameters of all events of one kind that a page has told so far."""
        with self._news:
            return [
                one["params"]
                for one in self._told
                if one["method"] == method and one.get("sessionId") == session
            ]

    def wait_told(self, method: str, session: str, count: int = 1) -> list[dict[str, Any]]:
        """The same, once there are so many."""
        deadline = time.monotonic() + _SECONDS
        while len(found := self.told(method, session)) < count:
            if time.monotonic() > deadline:
                raise Refused(f"{method} did not happen {count} times")
            with self._news:
                self._news.wait(0.5)
        return found

    @contextmanager
    def page(self) -> Iterator["Page"]:
        """A page with cookies and storage of its own."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        try:
            target = self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
            session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            yield Page(self, session)
        finally:
            self.send("Target.disposeBrowserContext", browserContextId=context)


class Page:
    """One page."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give a command that concerns the page."""
        return self._browser.send(method, self._session, **parameters)

    def told(self, method: str) -> list[dict[str, Any]]:
        """The parameters of all events of one kind that the page has told."""
        return self._browser.told(method, self._session)

    def wait_told(self, method: str, count: int = 1) -> list[dict[str, Any]]:
        """The same, once there are so many."""
        return self._browser.wait_told(method, self._session, count)

    def open(self, url: str) -> None:
        """Go to a URL and wait until it has loaded."""
        loaded = len(self.told("Page.loadEventFired"))
        if error := self.send("Page.navigate", url=url).get("errorText"):
            raise Refused(f"{url}: {error}")
        self.wait_told("Page.loadEventFired", loaded + 1)

    def run(self, script: str) -> Any:
        """The value of an expression, of its promise if it is one."""
        found = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise Refused(str(found["exceptionDetails"].get("exception", {}).get("description", found)))
        return found["result"].get("value")

    def offline(self, offline: bool) -> None:
        """Take the network away from the page, or give it back."""
        conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.send("Network.emulateNetworkConditions", offline=offline, **conditions)

    def complaints(self) -> list[str]:
        """What the browser wrote into the console: refused scripts and requests among it."""
        return [str(one["entry"]["text"]) for one in self.told("Log.entryAdded")]


def sdk_folder() -> Path:
    """The folder with the files of analytics.js, as npm brings them."""
    return Path(__file__).parent / "node/node_modules/@segment/analytics-next/dist/umd"
