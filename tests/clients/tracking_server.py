"""The collector in this process, on a thread, with one way or the other of speaking HTTP."""

import itertools
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cauce.app.collector import Collector
from cauce.app.compose import Composition
from cauce.app.listening import listen
from cauce.app.new_space import make_space
from cauce.app.tracking_protocol import TrackingProtocol
from cauce.collect.needs import WriteKeys
from cauce.collect.settings import CollectSettings
from cauce.eventlog.sqlite import SqliteLog
from cauce.govern.keys import KeyRing
from cauce.vocabulary.moment import Moment, parse_iso

RECEIVED = parse_iso("2026-02-03T04:05:06Z") or Moment(0)
PATIENCE = 20.0
_CHANGING = re.compile(rb"(?<=\r\n)(date: |server-timing: collect;dur=)[^\r]*")


class Counting(HttpToolsProtocol):
    """Counts the bytes that have come in."""

    def data_received(self, data: bytes) -> None:
        """Count them when they have been looked at."""
        super().data_received(data)
        self.config.app.came += len(data)  # type: ignore[union-attr]


class CountingShort(Counting, TrackingProtocol):
    """The same for the collector's own protocol."""


class CountingCollector(Collector):
    """Counts the requests that came to the application: those on the ordinary way."""

    came = 0
    ordinary = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Count, and go on."""
        self.ordinary += scope["type"] == "http"
        await super().__call__(scope, receive, send)


class TrackingServer:
    """A server on a space of its own; ids and the clock are fixed. ``short`` chooses the way."""

    def __init__(
        self,
        space: Path,
        *,
        short: bool,
        limits: CollectSettings | None = None,
        keys: WriteKeys | None = None,
        keep_alive_seconds: int = 75,
        lock_seconds: float = 30,
    ) -> None:
        made = make_space(space, now=RECEIVED)
        self.key = made.write_key.secret
        self.space = space
        self.log = SqliteLog(space, wait_seconds=lock_seconds)
        numbers = itertools.count(1)
        self.app = CountingCollector(
            self.log,
            keys or KeyRing(Composition(space).control, time.monotonic),
            limits or CollectSettings(),
            clock=lambda: RECEIVED,
            new_id=lambda: f"made-{next(numbers)}",
        )
        self.listener = listen("collector", "127.0.0.1", 0)
        self.port: int = self.listener.getsockname()[1]
        config = uvicorn.Config(
            self.app,
            http=CountingShort if short else Counting,
            access_log=False,
            log_config=None,
            server_header=False,
            lifespan="on",
            ws="none",
            timeout_keep_alive=keep_alive_seconds,
            timeout_graceful_shutdown=10,
        )
        self.server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self.server.run, args=([self.listener],))

    def start(self) -> "TrackingServer":
        """Serve."""
        self._thread.start()
        until(lambda: self.server.started and bool(self.server.server_state.default_headers))
        return self

    def begin_stop(self) -> None:
        """Tell it to stop, as a signal does."""
        self.server.should_exit = True

    def ended(self) -> None:
        """Wait until it has stopped."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the server does not end"
        self.log.close()

    def connect(self) -> socket.socket:
        """A connection whose pieces go at once."""
        made = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def send(self, connection: socket.socket, pieces: Sequence[bytes]) -> None:
        """Send pieces, each when the one before has been looked at."""
        for piece in pieces:
            before = self.app.came
            connection.sendall(piece)
            until(lambda wanted=before + len(piece): self.app.came >= wanted)  # type: ignore[misc]

    def ask(self, *pieces: bytes, answers: int = 1) -> list[bytes]:
        """The answers to what is sent on a new connection; the last one is empty if it was closed then."""
        with self.connect() as connection:
            self.send(connection, pieces)
            found = [read_answer(connection) for _ in range(answers)]
            if b"\r\nconnection: close\r\n" in found[-1]:
                found.append(read_answer(connection))
            return found


@contextmanager
def serving(space: Path, *, short: bool, **more: Any) -> Iterator[TrackingServer]:
    """A server as long as the context lasts."""
    server = TrackingServer(space, short=short, **more).start()
    try:
        yield server
    finally:
        server.begin_stop()
        server.ended()


def read_answer(connection: socket.socket) -> bytes:
    """One whole answer, without what changes from one moment to the next; empty at the end."""
    text = b""
    while b"\r\n\r\n" not in text:
        more = connection.recv(1)
        if not more:
            assert not text, "an answer was cut off"
            return b""
        text += more
    length = re.search(rb"\r\ncontent-length: (\d+)\r\n", text)
    wanted = len(text) + (int(length[1]) if length else 0)
    while len(text) < wanted:
        more = connection.recv(wanted - len(text))
        assert more, "an answer was cut off"
        text += more
    return _CHANGING.sub(rb"\1", text)


def until(reached: Callable[[], bool]) -> None:
    """Wait for something, with patience."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.001)
