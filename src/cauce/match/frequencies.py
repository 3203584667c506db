"""How often strangers agree on a value: agreeing on a rare name says more than on a frequent one."""

from collections.abc import Sequence

import duckdb

from cauce.match.model import Comparison, Frequencies

MOST_VALUES = 5_000
"""How many values of a feature a model lists."""


def frequencies(
    connection: duckdb.DuckDBPyConnection, compared: Sequence[Comparison], repeats: float
) -> dict[str, Frequencies]:
    """The frequencies of the features that a level weighs by.

    ``repeats`` is how many other records of its own person a record has on average.
    They are taken off the count, three times over: a value must be more frequent
    than one person's records make it before it counts as frequent.
    """
    found = {}
    for comparison in compared:
        for level in comparison.levels:
            if level.tf and level.tf not in found:
                found[level.tf] = _of(connection, level.tf, level.u, repeats)
    return found


def _of(connection: duckdb.DuckDBPyConnection, feature: str, usual: float, repeats: float) -> Frequencies:
    rows = connection.execute(
        f"SELECT {feature}, count(*) AS n FROM records WHERE {feature} IS NOT NULL "
        f"GROUP BY 1 HAVING n > 1 ORDER BY n DESC, 1 LIMIT {MOST_VALUES}"
    ).fetchall()
    (filled,) = connection.execute(f"SELECT count({feature}) FROM records").fetchall()[0]
    values = {}
    for value, count in rows:
        own = min(float(count), 1.0 + 3 * repeats)
        if count > own:
            values[value] = float(f"{(count - own) / filled:.9e}")
    left = usual - sum(share**2 for share in values.values())
    other = max(left / max(1.0 - sum(values.values()), 0.01), usual / 50)
    kept = {value: share for value, share in values.items() if share > other}
    return Frequencies(values=kept, other=float(f"{other:.9e}"))
