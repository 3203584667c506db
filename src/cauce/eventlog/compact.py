"""Compaction: neighbouring small files become one, and files lacking what rules read are written anew.

Files are sorted by name, and ranges follow one another, so that merging takes
each name's rows from one file after another: no sorting, a row group in memory
at a time. The new file is complete and durable before one transaction puts it
in the place of the old ones, which are deleted at once: readers hold links
(``pins``). Ranges are merged within one run of message ids only, so that no run
ever ends within a range.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cauce.eventlog.columns import PLAIN, SEALED
from cauce.eventlog.database import FOLDER
from cauce.eventlog.describe import Describer
from cauce.eventlog.plan import Plan, covers
from cauce.eventlog.promoted import Column, column_name
from cauce.eventlog.runs import range_name
from cauce.eventlog.seal import clean, disk_told, merge_runs
from cauce.eventlog.sealable import Opener, Range, Sealable, Sealed
from cauce.eventlog.sealed import verify
from cauce.eventlog.sealed_file import (
    Writer,
    Written,
    by_name,
    completed,
    merge_into,
    put_in_place,
    unused_names,
)
from cauce.eventlog.sqlite_sealing import SqliteSealable
from cauce.eventlog.statistics import FileStatistics, joined, promoted_in, statistics_of
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.language.paths import Path as PropertyPath

logger = logging.getLogger(__name__)

MOST_EVENTS = 2_097_152
MOST_BYTES = 512 * 1024 * 1024
"""A file made by compaction has no more events, and its files before had no more bytes together."""


def compact(
    space: Path, plan: Plan, *, opener: Opener | None = None, most_events: int = MOST_EVENTS
) -> list[Range]:
    """Merge small files, and write those anew that lack what the plan wants; the ranges made.

    A damaged file is left as it is, and told in the log. Raises ``Conflict`` if
    another process is sealing and ``Transient`` if the disk is full; what was
    replaced by then stays so.
    """
    opener = opener or partial(SqliteSealable, space)
    with closing(opener()) as log, log.alone(), disk_told():
        folder = space / FOLDER
        if not folder.is_dir():
            return []
        clean(folder, log.ranges())
        made = []
        for group in groups(folder, log, plan, most_events):
            try:
                made.append(_replace(folder, log, plan, group))
            except Conflict as damage:
                logger.error("compaction leaves a file as it is: %s", damage.message)
        return made


def groups(folder: Path, log: Sealable, plan: Plan, most_events: int) -> Iterator[list[Range]]:
    """Neighbours to merge into one file, and single files to write anew."""
    ranges, known = log.ranges(), log.statistics()
    for run in merge_runs(folder, log):
        within = [one for one in ranges if run.first <= one.first and one.last <= run.last]
        for group in _fitting(within, most_events):
            if len(group) > 1 or plan.lacking(known.get(group[0].file)):
                yield group


def _fitting(ranges: Sequence[Range], most_events: int) -> Iterator[list[Range]]:
    group: list[Range] = []
    for one in ranges:
        together = [*group, one]
        if group and (
            sum(part.events for part in together) > most_events
            or sum(part.size for part in together) > MOST_BYTES
        ):
            yield group
            together = [one]
        group = together
    if group:
        yield group


_BESIDE = tuple(name for name in SEALED.names if name not in PLAIN.names)


class _Input(NamedTuple):
    """A file to merge, and what is known of it; ``described`` replaces its own promoted columns."""

    path: Path
    statistics: FileStatistics
    described: pa.Table | None


def _replace(folder: Path, log: Sealable, plan: Plan, group: Sequence[Range]) -> Range:
    """Put one file in the place of several."""
    known = log.statistics()
    paths = plan.promoted(known.get(one.file) for one in group)
    inputs = [_input(folder, one, known.get(one.file), plan, paths) for one in group]
    written, statistics = _merge(folder, inputs, paths, range_name(group[0].first, group[-1].last))
    taken = [path.name for path in folder.iterdir()]
    name = next(unused_names(range_name(group[0].first, group[-1].last), taken))
    put_in_place([(written, name)], folder)
    made = Range(
        group[0].first,
        group[-1].last,
        sum(one.events for one in group),
        group[-1].last_received,
        name,
        written.size,
        written.checksum,
    )
    log.register([Sealed(made, statistics)], group)
    for one in group:
        (folder / one.file).unlink(missing_ok=True)
    return made


def _input(
    folder: Path, range_: Range, known: FileStatistics | None, plan: Plan, paths: frozenset[PropertyPath]
) -> _Input:
    """A file, checked byte for byte, so that damage is never given a new checksum."""
    path = folder / range_.file
    verify(path, range_)
    if known is not None and not plan.stale(known) and all(covers(known, one) for one in paths):
        return _Input(path, known, None)
    describer = Describer(plan.how, paths, often=0)
    lengths: list[pa.ChunkedArray] = []
    for rows in _row_groups(path, PLAIN.names):
        lengths.append(pc.binary_length(rows["body"]))
        for batch in rows.combine_chunks().to_batches():
            describer.add(batch, keep=_BESIDE)
    described = describer.done()
    envelope = pq.read_table(path, columns=["name", "time", "position", "received"], partitioning=None)
    measured = envelope.append_column("bytes", pa.chunked_array([c for one in lengths for c in one.chunks]))
    statistics = statistics_of(measured, (), described.observed, described.normalized)
    return _Input(path, statistics, described.rows)


def _row_groups(path: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, columns=list(columns), use_threads=False)


def _merge(
    folder: Path, inputs: Sequence[_Input], paths: frozenset[PropertyPath], label: str
) -> tuple[Written, FileStatistics]:
    """Write the rows of several files as one."""
    schema = _schema(inputs, paths)
    promoted = promoted_in(schema.names, sorted(paths))
    together = joined(one.statistics for one in inputs)
    normalized = {key: value for one in inputs for key, value in one.statistics.normalized.items()}
    statistics = FileStatistics(
        **{name: getattr(together, name) for name in FileStatistics.__struct_fields__}
        | {"promoted": promoted, "normalized": normalized}
    )
    with Writer(folder, schema, label, sum(one.statistics.events for one in inputs)) as writer:
        merge_into(writer, [_pieces(one, schema) for one in inputs])
        return writer.finish(statistics.encode()), statistics


def _schema(inputs: Sequence[_Input], paths: frozenset[PropertyPath]) -> pa.Schema:
    """The columns that the merged file needs."""
    there: dict[str, pa.Field] = {}
    for one in inputs:
        schema = one.described.schema if one.described is not None else pq.read_schema(one.path)
        there |= {field.name: pa.field(field.name, field.type) for field in schema}
    names = [column_name(path, column) for path in sorted(paths) for column in Column]
    return pa.schema([*SEALED, *(there[name] for name in names if name in there)])


def _pieces(one: _Input, schema: pa.Schema) -> Iterator[tuple[str, pa.Table]]:
    """The rows of a file in pieces of one name each, in order."""
    own = set(PLAIN.names) if one.described is not None else set(pq.read_schema(one.path).names)
    columns = [name for name in schema.names if name in own]
    start = 0
    for rows in _row_groups(one.path, columns):
        if one.described is not None:
            beside = one.described.slice(start, rows.num_rows)
            for name in beside.column_names:
                rows = rows.append_column(name, beside[name])
        start += rows.num_rows
        yield from by_name(completed(rows, schema))
