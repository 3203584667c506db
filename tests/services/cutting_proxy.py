"""A TCP proxy before a server, which cuts connections at a word in what the client sends."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit


class Cut(StrEnum):
    """Where a connection is cut: before the server gets the word, or after it has acted on it."""

    BEFORE = "before"
    AFTER = "after"


class CuttingProxy:
    """Passes bytes on, until one of ``cuts`` is due for a word; ``closed`` refuses new connections."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.word = b"COMMIT\0"
        self.cuts: list[Cut] = []
        self.closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.closed:
                    client.close()
                    continue
                server = socket.create_connection(self._server)
                due = threading.Event()
                threading.Thread(target=self._upstream, args=(client, server, due), daemon=True).start()
                threading.Thread(target=self._downstream, args=(client, server, due), daemon=True).start()

    def _upstream(self, client: socket.socket, server: socket.socket, due: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if self.word in data and self.cuts:
                    if self.cuts.pop(0) is Cut.BEFORE:
                        break
                    due.set()  # the answer to this is not passed on
                server.sendall(data)
        _end(client, server)

    def _downstream(self, client: socket.socket, server: socket.socket, due: threading.Event) -> None:
        with suppress(OSError):
            while (data := server.recv(65_536)) and not due.is_set():
                client.sendall(data)
        _end(client, server)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextmanager
def cutting(url: str) -> Iterator[tuple[str, CuttingProxy]]:
    """The same server behind a proxy: its URL there, and the proxy."""
    parts = urlsplit(url)
    proxy = CuttingProxy(parts.hostname or "127.0.0.1", parts.port or 5432)
    account, _, _ = parts.netloc.rpartition("@")
    try:
        yield urlunsplit(parts._replace(netloc=f"{account}@127.0.0.1:{proxy.port}")), proxy
    finally:
        proxy.close()
