"""The state stores of a space: the one in force, one in the making beside it, and the one before.

A store in the making becomes the one in force in one step, so that a kill leaves
either. What became of deliveries is in no log: it is carried over in that step.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Protocol

from sqlalchemy import Table

from cauce.storage.records import CARRIED, STATE, Reader, Records, Transaction


class Other(StrEnum):
    """A store beside the one in force."""

    SHADOW = "shadow"
    FORMER = "former"


def unchecked(_: Reader) -> None:
    """Let the store in force be as it is."""


class Stores(Protocol):
    """The state stores of a space; see the module."""

    def begin(self) -> Records:
        """A new, empty shadow, instead of any that is there."""

    def open(self, which: Other) -> AbstractContextManager[Records | None]:
        """One of the other stores, if there is one, closed again afterwards."""

    def swap(
        self,
        which: Other,
        prepare: Callable[[Transaction], None],
        check: Callable[[Reader], None] = unchecked,
    ) -> None:
        """Make another store the one in force; the one that was becomes the former.

        ``check`` looks at the one in force once nobody can write to it any more, and
        raises if it is not as expected: then nothing is swapped. What is carried is
        copied into the other, and ``prepare`` may write more. Raises ``Transient`` if
        readers stand in the way.
        """

    def discard(self, which: Other) -> bool:
        """Remove one of the other stores; whether there was one."""


def carried_tables() -> Iterator[Table]:
    """The tables that are carried over."""
    return (table for table in STATE.sorted_tables if table.info == CARRIED)


def is_carried(progress: str, names: Collection[str] = ("membership_change", "identity.moves")) -> bool:
    """Whether a row of ``progress`` goes with what is carried over."""
    return progress.startswith("activate.") or progress in names
