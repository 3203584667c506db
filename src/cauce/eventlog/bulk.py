"""The whole log as relations for DuckDB: sealed Parquet files and the hot tail, all with the same columns.

A relation is made of parts, because files differ in what is promoted: a part
says of each path that was asked for whether its columns say everything (``typed``)
or the body must be read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from cauce.eventlog.columns import PLAIN, SEALED
from cauce.eventlog.describe import Describer, Normalizer
from cauce.eventlog.plan import covers
from cauce.eventlog.promoted import Column, column_name
from cauce.eventlog.snapshot import LogSnapshot, SealedFile
from cauce.vocabulary.language.paths import Path, nfc

_BATCH = 8_192


class Wanted(NamedTuple):
    """What a reader wants: events of these names (in NFC; None: of all), with these paths."""

    names: frozenset[str] | None = None
    paths: frozenset[Path] = frozenset()


class Part(NamedTuple):
    """Some of the log's rows as a relation.

    Columns: ``SEALED`` (position, received, time BIGINT in µs since 1970 UTC; call,
    name, message_id, source VARCHAR; identifiers VARCHAR[]; signature BIGINT; body
    VARCHAR), and those of ``typed``: by path the promoted columns that are there.
    A path in ``typed`` has everything that the bodies have at it; its other
    columns are null throughout. ``spellings`` are the names as written, by their
    form in NFC, if they are known.
    """

    sql: str
    typed: Mapping[Path, tuple[Column, ...]]
    spellings: Mapping[str, tuple[str, ...]] | None = None

    def where(self, names: Iterable[str]) -> str:
        """A condition that skips what has other names; where spellings are not known it may skip nothing."""
        if self.spellings is None:
            return "TRUE"
        written = [spelling for name in names for spelling in self.spellings.get(name, ())]
        listed = ", ".join("'" + one.replace("'", "''") + "'" for one in sorted(written))
        if len(written) == 1:
            return f"name = {listed}"
        return f"name IN ({listed})" if written else "FALSE"


def log_parts(
    connection: duckdb.DuckDBPyConnection, log: LogSnapshot, how: Normalizer, wanted: Wanted
) -> list[Part]:
    """The rows of a snapshot that somebody wants, in parts; files without such events are left out."""
    parts: list[Part] = []
    files = [one for one in log.files if _holds(one, wanted)]
    for typed, group in _by_columns(files, wanted.paths):
        sql = _files_sql(group, typed)
        if group[-1].range.last > log.upto:
            sql += f" WHERE position <= {int(log.upto)}"
        parts.append(Part(f"({sql})", typed, _spellings(group)))
    hot, typed = described_hot(log.hot, how, wanted)
    if hot.num_rows or not parts:
        name = f"log_hot_{int(log.upto)}"
        connection.register(name, hot)
        parts.append(Part(name, typed))
    return parts


def _files_sql(group: Sequence[SealedFile], typed: Mapping[Path, tuple[Column, ...]]) -> str:
    """A query for the columns of a part.

    Only where files differ in them is DuckDB asked to unite the columns by name: it then
    reads the footers of all files one after another before it begins.
    """
    promoted = [column_name(path, column) for path, there in typed.items() for column in there]
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in (*SEALED.names, *promoted))
    listed = ", ".join("'" + str(one.path).replace("'", "''") + "'" for one in group)
    differing = any(_columns([one], path) != there for one in group for path, there in typed.items())
    how = "union_by_name = true, hive_partitioning = false" if differing else "hive_partitioning = false"
    return f"SELECT {columns} FROM read_parquet([{listed}], {how})"


@contextmanager
def log_relation(connection: duckdb.DuckDBPyConnection, log: LogSnapshot, how: Normalizer) -> Iterator[str]:
    """A view of every event of a snapshot with the columns ``SEALED``; its name."""
    name = f"log_{int(log.upto)}"
    columns = ", ".join(SEALED.names)
    parts = [f"SELECT {columns} FROM {part.sql}" for part in log_parts(connection, log, how, Wanted())]
    connection.execute(f"CREATE OR REPLACE TEMPORARY VIEW {name} AS {' UNION ALL '.join(parts)}")
    try:
        yield name
    finally:
        connection.execute(f"DROP VIEW {name}")
        connection.unregister(f"log_hot_{int(log.upto)}")


def described_hot(
    hot: pa.Table, how: Normalizer, wanted: Wanted
) -> tuple[pa.Table, dict[Path, tuple[Column, ...]]]:
    """The rows that are not sealed, described as sealed ones are; and their promoted columns."""
    if wanted.names is not None:
        names = pa.array([nfc(name) for name in hot["name"].to_pylist()], pa.string())
        hot = hot.filter(pc.is_in(names, value_set=pa.array(sorted(wanted.names), pa.string())))
    if not hot.num_rows:
        return SEALED.empty_table(), dict.fromkeys(wanted.paths, ())
    describer = Describer(how, wanted.paths, often=0)
    for batch in hot.select(PLAIN.names).to_batches(max_chunksize=_BATCH):
        describer.add(batch)
    rows = describer.done().rows
    there = set(rows.column_names)
    return rows, {
        path: tuple(one for one in Column if column_name(path, one) in there) for path in wanted.paths
    }


def _holds(file: SealedFile, wanted: Wanted) -> bool:
    """Whether a file may hold events that are wanted."""
    known = file.statistics
    if wanted.names is None or known is None or not known.all_names:
        return True
    return any(nfc(name) in wanted.names for name in known.names)


def _by_columns(
    files: Iterable[SealedFile], paths: frozenset[Path]
) -> list[tuple[dict[Path, tuple[Column, ...]], list[SealedFile]]]:
    """Files that cover the same of these paths, together, with the columns that any of them has."""
    found: dict[frozenset[Path], list[SealedFile]] = {}
    for file in files:
        known = file.statistics
        covered = frozenset(p for p in paths if covers(known, p)) if known else frozenset[Path]()
        found.setdefault(covered, []).append(file)
    return [({path: _columns(group, path) for path in covered}, group) for covered, group in found.items()]


def _columns(group: Sequence[SealedFile], path: Path) -> tuple[Column, ...]:
    there = {one for file in group if file.statistics for one in file.statistics.paths.get(path, ())}
    return tuple(one for one in Column if one in there)


def _spellings(group: Sequence[SealedFile]) -> dict[str, tuple[str, ...]] | None:
    found: dict[str, set[str]] = {}
    for file in group:
        if file.statistics is None or not file.statistics.all_names:
            return None
        for name in file.statistics.names:
            found.setdefault(nfc(name), set()).add(name)
    return {name: tuple(sorted(spellings)) for name, spellings in found.items()}
