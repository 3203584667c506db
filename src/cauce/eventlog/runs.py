"""Sorted runs of fingerprints, and the files they are kept in beside the sealed Parquet.

A run holds the fingerprint of every message id in a range of positions, sorted,
each with the fingerprint of its content: 16 bytes an event. A file is a header
of 64 bytes, the ids, the contents, all little-endian; it is memory-mapped.
"""

import os
import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import xxhash

from cauce.eventlog.database import sync_folder

Prints = npt.NDArray[np.uint64]

SUFFIX = ".ids"
_HEADER = struct.Struct("<8sQQQQQ16x")
_MAGIC = b"CAUCEID1"
_NAME = re.compile(r"_(\d{16})-(\d{16})")
_BASE = 32_768
_FACTOR = 4


class Run(NamedTuple):
    """The fingerprints of the events at ``first`` to ``last``; ``kept`` says that a file holds them."""

    first: int
    last: int
    ids: Prints
    contents: Prints
    kept: bool = False

    @classmethod
    def sorted(cls, first: int, last: int, ids: Prints, contents: Prints) -> Self:
        """The run of fingerprints given in any order."""
        order = np.argsort(ids)
        return cls(first, last, ids[order], contents[order])

    def find(self, wanted: Prints) -> dict[int, bytes]:
        """Those of ``wanted`` (sorted) that the run holds, with their contents' fingerprints."""
        at = self.ids.searchsorted(wanted)
        hit = self.ids.take(at, mode="clip") == wanted
        if not hit.any():
            return {}
        contents = self.contents[at[hit]].tolist()
        return {
            id_: content.to_bytes(8, "big")
            for id_, content in zip(wanted[hit].tolist(), contents, strict=True)
        }


def from_dict(first: int, last: int, prints: dict[int, bytes]) -> Run:
    """A run of fingerprints as the appender holds them."""
    ids = np.fromiter(prints.keys(), dtype=np.uint64, count=len(prints))
    contents = np.frombuffer(b"".join(prints.values()), dtype=">u8").astype(np.uint64)
    return Run.sorted(first, last, ids, contents)


def merge(runs: Sequence[Run]) -> Run:
    """One run of several."""
    ids = np.concatenate([run.ids for run in runs])
    order = np.argsort(ids, kind="stable")  # timsort: sorted pieces are merged in linear time
    return Run(
        min(run.first for run in runs),
        max(run.last for run in runs),
        ids[order],
        np.concatenate([run.contents for run in runs])[order],
    )


def to_merge(sizes: Sequence[int]) -> slice | None:
    """Which neighbours to merge next: the first four of one size class, if there are any.

    Size-tiered merging: classes grow fourfold, so n events stand in
    O(log n) runs and each is merged O(log n) times.
    """
    classes = [_class(size) for size in sizes]
    for start in range(len(classes) - _FACTOR + 1):
        if len(set(classes[start : start + _FACTOR])) == 1:
            return slice(start, start + _FACTOR)
    return None


def _class(size: int) -> int:
    return (max(size, _BASE) // _BASE).bit_length() // 2


def run_path(folder: Path, first: int, last: int) -> Path:
    """The file for a range of positions; the underscore hides it from who reads the folder as a data set."""
    return folder / f"_{range_name(first, last)}{SUFFIX}"


def range_name(first: int, last: int) -> str:
    """The name of a range of positions; names sort as positions do."""
    return f"{first:016}-{last:016}"


def is_run(path: Path) -> bool:
    """Whether a file is named as run files are."""
    return path.suffix == SUFFIX


def run_paths(folder: Path, first: int) -> list[Path]:
    """The files whose runs begin at a position, the widest first."""
    return sorted(folder.glob(f"_{first:016}-*{SUFFIX}"), reverse=True)


def named_range(path: Path) -> tuple[int, int]:
    """The range a file is named for; (0, 0) if it is named otherwise."""
    match = _NAME.fullmatch(path.stem)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def write_run(folder: Path, run: Run, seed: int) -> Run:
    """Keep a run in its file, all or nothing, durably."""
    path = run_path(folder, run.first, run.last)
    made = path.with_suffix(f".{uuid4().hex}.tmp")
    ids, contents = run.ids.astype("<u8"), run.contents.astype("<u8")
    checksum = _checksum(ids, contents)
    with made.open("wb") as file:
        file.write(_HEADER.pack(_MAGIC, _mark(seed), run.first, run.last, len(ids), checksum))
        file.write(ids.data)
        file.write(contents.data)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)
    sync_folder(folder)
    return run._replace(kept=True)


def open_run(path: Path, seed: int) -> Run | None:
    """The run in a file, memory-mapped; None if the file is missing, damaged or of another space."""
    try:
        data = np.memmap(path, dtype=np.uint8, mode="r").data
        magic, mark, first, last, count, checksum = _HEADER.unpack_from(data)
    except (OSError, ValueError, struct.error):
        return None
    if magic != _MAGIC or mark != _mark(seed) or len(data) != _HEADER.size + 16 * count:
        return None
    if path != run_path(path.parent, first, last):
        return None
    ids, contents = np.split(np.frombuffer(data, dtype="<u8", offset=_HEADER.size), 2)
    if checksum != _checksum(ids, contents):
        return None
    return Run(first, last, ids, contents, kept=True)


def _checksum(ids: Prints, contents: Prints) -> int:
    digest = xxhash.xxh3_64()
    digest.update(ids.data)
    digest.update(contents.data)
    value: int = digest.intdigest()
    return value


def _mark(seed: int) -> int:
    """Tells spaces apart without telling the seed."""
    value: int = xxhash.xxh3_64_intdigest(b"cauce.eventlog", seed)
    return value
