"""An HTTP server on an inherited socket, for the processes that answer requests."""

import math
import socket
from typing import Any

import uvicorn

_KEEP_ALIVE_SECONDS = 75


def run_http(app: Any, descriptor: int, *, stop_seconds: float) -> None:
    """Serve an ASGI application until SIGTERM or SIGINT, then finish for at most ``stop_seconds``."""
    config = uvicorn.Config(
        app,
        access_log=False,  # it would name URLs, which name people
        log_config=None,
        server_header=False,
        lifespan="on",
        ws="none",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(stop_seconds),
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])
