"""Sealing: ranges of positions move from rows to Parquet files, exactly once.

A file is complete, durable and named before the log learns of it; one
transaction then makes the range be read from the file. Deleting the rows comes
after and may be cut short at any time, because nobody sees them any more.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow.compute as pc

from cauce.eventlog.columns import plain_columns
from cauce.eventlog.content import id_print
from cauce.eventlog.database import FOLDER
from cauce.eventlog.describe import Describer, Normalizer
from cauce.eventlog.pins import release_abandoned
from cauce.eventlog.plan import Plan
from cauce.eventlog.pool import pool_of
from cauce.eventlog.runs import Run, is_run, merge, named_range, range_name, run_path, to_merge, write_run
from cauce.eventlog.sealable import Opener, Range, Sealable, Sealed
from cauce.eventlog.sealed import kept_runs, run_of
from cauce.eventlog.sealed_file import SUFFIX, Written, in_order, put_in_place, unused_names, write_rows
from cauce.eventlog.sqlite_sealing import SqliteSealable
from cauce.eventlog.statistics import FileStatistics, statistics_of
from cauce.vocabulary.errors import Transient
from cauce.vocabulary.event import Position

ROWS_PER_FILE = 131_072
BYTES_PER_FILE = 64 * 1024 * 1024


def seal(
    space: Path,
    upto: Position,
    how: Normalizer,
    *,
    plan: Plan | None = None,
    opener: Opener | None = None,
    rows_per_file: int = ROWS_PER_FILE,
    bytes_per_file: int = BYTES_PER_FILE,
    processes: int = 1,
    progress: Callable[[Range], None] = lambda _: None,
) -> list[Range]:
    """Seal all rows up to the position ``upto``; the ranges made, each told to ``progress`` too.

    ``how`` tells how the identifiers of a source are normalized, which stand in a
    column; ``plan`` says that and which paths are promoted. ``opener`` opens the
    log, the space's SQLite unless told otherwise. With several ``processes``, what
    it is called with must be picklable. Raises ``Conflict`` if another process is
    sealing and ``Transient`` if the disk is full; what is sealed by then stays sealed.
    """
    opener = opener or partial(SqliteSealable, space)
    with closing(opener()) as log, log.alone(), disk_told():
        work = _Sealing(space / FOLDER, log, opener, plan or Plan(how))
        work.clean()
        made: list[Range] = []
        for range_ in work.seal_all(upto, rows_per_file, bytes_per_file, processes):
            made.append(range_)
            progress(range_)
        merge_runs(space / FOLDER, log)
        return made


@contextmanager
def disk_told() -> Iterator[None]:
    """Raise what the file system reports as ours."""
    try:
        yield
    except OSError as error:
        raise Transient(
            f"Sealing stopped: {error.strerror or 'a file could not be written'}.",
            hint="No event is lost; free disk space, and it is tried again.",
        ) from error


class _Made(NamedTuple):
    """A range whose file is complete under a temporary name."""

    first: int
    last: int
    last_received: int
    written: Written
    statistics: FileStatistics


class _Sealing:
    """One pass of the sealer; holds the lock named ``LOCK``."""

    def __init__(self, folder: Path, log: Sealable, opener: Opener, plan: Plan) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._log = log
        self._opener = opener
        self._plan = plan

    def clean(self) -> None:
        """Remove what a killed sealer left: half-made and unregistered files, rows already sealed."""
        clean(self._folder, self._log.ranges())
        sealed = self._log.ranges()
        if sealed:
            self._log.delete(sealed[-1].last)

    def seal_all(self, upto: int, rows: int, size: int, processes: int) -> Iterator[Range]:
        """Seal range after range; with several processes they make files side by side."""
        sealed = self._log.ranges()
        start = sealed[-1].last + 1 if sealed else 1
        cuts = self._cuts(start, upto, rows, size)
        task = partial(make_file, self._opener, self._folder, self._plan)
        if processes == 1 or upto - start < rows:
            yield from (self._register(task(first, last)) for first, last in cuts)
            return
        with pool_of(processes) as pool:
            waiting: deque[Future[_Made]] = deque()
            for first, last in cuts:
                waiting.append(pool.submit(task, first, last))
                if len(waiting) > processes:
                    yield self._register(waiting.popleft().result())
            while waiting:
                yield self._register(waiting.popleft().result())

    def _cuts(self, first: int, upto: int, rows: int, size: int) -> Iterator[tuple[int, int]]:
        while (last := self._log.cut(first, upto, rows, size)) is not None:
            yield first, last
            first = last + 1

    def _register(self, made: _Made) -> Range:
        taken = [path.name for path in self._folder.iterdir()]
        name = next(unused_names(range_name(made.first, made.last), taken))
        put_in_place([(made.written, name)], self._folder)
        sealed = Sealed(
            Range(
                made.first,
                made.last,
                made.statistics.events,
                made.last_received,
                name,
                made.written.size,
                made.written.checksum,
            ),
            made.statistics,
        )
        self._log.register([sealed], [])
        self._log.delete(made.last)
        return sealed.range


def merge_runs(folder: Path, log: Sealable) -> list[Run]:
    """Merge neighbouring run files by size, and remove those that a wider one holds; those that stay."""
    runs = kept_runs(folder, log.ranges(), log.seed, [])
    while which := to_merge([len(run.ids) for run in runs]):
        runs[which] = [write_run(folder, merge(runs[which]), log.seed)]
    used = {run_path(folder, run.first, run.last) for run in runs}
    for path in folder.iterdir():
        if is_run(path) and path not in used:
            path.unlink()
    return runs


def clean(folder: Path, known: list[Range]) -> None:
    """Remove files that no sealed range needs: half-made, unregistered, or of readers that are gone."""
    files = {range_.file for range_ in known}
    ends = {range_.last for range_ in known}
    for path in folder.iterdir():
        stray_file = path.suffix == SUFFIX and path.name not in files
        stray_run = is_run(path) and named_range(path)[1] not in ends
        if stray_file or stray_run or path.suffix == ".tmp":
            path.unlink(missing_ok=True)
    release_abandoned(folder)


def make_file(opener: Opener, folder: Path, plan: Plan, first: int, last: int) -> _Made:
    """Write the rows of a range to a file of a temporary name, and keep its run of message ids."""
    with closing(opener()) as log:
        describer = Describer(plan.how, plan.paths)
        ids: list[int] = []
        contents: list[bytes] = []
        last_received = 0
        for rows in log.fetch(first, last):
            describer.add(plain_columns(rows))
            ids += [id_print(row[5], log.seed) for row in rows]
            contents += [row[8] for row in rows]
            last_received = rows[-1][1]
        write_run(folder, run_of(first, last, ids, contents), log.seed)
        written, statistics = write_described(folder, describer, range_name(first, last))
        return _Made(first, last, last_received, written, statistics)


def write_described(folder: Path, describer: Describer, label: str) -> tuple[Written, FileStatistics]:
    """Write all that was described as one file of a temporary name; the file and what is known of it."""
    paths = describer.paths
    rows, observed, normalized = describer.done()
    rows = in_order(rows)
    measured = rows.append_column("bytes", pc.binary_length(rows["body"]))
    statistics = statistics_of(measured, paths, observed, normalized)
    return write_rows(folder, rows, statistics.encode(), label), statistics
