"""From pairs to people: clusters in which every two records speak for one another on average.

A chain of good pairs makes no cluster here. Two clusters are joined while the mean
weight over *all* pairs between them, those that nobody scored included, is above the
threshold, the best first (average linkage, Sokal and Michener 1958). A weak bridge
between two groups is thus cut before it is built. Pairs that must stay apart, the
greatest size, density and one record for each source are tested at each step.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cauce.match.model import Guards
from cauce.match.moving import by_record, move

APART = -1e6
"""The weight of a pair that must never share a cluster."""
CLIP = 12.0
"""The most that one pair counts for or against: no pair alone outvotes all others."""


class Links(NamedTuple):
    """Weighed pairs of records, and what a pair that was not scored weighs."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    weight: NDArray[np.float64]
    absent: float


def components(records: int, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each record the smallest record that pairs join it to, by halving paths."""
    parent = list(range(records))
    for one, other in zip(a.tolist(), b.tolist(), strict=True):
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        while parent[other] != other:
            parent[other] = parent[parent[other]]
            other = parent[other]
        if one < other:
            parent[other] = one
        elif other < one:
            parent[one] = other
    for record in range(records):
        parent[record] = parent[parent[record]]
    return np.asarray(parent, dtype=np.int64)


def clusters(
    records: int,
    links: Links,
    join: float,
    guards: Guards,
    *,
    sources: Sequence[str | None] = (),
    apart: Iterable[tuple[int, int]] = (),
) -> NDArray[np.int64]:
    """For each record the smallest record of its cluster.

    ``sources`` names each record's source, for those declared one to one; ``apart``
    are pairs that must not share a cluster, whatever their weight.
    """
    good = links.weight > join
    whole = components(records, links.a[good], links.b[good])
    inside = whole[links.a] == whole[links.b]
    kept = Links(links.a[inside], links.b[inside], np.clip(links.weight[inside], -CLIP, CLIP), links.absent)
    kept = _set_apart(kept, whole, [*apart, *_rivals(whole, sources, guards)])
    doubtful = _doubtful(whole, kept, join, guards)
    grown = _Growth(kept, doubtful, whole, join, guards)
    labels = whole.copy()
    chosen = doubtful[whole[kept.a]] if len(kept.a) else np.zeros(0, dtype=bool)
    pairs = zip(kept.a[chosen].tolist(), kept.b[chosen].tolist(), kept.weight[chosen].tolist(), strict=True)
    settled = move(grown.labels(), by_record(list(pairs)), kept.absent, join, guards)
    for record, label in settled.items():
        labels[record] = label
    return labels


def _rivals(
    whole: NDArray[np.int64], sources: Sequence[str | None], guards: Guards
) -> Iterable[tuple[int, int]]:
    """Pairs of one source that has each person once."""
    met: dict[tuple[int, str], list[int]] = defaultdict(list)
    for record, source in enumerate(sources):
        if source is not None and source in guards.one_to_one:
            met[int(whole[record]), source].append(record)
    for rivals in met.values():
        for place, one in enumerate(rivals):
            for other in rivals[place + 1 :]:
                yield one, other


def _set_apart(links: Links, whole: NDArray[np.int64], apart: Sequence[tuple[int, int]]) -> Links:
    """The links with those that must stay apart at a weight that no mean makes good."""
    inside = {(min(one), max(one)) for one in apart if whole[one[0]] == whole[one[1]]}
    if not inside:
        return links
    free = np.array(
        [pair not in inside for pair in zip(links.a.tolist(), links.b.tolist(), strict=True)], dtype=bool
    )
    more = np.array(sorted(inside), dtype=np.int64)
    return Links(
        np.concatenate([links.a[free], more[:, 0]]),
        np.concatenate([links.b[free], more[:, 1]]),
        np.concatenate([links.weight[free], np.full(len(more), APART)]),
        links.absent,
    )


def _doubtful(whole: NDArray[np.int64], links: Links, join: float, guards: Guards) -> NDArray[np.bool_]:
    """Which components are more than a clique of good pairs of allowed size, by their smallest record."""
    sizes = np.bincount(whole, minlength=len(whole))
    good = np.bincount(whole[links.a[links.weight > join]], minlength=len(whole))
    return np.asarray((good < sizes * (sizes - 1) // 2) | (sizes > guards.size))


class _Growth:
    """Average linkage over the components in doubt."""

    def __init__(
        self, links: Links, doubtful: NDArray[np.bool_], whole: NDArray[np.int64], join: float, guards: Guards
    ) -> None:
        self._absent, self._join, self._guards = links.absent, join, guards
        chosen = doubtful[whole[links.a]] if len(links.a) else np.zeros(0, dtype=bool)
        self._members: dict[int, list[int]] = {
            int(one): [int(one)] for one in np.flatnonzero(doubtful[whole])
        }
        self._sums: dict[int, dict[int, tuple[float, int, int]]] = defaultdict(dict)
        self._inside: dict[int, int] = defaultdict(int)
        scored = zip(
            links.a[chosen].tolist(), links.b[chosen].tolist(), links.weight[chosen].tolist(), strict=True
        )
        for one, other, weight in scored:
            self._sums[one][other] = self._sums[other][one] = (weight, 1, int(weight > join))
        self._queue: list[tuple[float, int, int, int, int]] = []
        for one in sorted(self._sums):
            for other in self._sums[one]:
                if one < other:
                    self._offer(one, other)
        heapq.heapify(self._queue)

    def labels(self) -> dict[int, int]:
        """Each record's cluster, by its smallest record, after all joins."""
        while self._queue:
            _, one, other, size, more = heapq.heappop(self._queue)
            fresh = len(self._members.get(one, ())) == size and len(self._members.get(other, ())) == more
            if fresh and self._allowed(one, other):
                self._absorb(one, other)
        return {record: one for one, members in self._members.items() for record in members}

    def _mean(self, one: int, other: int) -> float:
        total, count, _ = self._sums[one][other]
        pairs = len(self._members[one]) * len(self._members[other])
        return (total + self._absent * (pairs - count)) / pairs

    def _offer(self, one: int, other: int) -> None:
        mean = self._mean(one, other)
        if mean > self._join:
            one, other = min(one, other), max(one, other)
            heapq.heappush(
                self._queue, (-mean, one, other, len(self._members[one]), len(self._members[other]))
            )

    def _allowed(self, one: int, other: int) -> bool:
        size = len(self._members[one]) + len(self._members[other])
        good = self._inside[one] + self._inside[other] + self._sums[one][other][2]
        return size <= self._guards.size and good >= self._guards.density * size * (size - 1) / 2

    def _absorb(self, one: int, other: int) -> None:
        """Join a cluster to one whose smallest record is smaller."""
        self._inside[one] += self._inside.pop(other, 0) + self._sums[one].pop(other)[2]
        self._members[one] += self._members.pop(other)
        for third, (total, count, good) in self._sums.pop(other).items():
            if third == one:
                continue
            del self._sums[third][other]
            before = self._sums[one].get(third, (0.0, 0, 0))
            joined = (before[0] + total, before[1] + count, before[2] + good)
            self._sums[one][third] = self._sums[third][one] = joined
        for third in self._sums[one]:
            self._offer(one, third)
