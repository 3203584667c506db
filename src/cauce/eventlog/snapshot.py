"""Snapshots: the log up to a position in columns, unmoved by what is appended, sealed, compacted later."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from cauce.eventlog.pins import pinned
from cauce.eventlog.sealable import Range
from cauce.eventlog.sealed import damaged_file, measure
from cauce.eventlog.statistics import FileStatistics
from cauce.vocabulary.event import Position

_TRIES = 5


class SealedFile(NamedTuple):
    """A sealed file as a reader has it; ``statistics`` is None if the file is older than statistics."""

    path: Path
    range: Range
    statistics: FileStatistics | None


class LogSnapshot(NamedTuple):
    """The log up to ``upto``: sealed files, of which the last may hold more; other rows as ``PLAIN``."""

    upto: Position
    files: list[SealedFile]
    hot: pa.Table


class Contents(NamedTuple):
    """What an engine finds in one transaction."""

    ranges: Sequence[Range]
    statistics: Mapping[str, FileStatistics]
    hot: pa.Table


@contextmanager
def snapshot(folder: Path, upto: Position, look: Callable[[], Contents]) -> Iterator[LogSnapshot]:
    """The snapshot that an engine's ``look`` gives, its files pinned until the block ends.

    Raises ``Conflict`` (damaged_log) if a file is missing or of another size than was sealed.
    """
    with ExitStack() as stack:
        for _ in range(_TRIES):
            found = look()
            wanted = [one for one in found.ranges if one.first <= upto]
            try:
                paths = stack.enter_context(pinned(folder, [one.file for one in wanted]))
                break
            except FileNotFoundError:
                continue  # compaction was faster: look again
        else:
            for one in wanted:
                measure(folder / one.file, one)
            raise damaged_file(wanted[0].file, "cannot be linked")
        for path, one in zip(paths, wanted, strict=True):
            measure(path, one)
        files = [
            SealedFile(path, one, found.statistics.get(one.file))
            for path, one in zip(paths, wanted, strict=True)
        ]
        yield LogSnapshot(upto, files, found.hot)
