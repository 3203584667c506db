"""Which values have far more owners than the distribution of their type explains.

Most values of a type have one owner; some have two or three, because families share
and numbers are handed on. The owners beyond the first are modelled as geometric:
``P(owners > k) = q^k``. ``q`` is estimated from the values that are not anomalous,
``(extra owners + 1) / (extra owners + values + 2)``, which is never 0 or 1: first
without the hundredth that has most owners, then without those that were found, until
nothing changes. A value is an anomaly if so many
owners, or more, are expected on fewer than ``EXPECTED`` values of the type:
``values · q^(owners - 1) < EXPECTED``.
"""

from collections.abc import Mapping
from math import ceil, log
from typing import NamedTuple

EXPECTED = 0.01
"""A value is an anomaly if fewer values than this were expected with so many owners."""

FEWEST_OWNERS = 4
"""Fewer owners are never an anomaly: a family has as many."""

MOST_ANOMALIES = 0.02
"""If a larger share of the values were anomalies, sharing is the nature of the type."""

TRIMMED = 0.01
"""So large a share of the values, those with most owners, has no part in the first estimate."""

MOST_Q = 0.5
"""So it is if a value has more than one further owner on average."""


class Anomaly(NamedTuple):
    """The fit: values with ``threshold`` owners or more are anomalies; None if sharing is usual."""

    threshold: int | None
    q: float
    values: int

    def expected(self, owners: int) -> float:
        """How many values with so many owners, or more, the fit expects."""
        return float(self.values * self.q ** (owners - 1))

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return (
            f"values · q^(owners - 1) < {EXPECTED} with values = {self.values}, q = {self.q:.4g}, "
            f"and at least {FEWEST_OWNERS} owners"
        )


def find_anomaly(histogram: Mapping[int, int]) -> Anomaly:
    """The fit of a histogram: number of owners (from 1) → number of values."""
    values = sum(histogram.values())
    usual = _without_the_most(histogram, ceil(TRIMMED * values))
    tried: list[int] = []
    while True:
        q = _q(usual)
        threshold = FEWEST_OWNERS
        if values:
            threshold = max(FEWEST_OWNERS, 1 + ceil(log(EXPECTED / values) / log(q)))
        if threshold in tried:
            break
        tried.append(threshold)
        usual = {k: n for k, n in histogram.items() if k < threshold}
    threshold = max(tried[tried.index(threshold) :])  # of thresholds that lead to each other the highest
    many = sum(n for k, n in histogram.items() if k >= threshold)
    usual_to_share = q > MOST_Q or many > max(1, MOST_ANOMALIES * values)
    return Anomaly(None if usual_to_share else threshold, q, values)


def _q(histogram: Mapping[int, int]) -> float:
    extra = sum((k - 1) * n for k, n in histogram.items())
    return (extra + 1) / (extra + sum(histogram.values()) + 2)


def _without_the_most(histogram: Mapping[int, int], many: int) -> dict[int, int]:
    """The histogram without the values that have most owners, so that they do not hide themselves."""
    found: dict[int, int] = {}
    for owners in sorted(histogram, reverse=True):
        dropped = min(many, histogram[owners])
        many -= dropped
        found[owners] = histogram[owners] - dropped
    return found
