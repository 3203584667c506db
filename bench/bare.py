"""The floors the door is measured against: bare ASGI handlers on the same server."""

import sqlite3
import sys
from pathlib import Path
from typing import Any

from cauce.app.collector import tune_process
from cauce.app.http_server import run_http

_ANSWER = b'{"success":true}'
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"16")],
}
_BODY = {"type": "http.response.body", "body": _ANSWER}


async def _read(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _live(receive: Any, send: Any) -> None:
    """Follow the server's life."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def empty(scope: Any, receive: Any, send: Any) -> None:
    """Read the body and answer."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    await _read(receive)
    await send(_START)
    await send(_BODY)


def inserting(path: Path) -> Any:
    """A handler that inserts the whole body as one row and commits with fsync, then answers."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS bodies (body BLOB NOT NULL)")

    async def insert(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        body = await _read(receive)
        connection.execute("INSERT INTO bodies VALUES (?)", (body,))
        await send(_START)
        await send(_BODY)

    return insert


def serve(kind: str, descriptor: int, path: Path) -> None:
    """Serve one of the floors on a listening socket until told to stop, as the collector is served."""
    tune_process()
    run_http(empty if kind == "empty" else inserting(path), descriptor, stop_seconds=1)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
