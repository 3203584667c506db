"""An HTTP server on an inherited socket, for the processes that answer requests."""

import asyncio
import math
import socket
from typing import Any, Literal

import uvicorn

_KEEP_ALIVE_SECONDS = 75


def run_http(
    app: Any,
    descriptor: int,
    *,
    stop_seconds: float,
    protocol: type[asyncio.Protocol] | None = None,
    sockets: Literal["none", "websockets-sansio"] = "none",
) -> None:
    """Serve an ASGI application until SIGTERM or SIGINT, then finish for at most ``stop_seconds``.

    ``protocol`` is what speaks HTTP on each connection in place of uvicorn's own, ``sockets``
    what speaks WebSocket.
    """
    config = uvicorn.Config(
        app,
        http=protocol or "httptools",
        access_log=False,  # it would name URLs, which name people
        log_config=None,
        server_header=False,
        lifespan="on",
        ws=sockets,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(stop_seconds),
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])
