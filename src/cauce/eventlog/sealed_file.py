"""Sealed files: how rows lie in Parquet, and writing them durably, all or nothing.

Rows are sorted by event name, then position. A row group holds the events of one
name, so that reading one name touches its groups alone; names with few events
share groups: every group costs each query the time to read its entry in the footer.
"""

import heapq
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from cauce.eventlog.columns import SEALED
from cauce.eventlog.database import sync_folder

ROWS_PER_GROUP = 131_072
_FEW, _SHARED = 1_024, 8_192
_FEW_SHARE = 40
"""Names with fewer than ``_FEW`` events, or than this part of the file's, share row groups, up to
``_SHARED`` events or this part of the file's: together they cost what one name of forty costs."""

META = b"cauce"
"""The key of the file's own metadata: its statistics as JSON."""

SUFFIX = ".parquet"
_PIECE = 1 << 20
_WITH_STATISTICS = ["position", "received", "time", "name"]
"""Their least and greatest values tell which row groups to skip; those of others make footers long."""
_DICTIONARY = ("call", "name", "source")


class Written(NamedTuple):
    """A complete file under a temporary name: its size in bytes and its checksum (XXH3, hexadecimal)."""

    path: Path
    size: int
    checksum: str
    row_groups: int


def in_order(rows: pa.Table) -> pa.Table:
    """Rows of one range by event name, then position."""
    keys = rows.select(["name", "position"])
    keys = keys.set_column(0, "name", keys["name"].cast(pa.large_string()))
    return rows.take(pc.sort_indices(keys, sort_keys=[("name", "ascending"), ("position", "ascending")]))


class Writer:
    """Writes one sealed file of so many events under a temporary name; unless ``finished``, it is removed."""

    def __init__(self, folder: Path, schema: pa.Schema, label: str, events: int) -> None:
        self._made = folder / f"_{label}.{uuid4().hex}.tmp"
        names = schema.names
        promoted = [name for name in names if name not in SEALED.names]
        self._writer = pq.ParquetWriter(
            self._made,
            schema,
            compression="zstd",
            use_dictionary=[*_DICTIONARY, *promoted],
            write_statistics=_WITH_STATISTICS,
            write_page_checksum=True,
        )
        self._few = min(max(_FEW, events // _FEW_SHARE), ROWS_PER_GROUP)
        self._together = max(_SHARED, self._few)
        self._shared: list[pa.Table] = []
        self._groups = 0
        self._done = False

    def __enter__(self) -> Self:
        """The writer."""
        return self

    def events(self, pieces: Iterable[pa.Table]) -> None:
        """Write the rows of one name, which follow those of the names before."""
        waiting: list[pa.Table] = []
        count, alone = 0, False
        for rows in pieces:
            waiting.append(rows)
            count += rows.num_rows
            while count >= ROWS_PER_GROUP:
                alone = True
                together = pa.concat_tables(waiting)
                self._group(together.slice(0, ROWS_PER_GROUP))
                waiting = [together.slice(ROWS_PER_GROUP)]
                count -= ROWS_PER_GROUP
        if count and (alone or count >= self._few):
            self._group(pa.concat_tables(waiting) if len(waiting) > 1 else waiting[0])
        elif count:
            if sum(rows.num_rows for rows in self._shared) + count > self._together:
                self._flush()
            self._shared.extend(waiting)

    def _group(self, rows: pa.Table) -> None:
        """Write a row group, after the one that names with few events share."""
        self._flush()
        self._write(rows)

    def _flush(self) -> None:
        shared, self._shared = self._shared, []
        if shared:
            self._write(pa.concat_tables(shared))

    def _write(self, rows: pa.Table) -> None:
        self._writer.write_table(rows, row_group_size=max(1, rows.num_rows))
        self._groups += 1

    def finish(self, statistics: str) -> Written:
        """Make the file complete and durable; it carries its statistics in its metadata."""
        self._flush()
        self._writer.add_key_value_metadata({META: statistics.encode()})
        self._writer.close()
        size, checksum = check(self._made, sync=True)
        self._done = True
        return Written(self._made, size, checksum, self._groups)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Remove the file if it was not finished."""
        if not self._done:
            with suppress(OSError):  # the disk is full: the file goes away all the same
                self._writer.close()
            self._made.unlink(missing_ok=True)


def write_rows(folder: Path, rows: pa.Table, statistics: str, label: str) -> Written:
    """Write rows that are in order as one file."""
    with Writer(folder, rows.schema, label, rows.num_rows) as writer:
        for _, piece in by_name(rows):
            writer.events([piece])
        return writer.finish(statistics)


def by_name(rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Rows that are in order, cut where the name changes."""
    start = 0
    for end in pc.run_end_encode(rows["name"].combine_chunks()).run_ends.to_pylist():
        yield rows["name"][start].as_py(), rows.slice(start, end - start)
        start = end


def merge_into(writer: Writer, streams: Sequence[Iterable[tuple[str, pa.Table]]]) -> None:
    """Write rows from several sources, each in order; of one name, those of the first source come first."""
    numbered = [_numbered(stream, number) for number, stream in enumerate(streams)]
    merged = heapq.merge(*numbered, key=itemgetter(0, 1))
    for _, pieces in groupby(merged, key=itemgetter(0)):
        writer.events(rows for _, _, rows in pieces)


def _numbered(stream: Iterable[tuple[str, pa.Table]], number: int) -> Iterator[tuple[str, int, pa.Table]]:
    return ((name, number, rows) for name, rows in stream)


def completed(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with every column of a schema, null where they have none."""
    there = set(rows.column_names)
    columns = [
        rows[field.name].cast(field.type) if field.name in there else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def put_in_place(written: Sequence[tuple[Written, str]], folder: Path) -> None:
    """Give complete files their names, durably."""
    for file, name in written:
        file.path.replace(folder / name)
    sync_folder(folder)


def check(path: Path, *, sync: bool = False) -> tuple[int, str]:
    """The size and checksum of a file; ``sync`` makes it durable too."""
    digest = xxhash.xxh3_64()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
        if sync:
            os.fsync(file.fileno())
        return file.tell(), digest.hexdigest()


def unused_names(stem: str, taken: Iterable[str]) -> Iterator[str]:
    """Names for a file of this range that no file has: the plain one, then with a number."""
    taken = set(taken)
    plain = f"{stem}{SUFFIX}"
    if plain not in taken:
        yield plain
    number = 2
    while True:
        name = f"{stem}.{number}{SUFFIX}"
        if name not in taken:
            yield name
        number += 1
