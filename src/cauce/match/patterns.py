"""How often which outcomes of all comparisons come together: all that training needs of the pairs."""

from collections.abc import Sequence
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from cauce.match.model import Comparison

MISSING = -1
"""The outcome of a comparison that can say nothing."""


class Patterns(NamedTuple):
    """Distinct outcomes (a row for each pattern, a column for each comparison) and the number of their pairs.

    An outcome is the place of a level, best first, or ``MISSING``.
    """

    outcomes: NDArray[np.int64]
    pairs: NDArray[np.float64]

    def without(self, comparisons: Sequence[int]) -> "Patterns":
        """The same with some comparisons saying nothing."""
        outcomes = self.outcomes.copy()
        outcomes[:, list(comparisons)] = MISSING
        return Patterns(outcomes, self.pairs)


def outcome(comparison: Comparison) -> str:
    """SQL of a pair's outcome, over features that end with ``_l`` and ``_r``."""
    whens = " ".join(
        f"WHEN {level.sql} THEN {place}"
        for place, level in enumerate(comparison.levels)
        if level.sql != "ELSE"
    )
    return f"CASE WHEN {comparison.missing} THEN {MISSING} {whens} ELSE {len(comparison.levels) - 1} END"


def count_patterns(
    connection: duckdb.DuckDBPyConnection,
    comparisons: Sequence[Comparison],
    features: Sequence[str],
    pairs: str,
) -> Patterns:
    """Count the outcomes of the pairs that the query ``pairs`` gives as ``a`` and ``b`` of ``records``."""
    sides = ", ".join(f"{side}.{name} AS {name}_{side}" for name in features for side in ("l", "r"))
    outcomes = ", ".join(f"{outcome(one)} AS g{number}" for number, one in enumerate(comparisons))
    names = ", ".join(f"g{number}" for number in range(len(comparisons)))
    found = connection.execute(
        f"WITH pairs AS ({pairs}), sides AS (SELECT {sides} FROM pairs "
        "JOIN records l ON l.unique_id = pairs.a JOIN records r ON r.unique_id = pairs.b) "
        f"SELECT {names}, count(*) AS n FROM (SELECT {outcomes} FROM sides) GROUP BY {names} ORDER BY {names}"
    ).fetchnumpy()
    columns = [np.asarray(found[f"g{number}"], dtype=np.int64) for number in range(len(comparisons))]
    return Patterns(np.stack(columns, axis=1), np.asarray(found["n"], dtype=np.float64))
