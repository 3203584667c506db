"""What the collect stage asks of others."""

from typing import Protocol


class WriteKeys(Protocol):
    """Knows the write keys of the space's sources."""

    def verify(self, write_key: str) -> str | None:
        """The name of the source that the key belongs to; None if it is unknown or revoked.

        Called on the event loop for every request: it must answer from memory.
        """
