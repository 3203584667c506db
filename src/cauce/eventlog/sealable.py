"""What sealing asks of a log, whatever its engine: its rows in order, and the register of what is sealed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from cauce.eventlog.statistics import FileStatistics

SealRow = tuple[int, int, int, str, str, str, str, bytes, bytes]
"""position, received, time, call, name, message_id, source, body, content (its fingerprint, 8 bytes)."""


class Range(NamedTuple):
    """A sealed range of positions and its file of ``size`` bytes; ranges adjoin, the first begins at 1."""

    first: int
    last: int
    events: int
    last_received: int
    file: str
    size: int
    checksum: str


class Sealed(NamedTuple):
    """A range whose file is complete and durable, and what is known of the file."""

    range: Range
    statistics: FileStatistics


class Sealable(Protocol):
    """The rows and the register of one log, as the one process that seals it uses them."""

    @property
    def seed(self) -> int:
        """The seed of the log's fingerprints."""

    def alone(self, *, wait_seconds: float = 0) -> AbstractContextManager[None]:
        """Hold the right to seal the log; raises ``Conflict`` (already_sealing) naming who holds it.

        A holder that is killed loses it.
        """

    def ranges(self) -> list[Range]:
        """The sealed ranges in order."""

    def statistics(self) -> Mapping[str, FileStatistics]:
        """What is known of each sealed file, by its name; nothing of files from before there were any."""

    def cut(self, first: int, upto: int, rows: int, size: int) -> int | None:
        """Where the range from ``first`` on ends: after so many rows or bytes of bodies, or at ``upto``.

        None if there is no row from ``first`` to ``upto``. A single row may exceed ``size``.
        """

    def fetch(self, first: int, last: int) -> Iterator[list[SealRow]]:
        """The rows from one position to another in order, some thousand at a time."""

    def register(self, new: Sequence[Sealed], gone: Sequence[Range]) -> None:
        """In one transaction: read the ``new`` ranges from their files, and forget those ``gone``.

        Durable when it returns. Raises ``Transient`` if the engine refuses; then nothing has changed.
        """

    def delete(self, upto: int) -> None:
        """Delete the rows up to a sealed position, in steps so small that appenders hardly wait."""

    def close(self) -> None:
        """Release connections."""


Opener = Callable[[], Sealable]
"""Opens a log for sealing; picklable, because worker processes open their own."""
