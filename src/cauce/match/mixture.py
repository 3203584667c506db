"""Expectation and maximization over patterns: what outcomes say of one person, of relatives, of strangers.

Sets of pairs come from different blocking rules. Each set has its own shares of the
three classes and leaves out what its rule made equal; all share the outcomes'
probabilities. (Dempster, Laird and Rubin 1977; Winkler 1988 for record linkage;
beliefs as Dirichlet priors keep rare outcomes and small files in bounds.)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cauce.match.patterns import Patterns

_Shares = list[NDArray[np.float64]]
BELIEF = 8.0
"""How many pairs of one person the beliefs about an outcome weigh."""
BELIEF_RELATED = 60.0
ROUNDS = 100
SETTLED = 1e-5
MOST_OTHER = 0.35
MOST_PERSONAL = 0.15


class Mixture(NamedTuple):
    """For each comparison the shares of its levels among pairs of one person, of relatives, of strangers."""

    m: _Shares
    h: _Shares
    u: _Shares


def likelihoods(patterns: Patterns, shares: _Shares) -> NDArray[np.float64]:
    """The log of the probability of each pattern in a class."""
    total = np.zeros(len(patterns.pairs))
    for number, share in enumerate(shares):
        found = patterns.outcomes[:, number]
        total += np.where(found >= 0, np.log(share)[np.maximum(found, 0)], 0.0)
    return total


def responsibilities(
    patterns: Patterns, mixture: Mixture, classes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The probability of each class (one person, relatives, strangers) for each pattern."""
    logs = np.stack([likelihoods(patterns, shares) for shares in mixture], axis=1) + np.log(classes)
    logs -= logs.max(axis=1, keepdims=True)
    odds = np.exp(logs)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def fit(
    sets: Sequence[Patterns],
    start: Mixture,
    beliefs: Mixture,
    classes: Sequence[NDArray[np.float64]],
    personal: Sequence[bool],
    anchors: Sequence[bool],
) -> tuple[Mixture, list[NDArray[np.float64]]]:
    """Fit ``m`` and ``h`` to the sets of pairs, with ``u`` fixed; also each set's shares of the classes.

    The ``anchors`` among the comparisons keep the belief ``h``: relatives agree on them
    by chance. Without them the classes could take one another's place. What is
    ``personal`` has bounds to the disagreement of one person's records.
    """
    mixture, shares = start, [one.copy() for one in classes]
    for _ in range(ROUNDS):
        found = [responsibilities(one, mixture, share) for one, share in zip(sets, shares, strict=True)]
        shares = [_classes(one, part) for one, part in zip(sets, found, strict=True)]
        m = _capped(_levels(sets, [part[:, 0] for part in found], beliefs.m, BELIEF), personal)
        learnt = _levels(sets, [part[:, 1] for part in found], beliefs.h, BELIEF_RELATED)
        h = [kept if fixed else new for kept, new, fixed in zip(beliefs.h, learnt, anchors, strict=True)]
        change = max(float(np.abs(new - old).max()) for new, old in zip(m, mixture.m, strict=True))
        mixture = Mixture(m, h, mixture.u)
        if change < SETTLED:
            break
    return mixture, shares


def _capped(shares: _Shares, personal: Sequence[bool]) -> _Shares:
    """The shares with bounds to the last level, which is disagreement.

    Two records of one person disagree in a comparison at most ``MOST_OTHER`` of the
    time, and ``MOST_PERSONAL`` over what is personal on average. Pairs that disagree
    more are of relatives, even where no two records are of one person.
    """
    others = [float(share[-1]) for share, own in zip(shares, personal, strict=True) if own]
    mean = sum(others) / len(others) if others else 0.0
    scale = min(1.0, MOST_PERSONAL / mean) if mean else 1.0
    capped = []
    for share, own in zip(shares, personal, strict=True):
        other = min(float(share[-1]) * (scale if own else 1.0), MOST_OTHER)
        bounded = share * ((1.0 - other) / (1.0 - share[-1]))
        bounded[-1] = other
        capped.append(bounded)
    return capped


def _classes(patterns: Patterns, found: NDArray[np.float64]) -> NDArray[np.float64]:
    weighed = (found * patterns.pairs[:, None]).sum(axis=0) + np.array([0.5, 0.05, 1.0])
    return np.asarray(weighed / weighed.sum())


def _levels(
    sets: Sequence[Patterns], found: Sequence[NDArray[np.float64]], beliefs: _Shares, weight: float
) -> _Shares:
    fitted = []
    for number, belief in enumerate(beliefs):
        counts = belief * weight
        for patterns, part in zip(sets, found, strict=True):
            outcomes = patterns.outcomes[:, number]
            there = outcomes >= 0
            counts = counts + np.bincount(
                outcomes[there], weights=(part * patterns.pairs)[there], minlength=len(belief)
            )
        fitted.append(counts / counts.sum())
    return fitted
