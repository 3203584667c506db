"""Which web pages may send: the origins of a space, and the CORS headers that tell browsers so."""

from collections.abc import Iterable

from cauce.collect.answers import Header

ANY = "*"
_ANYONE = (b"access-control-allow-origin", b"*")
_OPEN = (_ANYONE, (b"timing-allow-origin", b"*"))
_BY_ORIGIN = (b"vary", b"origin")


class Origins:
    """The allowed origins: ``*`` for any, ``https://shop.example``, or ``https://*.shop.example``.

    Cookies and other credentials are never asked for. A request without an origin
    does not come from a script of a page, and is always allowed; ``for_programs`` are
    the headers of an answer to a post without one.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        named = set(allowed)
        self._any = ANY in named
        self.for_programs: tuple[Header, ...] = (_ANYONE,) if self._any else (_BY_ORIGIN,)
        self._exact = frozenset(one.encode() for one in named if ANY not in one)
        parted = (one.encode().partition(b"*") for one in named if one != ANY and ANY in one)
        self._below = tuple((scheme, host) for scheme, _, host in parted)

    def headers(self, origin: bytes | None) -> tuple[Header, ...] | None:
        """The headers of an answer to a page of this origin; None if it is not allowed."""
        if self._any:
            return _OPEN
        if origin is None:
            return (_BY_ORIGIN,)
        if not self._allows(origin.lower()):
            return None
        return ((b"access-control-allow-origin", origin), (b"timing-allow-origin", origin), _BY_ORIGIN)

    def _allows(self, origin: bytes) -> bool:
        return origin in self._exact or any(
            origin.startswith(scheme) and origin.endswith(host) and b"/" not in origin[len(scheme) :]
            for scheme, host in self._below
        )
