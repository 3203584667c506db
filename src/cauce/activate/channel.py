"""Channels: how deliveries reach one destination, whatever its kind."""

from collections.abc import Sequence
from typing import Protocol

from cauce.activate.answers import Answer
from cauce.activate.delivery import Delivery


class Channel(Protocol):
    """The way to one destination."""

    @property
    def batch(self) -> int:
        """How many deliveries, each of another person, one call takes."""

    @property
    def calls(self) -> int:
        """How many calls may be under way at a time."""

    @property
    def rate(self) -> int:
        """The most deliveries that begin per second."""

    async def tell(self, deliveries: Sequence[Delivery]) -> list[Answer]:
        """Tell the destination, and what came of each delivery; being cancelled counts as a fault.

        Never raises for what the network or the other side does.
        """

    def close(self) -> None:
        """Let go of connections."""
