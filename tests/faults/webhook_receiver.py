"""A real HTTP server for tests: it remembers every request and answers as it is told."""

import hmac
import ssl
from collections.abc import Callable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from time import monotonic
from typing import NamedTuple


class Request(NamedTuple):
    """A request as it arrived; ``number`` counts those with the same key, from 1."""

    path: str
    headers: dict[str, str]
    body: bytes
    number: int
    at: float

    @property
    def key(self) -> str:
        return self.headers["Idempotency-Key"]


Reply = Callable[["Handler"], None]


def answer(status: int, headers: dict[str, str] | None = None, body: bytes = b"ok") -> Reply:
    """A complete answer."""

    def reply(handler: "Handler") -> None:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def raw(data: bytes) -> Reply:
    """Some bytes, and the end of the connection."""

    def reply(handler: "Handler") -> None:
        handler.wfile.write(data)
        handler.close_connection = True

    return reply


def cut(handler: "Handler") -> None:
    """No answer: the connection is closed after the request was read."""
    handler.close_connection = True


def hang(handler: "Handler") -> None:
    """No answer until the receiver closes."""
    handler.receiver.closing.wait()
    handler.close_connection = True


def endless(first: bytes, again: bytes, pause: float) -> Reply:
    """Bytes without end."""

    def reply(handler: "Handler") -> None:
        handler.close_connection = True
        try:
            handler.wfile.write(first)
            while not handler.receiver.closing.wait(pause):
                handler.wfile.write(again)
        except OSError:
            pass

    return reply


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    receiver: "Receiver"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.receiver.take(self, Request(self.path, dict(self.headers), body, 0, monotonic()))

    def log_message(self, format: str, *args: object) -> None:
        pass


class Receiver:
    """The server, in a thread; ``decide`` chooses the reply to each request."""

    def __init__(
        self,
        decide: Callable[[Request], Reply] = lambda _: answer(200),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[Request] = []
        self.closing = Event()
        self._decide = decide
        self._lock = Lock()
        handler = type("BoundHandler", (Handler,), {"receiver": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # clients that go away are what is tested
        self.port = self._server.server_address[1]
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def take(self, handler: Handler, request: Request) -> None:
        with self._lock:
            before = sum(request.key == one.key for one in self.requests)
            request = request._replace(number=before + 1)
            self.requests.append(request)
        self._decide(request)(handler)

    def url(self, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}/hooks/cauce?v=1"

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def genuine(request: Request, secret: bytes) -> bool:
    """Whether the signature fits: written from the published scheme, with no code of the product."""
    fields = dict(part.split("=", 1) for part in request.headers["Cauce-Signature"].split(","))
    mac = hmac.new(secret, digestmod=sha256)
    mac.update(fields["t"].encode())
    mac.update(b".")
    mac.update(request.body)
    return fields["v1"] == mac.hexdigest() and set(fields) == {"t", "v1"}
