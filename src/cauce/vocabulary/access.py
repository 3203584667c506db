"""Who reads, and for what: the two parameters of every read of personal data."""

from typing import NamedTuple, NewType, Protocol

Purpose = NewType("Purpose", str)
"""Why personal data is read, e.g. ``support``; consent is given per purpose."""


class Viewer(NamedTuple):
    """Who reads: a key, an account or a process of Cauce, with what it may do."""

    name: str
    scopes: frozenset[str]


OPERATIONS = Purpose("operations")
SYSTEM = Viewer("system", frozenset({"read", "write"}))


class Access(Protocol):
    """Allows a read of personal data, or raises ``NotAllowed``."""

    def __call__(self, viewer: Viewer, scope: str, purpose: Purpose) -> None:
        """Check one read."""
