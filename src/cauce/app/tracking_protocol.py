"""HTTP for the collector: uvicorn's protocol, with a short way for ordinary tracking calls.

A small POST to the tracking API is decided about as soon as its body is whole, and
answered with one write when its group is durable: no task, no scope, no messages of
ASGI. Every other request takes uvicorn's way through the application, with equal
answers, and so do requests that come before an earlier one of their connection is
answered (``docs/decisions/0023-a-short-way-for-tracking-calls.md``).
"""

import logging
from time import perf_counter
from typing import Any

import uvicorn
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from cauce.app.collector import Collector
from cauce.app.intake import Intake
from cauce.collect.answers import Answer, Header
from cauce.collect.call import ROUTES
from cauce.collect.service import Request
from cauce.vocabulary.event import Call

logger = logging.getLogger(__name__)

_KNOWN = "0.54."
"""The uvicorn whose own protocol this was written for; ``tests/clients/test_short_way.py`` looks at it."""

_ROUTES: dict[bytes, Call | None] = {path.encode(): call for path, call in ROUTES.items()}
_POST = b"POST"
_ORDINARY = frozenset((b"x-strict", b"transfer-encoding", b"upgrade"))
"""Who sends one of these headers is answered in the ordinary way."""


def protocol(version: str = uvicorn.__version__) -> type[HttpToolsProtocol]:
    """The protocol to serve a collector with: uvicorn's own, if it is another than the one known here."""
    if version.startswith(_KNOWN):
        return TrackingProtocol
    logger.warning("uvicorn %s is not known here: events are taken in the ordinary, slower way", version)
    return HttpToolsProtocol


class _Unheard:
    """Stands where uvicorn wakes whoever waits for more of a body: nobody does."""

    def set(self) -> None:
        """Wake nobody."""


class Exchange:
    """A request on the short way, in the place of uvicorn's ``RequestResponseCycle``.

    The protocol's own code asks it for ``response_complete``, and tells it by
    ``disconnected`` and ``keep_alive`` that the client is gone or the server ends.
    """

    __slots__ = (
        "_began",
        "_headers",
        "_protocol",
        "_shared",
        "body",
        "call",
        "disconnected",
        "keep_alive",
        "response_complete",
    )

    message_event = _Unheard()

    def __init__(
        self,
        protocol: "TrackingProtocol",
        call: Call | None,
        headers: dict[bytes, bytes],
        shared: tuple[Header, ...],
        keep_alive: bool,
    ) -> None:
        self._began = perf_counter()
        self._protocol = protocol
        self._headers = headers
        self._shared = shared
        self.call = call
        self.body = b""
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False

    def take(self, intake: Intake) -> None:
        """Hand in the request, whose body is whole now."""
        headers = self._headers
        intake.take(
            Request(
                self.call,
                headers.get(b"authorization", b""),
                headers.get(b"content-type", b""),
                self.body,
                intake.clock(),
            ),
            self.reply,
        )

    def reply(self, answer: Answer) -> None:
        """Send the answer and let the connection go on, as uvicorn's cycle does."""
        protocol = self._protocol
        self.response_complete = True
        protocol.intake.counters.requests[answer.status] += 1
        if protocol.transport.is_closing():  # the client has gone
            return
        milliseconds = (perf_counter() - self._began) * 1_000
        protocol.transport.write(protocol.text(answer, self._shared, milliseconds, self.keep_alive))
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()


class TrackingProtocol(HttpToolsProtocol):
    """One connection to the collector. The application that is served must be a ``Collector``."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        assert isinstance(config.app, Collector), "this protocol serves the collector only"
        self._collector = config.app
        self.intake = config.app.intake
        self._reading: Exchange | None = None

    def on_message_begin(self) -> None:
        """Like uvicorn, but without the scope, which a request on the short way does not need."""
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        """Choose the way."""
        self._reading = self._exchange()
        if self._reading is None:
            self._go_ordinary_way()
        else:
            self.cycle = self._reading  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        """Keep what came of the body; a long one goes the ordinary way, which knows to wait."""
        reading = self._reading
        if reading is None:
            super().on_body(body)
            return
        reading.body = reading.body + body if reading.body else body
        if len(reading.body) > HIGH_WATER_LIMIT:
            self._turn_back(reading)

    def on_message_complete(self) -> None:
        """Hand in a request on the short way."""
        reading, self._reading = self._reading, None
        if reading is not None:
            try:
                reading.take(self.intake)
            except Exception:  # a fault of ours: uvicorn's way answers 500 and tells of it
                self._turn_back(reading)
            else:
                return
        super().on_message_complete()

    def text(
        self, answer: Answer, shared: tuple[Header, ...], milliseconds: float, keep_alive: bool
    ) -> bytes:
        """The bytes of an answer, as uvicorn writes them."""
        lines = [STATUS_LINE[answer.status]]
        for name, value in (*self.server_state.default_headers, *answer.headers, *shared):
            lines += name, b": ", value, b"\r\n"
        lines.append(b"server-timing: collect;dur=%.2f\r\n" % milliseconds)
        if not keep_alive:
            lines.append(b"connection: close\r\n")
        lines += b"\r\n", answer.body
        return b"".join(lines)

    def _exchange(self) -> Exchange | None:
        """The request as one on the short way; None if it must take the ordinary one."""
        parser = self.parser
        if (
            self.url not in _ROUTES
            or parser.get_method() != _POST
            or (self.cycle is not None and not self.cycle.response_complete)
            or self.flow.write_paused
            or self.expect_100_continue
        ):
            return None
        headers = dict(self.headers)
        if not _ORDINARY.isdisjoint(headers):
            return None
        shared = self._collector.shared_headers(True, headers)
        if shared is None:
            return None
        keep_alive = parser.get_http_version() != "1.0" and parser.should_keep_alive()
        return Exchange(self, _ROUTES[self.url], headers, shared, keep_alive)

    def _go_ordinary_way(self) -> None:
        """Do what uvicorn does when headers are complete, and what it did before."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers  # the list is in the scope
        super().on_headers_complete()

    def _turn_back(self, reading: Exchange) -> None:
        """Take the ordinary way after all."""
        self._reading = None
        self.cycle = None  # type: ignore[assignment]
        self._go_ordinary_way()
        self.cycle.keep_alive = self.cycle.keep_alive and reading.keep_alive
        super().on_body(reading.body)
