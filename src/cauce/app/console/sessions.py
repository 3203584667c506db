"""Who is signed in: sessions in the memory of the console's process, named by a random cookie.

A session holds the API key; pages, logs and files never do. The key is asked for at each
act, so that a revoked one stops working at once.
"""

import secrets
from collections.abc import Callable
from typing import NamedTuple

from cauce.govern.keys import KeyRing
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.errors import NotAllowed

COOKIE = "cauce_session"
HOURS = 12
"""A session ends so many hours after it began."""

_MOST = 10_000
"""So many sessions at most; the oldest makes place."""

_BYTES = 32


class SignedOut(NotAllowed):
    """Nobody is signed in: the session ended, or its key was revoked."""

    code = "signed_out"


class Session(NamedTuple):
    """Who acts, and for which purpose."""

    viewer: Viewer
    purpose: Purpose


class _Kept(NamedTuple):
    key: str
    purpose: Purpose
    ends: float


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, keys: KeyRing, monotonic: Callable[[], float]) -> None:
        self._keys = keys
        self._monotonic = monotonic
        self._kept: dict[str, _Kept] = {}

    def begin(self, key: str, purpose: str) -> str | None:
        """The name of a new session; None if the key is no API key."""
        if self._keys.viewer(key) is None:
            return None
        while len(self._kept) >= _MOST:
            self._kept.pop(next(iter(self._kept)))
        name = secrets.token_urlsafe(_BYTES)
        self._kept[name] = _Kept(key, Purpose(purpose), self._monotonic() + HOURS * 3_600)
        return name

    def find(self, name: str) -> Session:
        """The session of that name; raises ``SignedOut``."""
        kept = self._kept.get(name)
        viewer = None
        if kept is not None and self._monotonic() < kept.ends:
            viewer = self._keys.viewer(kept.key)
        if kept is None or viewer is None:
            self.end(name)
            raise SignedOut("Nobody is signed in.", hint="Sign in again.")
        return Session(viewer, kept.purpose)

    def end(self, name: str) -> None:
        """End a session, if there is one."""
        self._kept.pop(name, None)
