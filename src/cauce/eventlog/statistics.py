"""What is known of a sealed file without opening it: counts by event name, extents, kinds, promoted paths."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from cauce.eventlog.promoted import Column, Observed, column_name, path_name
from cauce.vocabulary.alias import Alias
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.language.paths import Path

_MOST_NAMES = 1_000
_MOST_PATHS = 2_000


class Extent(NamedTuple):
    """The smallest and the greatest value."""

    least: int
    greatest: int


class NameStatistics(msgspec.Struct, frozen=True):
    """The events of one name: how many, the bytes of their bodies, the extent of their times."""

    events: int
    bytes: int
    time: Extent


class Promoted(msgspec.Struct, frozen=True):
    """A path that is promoted, and the columns it has; a column that would be empty is left out."""

    path: Path
    columns: tuple[Column, ...]


class FileStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one sealed file.

    ``names`` is by event name as written; ``all_names`` is False if there were too
    many to list. ``kinds`` says how often each path held which kind of JSON value
    (``promoted.DEEPEST`` names deep), ``all_kinds`` whether every path is listed.
    ``normalized`` is, by source, the fingerprint of the normalization that its
    identifiers were made with.
    """

    events: int
    position: Extent
    received: Extent
    time: Extent
    body_bytes: int
    names: dict[str, NameStatistics]
    all_names: bool
    kinds: dict[str, dict[str, int]]
    all_kinds: bool
    promoted: tuple[Promoted, ...]
    normalized: dict[str, str]
    row_groups: int = 0

    @property
    def paths(self) -> dict[Path, tuple[Column, ...]]:
        """The promoted paths with their columns."""
        return {one.path: one.columns for one in self.promoted}

    def encode(self) -> str:
        """As JSON text."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def decode(cls, text: str | bytes) -> Self:
        """From JSON text."""
        return msgspec.json.decode(text, type=cls)


def statistics_of(
    rows: pa.Table, paths: Iterable[Path], observed: Observed, normalized: Mapping[str, str]
) -> FileStatistics:
    """The statistics of the rows of one file, at least one; columns: position, received, time, name, bytes.

    ``bytes`` are those of the body. Every column named for a path is a promoted one.
    """
    found = (
        rows.select(["name", "time", "bytes"])
        .group_by("name")
        .aggregate([("time", "count"), ("bytes", "sum"), ("time", "min"), ("time", "max")])
    )
    by_name = {
        row["name"]: NameStatistics(
            row["time_count"], row["bytes_sum"], Extent(row["time_min"], row["time_max"])
        )
        for row in found.sort_by([("time_count", "descending")]).slice(0, _MOST_NAMES).to_pylist()
    }
    return FileStatistics(
        events=rows.num_rows,
        position=_extent(rows["position"]),
        received=_extent(rows["received"]),
        time=_extent(rows["time"]),
        body_bytes=pc.sum(rows["bytes"]).as_py(),
        names=by_name,
        all_names=found.num_rows <= _MOST_NAMES,
        kinds=_kinds(observed),
        all_kinds=len({path for path, _ in observed}) <= _MOST_PATHS,
        promoted=promoted_in(rows.column_names, paths),
        normalized=dict(normalized),
    )


def joined(parts: Iterable[FileStatistics]) -> FileStatistics:
    """The statistics of a file made of others whose rows follow one another; promoted paths are left out."""
    parts = list(parts)
    names: dict[str, NameStatistics] = {}
    kinds: dict[str, dict[str, int]] = {}
    for part in parts:
        for name, one in part.names.items():
            names[name] = _added(names.get(name), one)
        for path, counts in part.kinds.items():
            total = kinds.setdefault(path, {})
            for kind, count in counts.items():
                total[kind] = total.get(kind, 0) + count
    kept = dict(sorted(names.items(), key=lambda one: -one[1].events)[:_MOST_NAMES])
    return FileStatistics(
        events=sum(part.events for part in parts),
        position=_around(part.position for part in parts),
        received=_around(part.received for part in parts),
        time=_around(part.time for part in parts),
        body_bytes=sum(part.body_bytes for part in parts),
        names=kept,
        all_names=len(kept) == len(names) and all(part.all_names for part in parts),
        kinds=dict(sorted(kinds.items(), key=lambda one: -sum(one[1].values()))[:_MOST_PATHS]),
        all_kinds=len(kinds) <= _MOST_PATHS and all(part.all_kinds for part in parts),
        promoted=(),
        normalized={},
    )


def promoted_in(columns: Iterable[str], paths: Iterable[Path]) -> tuple[Promoted, ...]:
    """Which columns each path has, given the names of all columns."""
    there = set(columns)
    return tuple(
        Promoted(path, tuple(one for one in Column if column_name(path, one) in there)) for path in paths
    )


def normalization_print(how: Normalization) -> str:
    """A fingerprint (XXH3, hexadecimal) of a normalization: equal ones make equal identifiers."""
    usual = [sorted(how.by_type.items()), how.region]
    text = msgspec.json.encode(usual if how.alias is Alias.IGNORE else [*usual, how.alias])
    digest: str = xxhash.xxh3_64_hexdigest(text)
    return digest


def _added(one: NameStatistics | None, other: NameStatistics) -> NameStatistics:
    if one is None:
        return other
    return NameStatistics(one.events + other.events, one.bytes + other.bytes, _around([one.time, other.time]))


def _around(extents: Iterable[Extent]) -> Extent:
    extents = list(extents)
    return Extent(min(one.least for one in extents), max(one.greatest for one in extents))


def _extent(column: pa.ChunkedArray) -> Extent:
    found = pc.min_max(column).as_py()
    return Extent(found["min"], found["max"])


def _kinds(observed: Observed) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (path, kind), count in observed.most_common():
        name = path_name(path)
        if name in found or len(found) < _MOST_PATHS:
            of_path = found.setdefault(name, {})
            of_path[kind] = of_path.get(kind, 0) + count
    return found
