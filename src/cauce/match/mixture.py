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
    sets: Sequence[Patterns], start: Mixture, beliefs: Mixture, classes: Sequence[NDArray[np.float64]]
) -> tuple[Mixture, list[NDArray[np.float64]]]:
    """Fit ``m`` and ``h`` to the sets of pairs, with ``u`` fixed; also each set's shares of the classes."""
    mixture, shares = start, [one.copy() for one in classes]
    for _ in range(ROUNDS):
        found = [responsibilities(one, mixture, share) for one, share in zip(sets, shares, strict=True)]
        shares = [_classes(one, part) for one, part in zip(sets, found, strict=True)]
        m = [_capped(one) for one in _levels(sets, [part[:, 0] for part in found], beliefs.m, BELIEF)]
        h = _levels(sets, [part[:, 1] for part in found], beliefs.h, BELIEF_RELATED)
        change = max(float(np.abs(new - old).max()) for new, old in zip(m, mixture.m, strict=True))
        mixture = Mixture(m, h, mixture.u)
        if change < SETTLED:
            break
    return mixture, shares


def _capped(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """The last level's share is ``MOST_OTHER`` at most: records of one person agree more often than not."""
    if len(share) < 2 or share[-1] <= MOST_OTHER:
        return share
    scaled = share * ((1.0 - MOST_OTHER) / (1.0 - share[-1]))
    scaled[-1] = MOST_OTHER
    return np.asarray(scaled)


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
