"""Training of a model from records alone, without any label."""

import re
from collections.abc import Sequence

import duckdb
import msgspec
import numpy as np
from numpy.typing import NDArray

from cauce.match import blocking
from cauce.match.column import Column
from cauce.match.comparisons import comparisons
from cauce.match.frequencies import frequencies
from cauce.match.mixture import Mixture, fit, responsibilities
from cauce.match.model import Comparison, Model, Rule
from cauce.match.patterns import Patterns, count_patterns

SAMPLED = 1_000
"""How many records are compared with one another to see what strangers agree on."""
MOST_PAIRS = 60_000
"""How many pairs of a blocking rule are looked at."""
SEED = 20_260_101
TURNS = 4
_AB = "SELECT l.unique_id AS a, r.unique_id AS b"


def train(
    connection: duckdb.DuckDBPyConnection,
    columns: Sequence[Column],
    features: Sequence[str],
    *,
    seed: int = SEED,
) -> Model:
    """A model for the table ``records`` of features; the same records and seed give the same model."""
    usable = informative(connection, features)
    compared = comparisons(usable)
    keys = blocking.keys(usable)
    (records,) = connection.execute("SELECT count(*) FROM records").fetchall()[0]
    total = records * (records - 1) / 2
    rules = _first_rules(connection, keys, usable, records, seed)
    every = max(1, round(sum(rule.pairs for rule in rules) / (8 * MOST_PAIRS)))
    counted = [count_patterns(connection, compared, usable, _pairs(rule)) for rule in rules]
    sets = [one.without(_equal_in(compared, rule)) for one, rule in zip(counted, rules, strict=True)]
    whole = counted[0] if rules == [Rule(keys=(), pairs=int(total))] else None
    strangers = whole or count_patterns(connection, compared, usable, _sample(records))
    union = whole or count_patterns(connection, compared, usable, _union(rules, every))
    overall = np.array([0.2 * records / total, 0.02 * records / total, 1.0])
    beliefs = _believed(compared, _strangers(strangers, compared, None, overall))
    mixture, shares = beliefs, [_start(one, records) for one in sets]
    personal = [one.personal for one in compared]
    for _ in range(TURNS):
        mixture, shares = fit(sets, mixture, beliefs, shares, personal, _anchors(compared))
        overall = _overall(union, mixture, overall, every, total)
        beliefs = _believed(compared, _strangers(strangers, compared, mixture, overall))
        mixture = Mixture(mixture.m, mixture.h, beliefs.u)
    fitted = tuple(_fitted(one, *levels) for one, *levels in zip(compared, *mixture, strict=True))
    return Model(
        columns=tuple(columns),
        comparisons=fitted,
        rules=tuple(rules),
        same=float(overall[0]),
        related=float(overall[1]),
        frequencies=frequencies(connection, fitted, float(overall[0]) * total / records),
    )


def informative(connection: duckdb.DuckDBPyConnection, features: Sequence[str]) -> list[str]:
    """The features that have two values or more, in one of two hundred records at least."""
    asked = ", ".join(
        f"count(DISTINCT {name}) > 1 AND count({name}) >= 0.005 * count(*)" for name in features
    )
    (row,) = connection.execute(f"SELECT {asked} FROM records").fetchall()
    return [name for name, good in zip(features, row, strict=True) if good]


