"""The floors the door is measured against: bare ASGI handlers on the same server."""

import sqlite3
from pathlib import Path
from typing import Any

import uvicorn

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


async def empty(_: Any, receive: Any, send: Any) -> None:
    """Read the body and answer."""
    await _read(receive)
    await send(_START)
    await send(_BODY)


def inserting(path: Path) -> Any:
    """A handler that inserts the whole body as one row and commits with fsync, then answers."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS bodies (body BLOB NOT NULL)")

    async def insert(_: Any, receive: Any, send: Any) -> None:
        body = await _read(receive)
        connection.execute("INSERT INTO bodies VALUES (?)", (body,))
        await send(_START)
        await send(_BODY)

    return insert


def serve(kind: str, port: int, path: Path) -> None:
    """Serve one of the floors until told to stop."""
    app = empty if kind == "empty" else inserting(path)
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        lifespan="off",
        ws="none",
    )
    uvicorn.Server(config).run()
