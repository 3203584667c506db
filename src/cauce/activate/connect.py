"""Connections that are opened to checked addresses only.

The name is resolved, every address is judged, and the connection goes to one of
the judged addresses, so that a name server cannot answer differently in between
(DNS rebinding). TLS and the ``Host`` header keep the name.
"""

import asyncio
import socket
import ssl
from concurrent.futures import Executor

from cauce.activate.addresses import why_forbidden
from cauce.activate.exchange import Exchange

_TRIED = 4
"""Addresses of one name that are tried before the attempt fails."""


class AddressForbidden(Exception):
    """Every address of the name is forbidden; the text says why, e.g. ``loopback``."""


class Resolver:
    """Looks names up in threads, each name once at a time, so that a slow one delays no other."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._under_way: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a name; raises ``OSError`` if it has none."""
        key = (host, port)
        looking = self._under_way.get(key)
        if looking is None:
            loop = asyncio.get_running_loop()
            looking = loop.run_in_executor(self._threads, _look_up, host, port)
            self._under_way[key] = looking
            looking.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(looking)


def _look_up(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that no name server could know
        raise OSError("not a host name") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def connect(
    host: str,
    port: int,
    *,
    resolver: Resolver,
    tls: ssl.SSLContext | None,
    allow_private: bool,
    answer_bytes: int,
) -> Exchange:
    """Open a connection to an allowed address of ``host``.

    Raises ``AddressForbidden``, or ``OSError`` if the name has no address or
    none of its first allowed addresses can be connected to.
    """
    addresses = await resolver.addresses(host, port)
    reasons = {one: why_forbidden(one, allow_private=allow_private) for one in addresses}
    allowed = [one for one, reason in reasons.items() if reason is None]
    if not allowed:
        raise AddressForbidden(next(iter(reasons.values()), None) or "none known")
    loop = asyncio.get_running_loop()
    failure = OSError()
    for address in allowed[:_TRIED]:
        try:
            _, exchange = await loop.create_connection(
                lambda: Exchange(answer_bytes), address, port, ssl=tls, server_hostname=host if tls else None
            )
            return exchange
        except OSError as error:
            failure = error
    raise failure