def _first_rules(
    connection: duckdb.DuckDBPyConnection,
    keys: Sequence[blocking.Key],
    features: Sequence[str],
    records: int,
    seed: int,
) -> list[Rule]:
    if records * (records - 1) / 2 <= blocking.ALL_PAIRS:
        return [Rule(keys=(), pairs=records * (records - 1) // 2)]
    offered = blocking.candidates(connection, keys)
    agree = blocking.imagined(keys, blocking.filled(connection, features), seed)
    return blocking.choose(offered, keys, agree, np.ones(len(agree)), blocking.PAIRS_EACH * records)


def _anchors(compared: Sequence[Comparison]) -> list[bool]:
    """What relatives agree on by chance alone: given name and birth date, or else all that is personal."""
    sure = [one.name == "given" or one.name.startswith("birth_") for one in compared]
    return sure if any(sure) else [one.personal for one in compared]


def _equal_in(compared: Sequence[Comparison], rule: Rule) -> list[int]:
    """The comparisons of which a rule makes the outcome, so that its pairs teach nothing about them."""
    read = {name for key in rule.keys for name in re.findall(r"[a-z_]+\d*", key)}
    return [number for number, one in enumerate(compared) if read & set(one.own)]


def _pairs(rule: Rule, side: str = "") -> str:
    """A query for the pairs of a rule; of a costly rule those of some values of its keys."""
    if not rule.keys:
        return f"{_AB} FROM records l JOIN records r ON l.unique_id < r.unique_id"
    every = max(1, round(rule.pairs / MOST_PAIRS))
    names = [f"k{number}" for number in range(len(rule.keys))]
    made = ", ".join(f"{key} AS {name}" for key, name in zip(rule.keys, names, strict=True))
    part = f"hash({', '.join(names)}) % {every} = 0" if not side else "true"
    keyed = f"SELECT unique_id, {made} FROM records"
    both = " AND ".join(f"l.{name} = r.{name}" for name in names)
    return (
        f"{_AB} FROM (SELECT * FROM ({keyed}) WHERE {part}{side}) l "
        f"JOIN ({keyed}) r ON {both} AND l.unique_id < r.unique_id"
    )


def _union(rules: Sequence[Rule], every: int) -> str:
    """A query for the pairs of all rules, each once; of one in ``every`` of their first records."""
    side = f" AND hash(unique_id) % {every} = 0"
    return " UNION ".join(f"({_pairs(rule, side)})" for rule in rules)


def _sample(records: int) -> str:
    """A query for the pairs of a sample of records with one another."""
    few = "" if records <= SAMPLED else f" ORDER BY hash(unique_id) LIMIT {SAMPLED}"
    sample = f"(SELECT unique_id FROM records{few})"
    return f"{_AB} FROM {sample} l JOIN {sample} r ON l.unique_id < r.unique_id"


def _start(patterns: Patterns, records: int) -> NDArray[np.float64]:
    """The shares of the classes before anything is known: two records in five have another of theirs."""
    pairs = float(patterns.pairs.sum())
    same = min(0.5, 0.4 * records / max(pairs, 1.0))
    return np.array([same, 0.1 * same, 1.0 - 1.1 * same])


def _frequency(patterns: Patterns, comparison: int, levels: int) -> NDArray[np.float64]:
    outcomes = patterns.outcomes[:, comparison]
    there = outcomes >= 0
    return np.bincount(outcomes[there], weights=patterns.pairs[there], minlength=levels).astype(np.float64)


def _strangers(
    sample: Patterns, compared: Sequence[Comparison], mixture: Mixture | None, classes: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """``u``: what a sample of all pairs shows, less what of it comes from pairs that are no strangers."""
    found = []
    for number, comparison in enumerate(compared):
        counts = _frequency(sample, number, len(comparison.levels))
        pairs = counts.sum()
        if mixture is not None:
            known = pairs * (classes[0] * mixture.m[number] + classes[1] * mixture.h[number])
            counts = np.maximum(counts - known, 0.02 * counts)
        counts = counts + 0.3
        found.append(counts / counts.sum())
    return found


def _believed(compared: Sequence[Comparison], u: list[NDArray[np.float64]]) -> Mixture:
    """Beliefs: relatives are like strangers in what is personal, and like one person in the rest."""
    m = [np.array([level.m for level in one.levels]) for one in compared]
    h = [
        0.98 * strange + 0.02 * mine if one.personal else 0.1 * strange + 0.9 * mine
        for one, mine, strange in zip(compared, m, u, strict=True)
    ]
    m = [0.999 * mine + 0.001 * strange for mine, strange in zip(m, u, strict=True)]
    return Mixture(m, h, u)


def _overall(
    union: Patterns, mixture: Mixture, classes: NDArray[np.float64], scale: float, total: float
) -> NDArray[np.float64]:
    """The shares of the classes among all pairs, from the pairs that any rule finds."""
    for _ in range(20):
        found = responsibilities(union, mixture, classes) * union.pairs[:, None]
        same, related, _rest = found.sum(axis=0) * scale + np.array([0.5, 0.05, 0.0])
        classes = np.array([same / total, related / total, 1.0 - (same + related) / total])
    return classes


def _fitted(
    comparison: Comparison, m: NDArray[np.float64], h: NDArray[np.float64], u: NDArray[np.float64]
) -> Comparison:
    levels = tuple(
        msgspec.structs.replace(level, m=_rounded(mine), h=_rounded(related), u=_rounded(strange))
        for level, mine, related, strange in zip(comparison.levels, m, h, u, strict=True)
    )
    return msgspec.structs.replace(comparison, levels=levels)


def _rounded(share: float) -> float:
    """Twelve digits: sums in another order must not make another model."""
    return float(f"{max(float(share), 1e-9):.9e}")
