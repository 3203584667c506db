"""Which pairs are compared at all: blocking rules, chosen by counted cost.

A rule is one key or two on which both records agree. The cost of a rule is the
number of pairs that it gives, counted. What it is worth is the share of pairs of
one person that it finds and no chosen rule found before; before training that is
judged by imagined people whose values agree as the comparisons believe.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from cauce.match.model import Rule

ALL_PAIRS = 600_000
"""Up to this number of pairs all are compared."""
PAIRS_EACH = 40
"""How many pairs a record may cost on average."""
MOST_RULES = 24
_IMAGINED = 4_000
_COUNTED = 50_000
"""Costs are counted over this many records at most and scaled."""


class Key(NamedTuple):
    """A value on which two records may agree.

    ``feature`` is what it is made of, ``sql`` how; ``agree`` is the believed share
    of pairs of one person that agree on it.
    """

    feature: str
    sql: str
    agree: float


def keys(features: Sequence[str]) -> list[Key]:
    """The keys that there are for these features."""
    found = []
    for name in features:
        kind = name.rpartition("_")[0] if name[-1].isdigit() else name
        whole, parts = _KEYS.get(kind, (0.0, ()))
        if whole:
            found.append(Key(name, name, whole))
        found += [Key(name, part.format(name), agree) for part, agree in parts]
    if {"given", "surname"} <= set(features):
        found.append(Key("given+surname", "least(given, surname) || ' ' || greatest(given, surname)", 0.6))
    return found


_KEYS: dict[str, tuple[float, tuple[tuple[str, float], ...]]] = {
    "given": (0.75, (("{}[1:3]", 0.85),)),
    "surname": (0.78, (("{}[1:4]", 0.85),)),
    "surname_first": (0.8, ()),
    "surname_last": (0.8, ()),
    "birth": (0.8, (("{}[1:6]", 0.85), ("{}[5:8]", 0.85), ("{0}[1:4] || {0}[7:8]", 0.85), ("{}[1:4]", 0.9))),
    "post_code": (0.83, (("{}[1:3]", 0.87),)),
    "place": (0.75, (("{}[1:4]", 0.82),)),
    "street": (0.72, (("{}[1:5]", 0.82),)),
    "house_number": (0.8, ()),
    "email": (0.75, (("split_part({}, '@', 1)", 0.8), ("{}[1:6]", 0.82))),
    "phone": (0.75, (("{}[-6:]", 0.8), ("{}[1:6]", 0.8))),
    "id": (0.85, (("{}[1:4]", 0.88), ("{}[-4:]", 0.88))),
    "text": (0.75, (("{}[1:5]", 0.82),)),
    "state": (0.9, ()),
    "category": (0.9, ()),
}


class Candidate(NamedTuple):
    """A rule that could be chosen: its keys and what it costs, in pairs."""

    keys: tuple[Key, ...]
    cost: float


def candidates(connection: duckdb.DuckDBPyConnection, found: Sequence[Key]) -> list[Candidate]:
    """One key or two of different features, each with the counted number of its pairs in ``records``."""
    (records,) = connection.execute("SELECT count(*) FROM records").fetchall()[0]
    share = min(1.0, _COUNTED / max(records, 1))
    sets: list[tuple[Key, ...]] = [(key,) for key in found]
    sets += [
        pair
        for pair in combinations(found, 2)
        if not set(pair[0].feature.split("+")) & set(pair[1].feature.split("+"))
    ]
    made = ", ".join(f"{key.sql} AS k{number}" for number, key in enumerate(found))
    sample = "" if share == 1.0 else f" WHERE hash(unique_id) % 1000000 < {int(share * 1_000_000)}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE blocking_keys AS SELECT {made} FROM records{sample}")
    place = {key: f"k{number}" for number, key in enumerate(found)}
    costs = []
    for chosen in sets:
        names = [place[key] for key in chosen]
        filled = " AND ".join(f"{name} IS NOT NULL" for name in names)
        query = (
            f"SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM (SELECT count(*) AS n FROM blocking_keys "
            f"WHERE {filled} GROUP BY {', '.join(names)})"
        )
        costs.append(Candidate(chosen, float(connection.execute(query).fetchall()[0][0]) / share**2))
    connection.execute("DROP TABLE blocking_keys")
    return costs


def filled(connection: duckdb.DuckDBPyConnection, features: Sequence[str]) -> dict[str, float]:
    """The share of records that have each feature."""
    counts = ", ".join(f"count({name})" for name in features)
    (row,) = connection.execute(f"SELECT count(*), {counts} FROM records").fetchall()
    return {name: count / max(row[0], 1) for name, count in zip(features, row[1:], strict=True)}


def imagined(found: Sequence[Key], fill: dict[str, float], seed: int) -> NDArray[np.bool_]:
    """Imagined pairs of one person: on which keys each agrees. Keys of one feature agree together."""
    draw = np.random.default_rng(seed)
    features = sorted({part for key in found for part in key.feature.split("+")})
    luck = {name: draw.random(_IMAGINED) for name in features}
    careless = np.where(draw.random(_IMAGINED) < 0.5, 0.3, 0.0)
    there = {name: draw.random((2, _IMAGINED)).max(axis=0) < fill[name] for name in features}
    agree = np.empty((_IMAGINED, len(found)), dtype=bool)
    for number, key in enumerate(found):
        parts = key.feature.split("+")
        each = key.agree ** (1 / len(parts))
        agree[:, number] = np.logical_and.reduce(
            [(luck[name] < each - careless) & there[name] for name in parts]
        )
    return agree


def choose(
    offered: Sequence[Candidate],
    found: Sequence[Key],
    agree: NDArray[np.bool_],
    weights: NDArray[np.float64],
    budget: float,
) -> list[Rule]:
    """The rules that find the most pairs of one person for a budget of pairs, the best for its cost first.

    ``agree`` tells for known or imagined pairs of one person, of these ``weights``,
    on which of the keys ``found`` they agree.
    """
    place = {key: number for number, key in enumerate(found)}
    finds = {one: np.logical_and.reduce([agree[:, place[key]] for key in one.keys]) for one in offered}
    missed = np.ones(len(agree), dtype=bool)
    chosen: list[Rule] = []
    left = budget
    while len(chosen) < MOST_RULES:
        worth = {one: float(weights[finds[one] & missed].sum()) for one in offered if 0 < one.cost <= left}
        best = max(worth, key=lambda one: worth[one] / (one.cost + budget / 50), default=None)
        if best is None or worth[best] <= 0.0001 * weights.sum():
            break
        chosen.append(Rule(keys=tuple(key.sql for key in best.keys), pairs=int(best.cost)))
        missed &= ~finds[best]
        left -= best.cost
    return chosen
