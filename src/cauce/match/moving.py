"""The last look at clusters: a record moves where more speaks for it, or out where more speaks against it.

Average linkage joins the best first and never looks back, so that one very good
pair can pull a record out of its own group. Moving single records until nobody
gains (Kernighan and Lin 1970, on the objective of correlation clustering) mends that.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from cauce.match.model import Guards

PASSES = 8
_GAIN = 1e-9


def move(
    labels: dict[int, int],
    weights: Mapping[int, Mapping[int, float]],
    absent: float,
    join: float,
    guards: Guards,
) -> dict[int, int]:
    """The clusters of records after single records have moved.

    ``weights`` of a record's scored pairs; a pair that was not scored weighs
    ``absent``. Weights count by how far they lie above ``join``.
    """
    members: dict[int, set[int]] = defaultdict(set)
    for record, label in labels.items():
        members[label].add(record)
    free = max(members, default=0) + max(labels, default=0) + 1
    for _ in range(PASSES):
        moved = False
        for record in sorted(labels):
            best = _best(record, labels, members, weights[record], absent, join, guards)
            if best == labels[record]:
                continue
            members[labels[record]].discard(record)
            if best is None:
                best, free = free, free + 1
            labels[record] = best
            members[best].add(record)
            moved = True
        if not moved:
            break
    return {record: min(group) for group in members.values() for record in group}


def _best(
    record: int,
    labels: Mapping[int, int],
    members: Mapping[int, set[int]],
    weights: Mapping[int, float],
    absent: float,
    join: float,
    guards: Guards,
) -> int | None:
    """Its own cluster unless more speaks against it, else the one most spoken for; None for a new one."""
    own = labels[record]
    sums: dict[int, list[float]] = defaultdict(list)
    for other, weight in weights.items():
        sums[labels[other]].append(weight - join)

    def worth(label: int) -> float:
        others = len(members[label]) - (label == own)
        return sum(sums[label]) + (absent - join) * (others - len(sums[label]))

    stay = worth(own)
    if stay >= 0:
        return own
    best, most = own, stay
    for label in sorted(sums):
        dense = sum(1 for weight in sums[label] if weight > 0) >= guards.density * len(members[label])
        if label != own and dense and len(members[label]) < guards.size and worth(label) > most + _GAIN:
            best, most = label, worth(label)
    return None if most < -_GAIN and len(members[own]) > 1 else best


def by_record(pairs: Sequence[tuple[int, int, float]]) -> dict[int, dict[int, float]]:
    """The weights of pairs, for each record by the other."""
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for one, other, weight in pairs:
        found[one][other] = found[other][one] = weight
    return found
