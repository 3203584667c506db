"""Listening sockets, bound by the supervisor and inherited by the processes that answer on them.

So a port that is taken is told before anything starts, port 0 is known to all,
and requests wait in the socket's queue while a process is started again.
"""

import errno
import http.client
import socket
from time import monotonic, sleep

from cauce.vocabulary.errors import BadSettings, Conflict

_BACKLOG = 2_048
_PROBE_SECONDS = 1.0
_LOOK_SECONDS = 0.05


def listen(section: str, host: str, port: int, *, wait_seconds: float = 0) -> socket.socket:
    """A listening socket, once the port is free.

    Raises ``Conflict`` if it stays taken for ``wait_seconds``, ``BadSettings`` if the host is wrong.
    """
    deadline = monotonic() + wait_seconds
    while True:
        try:
            return _listen(section, host, port)
        except Conflict:
            if monotonic() >= deadline:
                raise
            sleep(_LOOK_SECONDS)


def _listen(section: str, host: str, port: int) -> socket.socket:
    where = f"{host}:{port}"
    try:
        [(family, _, _, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise BadSettings(
            f"The host {host} of {section} is no address of this machine.",
            hint=f"Set {section}.host, for example to 127.0.0.1.",
        ) from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise BadSettings(
                f"{section} cannot listen on {where}: {error.strerror}.",
                hint=f"Set {section}.host and {section}.port.",
            ) from error
        raise Conflict(
            f"{section} cannot listen on {where}: the port is taken.",
            hint=f"Stop what listens there, or set {section}.port (CAUCE_{section.upper()}__PORT).",
        ) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """The URL under which this machine reaches the socket."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def answers(url: str, path: str = "/health") -> bool:
    """Whether something answers HTTP there within a second."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=_PROBE_SECONDS)
    try:
        connection.request("GET", path)
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    else:
        return True
    finally:
        connection.close()
