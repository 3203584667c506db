"""Which values have far more owners than the distribution of their type explains.

Most values of a type have one owner; some have two or three, because families share
and numbers are handed on. The owners beyond the first are modelled as geometric:
``P(owners > k) = q^k``. ``q`` is estimated from the values that are not anomalous,
``(extra owners + 1) / (extra owners + values + 1)``, which is never 0, and estimated
again without those found until nothing changes. A value is an anomaly if so many
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
    threshold: int | None = None
    q = 0.0
    while True:
        rest = {k: n for k, n in histogram.items() if threshold is None or k < threshold}
        if not rest:
            break
        extra = sum((k - 1) * n for k, n in rest.items())
        q = (extra + 1) / (extra + sum(rest.values()) + 1)
        found = max(FEWEST_OWNERS, 1 + ceil(log(EXPECTED / max(values, 1)) / log(q)))
        if threshold is not None and found >= threshold:
            break
        threshold = found
    threshold = threshold or FEWEST_OWNERS
    many = sum(n for k, n in histogram.items() if k >= threshold)
    usual_to_share = q > MOST_Q or many > max(1, MOST_ANOMALIES * values)
    return Anomaly(None if usual_to_share else threshold, q, values)
