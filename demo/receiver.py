"""The receiver: a small system that Cauce tells who enters and leaves segments.

It verifies every signature, remembers each idempotency key once, and is busy
now and then (503), so that deliveries are retried.
"""

import hmac
import json
from collections import Counter
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

BUSY_EVERY = 40
"""Every so many requests one is answered 503."""


class Inbox:
    """What the receiver has got, safe to read while it listens."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._lock = Lock()
        self._bodies: dict[str, dict[str, Any]] = {}
        self.requests = 0
        self.busy = 0
        self.repeats = 0
        self.forged = 0

    def take(self, key: str, signature: str, body: bytes) -> int:
        """Take one request and give the status of its answer."""
        with self._lock:
            self.requests += 1
            if not self._genuine(signature, body):
                self.forged += 1
                return 401
            if self.requests % BUSY_EVERY == 0:
                self.busy += 1
                return 503
            self.repeats += key in self._bodies
            self._bodies[key] = json.loads(body)
            return 200

    def _genuine(self, signature: str, body: bytes) -> bool:
        parts = dict(part.partition("=")[::2] for part in signature.split(","))
        signed = parts.get("t", "").encode() + b"." + body
        expected = hmac.new(self._secret, signed, sha256).hexdigest()
        return hmac.compare_digest(expected, parts.get("v1", ""))

    def told(self) -> Counter[tuple[str, str]]:
        """How often each (segment, ``Audience Entered`` or ``Audience Exited``) was told, repeats apart."""
        with self._lock:
            return Counter(
                (str(body["properties"]["audience_key"]), str(body["event"]))
                for body in self._bodies.values()
            )

    def __len__(self) -> int:
        with self._lock:
            return len(self._bodies)


class Receiver:
    """The receiver as an HTTP server on 127.0.0.1, in a thread; use it as a context manager."""

    def __init__(self, secret: str, port: int = 0) -> None:
        self.inbox = Inbox(secret)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self.inbox))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="receiver", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(inbox: Inbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Take a request and answer."""
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            key = self.headers.get("Idempotency-Key", "")
            status = inbox.take(key, self.headers.get("Cauce-Signature", ""), body)
            self.send_response(status)
            if status == 503:
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: requests carry personal data."""

    return Handler
