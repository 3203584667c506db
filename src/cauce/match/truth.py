"""How good clusters are, measured against a column that knows who is who."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_COPY = re.compile(r"(.+)-(org|dup-\d+)")
LISTED = 20


class Score(NamedTuple):
    """Precision, recall and their harmonic mean."""

    precision: float
    recall: float
    f1: float


def _score(precision: float, recall: float) -> Score:
    both = precision + recall
    return Score(precision, recall, 2 * precision * recall / both if both else 0.0)


def read_labels(cells: Sequence[str | None]) -> NDArray[np.int64]:
    """A number for each record's person. A record without label is a person of its own.

    Labels ``rec-7-org`` and ``rec-7-dup-0``, as FEBRL writes them, are one person's.
    """
    filled = [cell for cell in cells if cell is not None]
    copies = filled and all(_COPY.fullmatch(cell) for cell in filled)
    names: dict[str, int] = {}
    labels = []
    for number, cell in enumerate(cells):
        if cell is None:
            name = f"\0{number}"
        else:
            found = _COPY.fullmatch(cell) if copies else None
            name = found[1] if found else cell
        labels.append(names.setdefault(name, len(names)))
    return np.asarray(labels, dtype=np.int64)


def _pairs(counts: NDArray[np.int64]) -> int:
    return int((counts * (counts - 1) // 2).sum())


def _overlap(found: NDArray[np.int64], truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many records each pair of a cluster and a person has in common."""
    _, counts = np.unique(np.stack([found, truth]), axis=1, return_counts=True)
    return np.asarray(counts, dtype=np.int64)


def pairwise(found: NDArray[np.int64], truth: NDArray[np.int64]) -> Score:
    """Over all pairs of records: joined rightly, of those joined and of those to join.

    Where nothing was joined precision is 1; where nothing was to join recall is 1.
    """
    right = _pairs(_overlap(found, truth))
    joined = _pairs(np.unique(found, return_counts=True)[1])
    wanted = _pairs(np.unique(truth, return_counts=True)[1])
    return _score(right / joined if joined else 1.0, right / wanted if wanted else 1.0)


def bcubed(found: NDArray[np.int64], truth: NDArray[np.int64]) -> Score:
    """B-cubed (Bagga and Baldwin 1998): the mean over records of how pure and how whole its cluster is."""
    cells, counts = np.unique(np.stack([found, truth]), axis=1, return_counts=True)
    sizes = dict(zip(*(part.tolist() for part in np.unique(found, return_counts=True)), strict=True))
    people = dict(zip(*(part.tolist() for part in np.unique(truth, return_counts=True)), strict=True))
    squares = counts.astype(np.float64) ** 2
    pure = squares / np.array([sizes[one] for one in cells[0].tolist()])
    whole = squares / np.array([people[one] for one in cells[1].tolist()])
    return _score(float(pure.sum() / len(found)), float(whole.sum() / len(found)))


class Wrong(NamedTuple):
    """A cluster with several people, or a person in several clusters: the numbers of the records, by part."""

    records: tuple[tuple[int, ...], ...]


def mixed(inner: NDArray[np.int64], outer: NDArray[np.int64], most: int = LISTED) -> list[Wrong]:
    """The groups of ``outer`` that hold records of several groups of ``inner``, the largest first."""
    groups: dict[int, dict[int, list[int]]] = {}
    for record, (part, group) in enumerate(zip(inner.tolist(), outer.tolist(), strict=True)):
        groups.setdefault(group, {}).setdefault(part, []).append(record)
    several = [
        Wrong(tuple(tuple(part) for part in parts.values())) for parts in groups.values() if len(parts) > 1
    ]
    several.sort(key=lambda one: (-sum(map(len, one.records)), one.records))
    return several[:most]


def histogram(found: NDArray[np.int64]) -> dict[int, int]:
    """How many clusters there are of each size."""
    sizes = Counter(np.unique(found, return_counts=True)[1].tolist())
    return dict(sorted(sizes.items()))


class Bin(NamedTuple):
    """Pairs of similar probability: what was said of them on average, and what is true."""

    said: float
    true: float
    pairs: int


def calibration(
    probability: NDArray[np.float64],
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    truth: NDArray[np.int64],
    bins: int = 10,
) -> list[Bin]:
    """For each tenth of the probabilities the mean said and the share that is true."""
    right = truth[a] == truth[b]
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    return [
        Bin(float(probability[chosen].mean()), float(right[chosen].mean()), int(chosen.sum()))
        for number in range(bins)
        if (chosen := place == number).any()
    ]
