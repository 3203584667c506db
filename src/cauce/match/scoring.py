"""Scoring of pairs with a model: Splink's weight, then what relatives take off it.

A pair's outcome speaks for one person as against two strangers; that is Splink's
weight, the log2 of the odds. Two relatives share surname, address and telephone as
one person does, so their pair is weighed against relatives too: with ``R`` the odds
of one person against relatives and ``S`` those against strangers, the odds against
both are 1 / (1/R + 1/S).
"""

import math
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cauce.match.model import Comparison, Model
from cauce.match.patterns import MISSING
from cauce.match.splink_engine import Engine

NEVER = -60.0
"""The lowest weight that is told apart."""


class Pairs(NamedTuple):
    """Scored pairs of records, ``a`` before ``b``, ordered.

    ``weight`` is the log2 of the odds; ``parts`` are the weights of each comparison,
    in the model's order, and last what relatives take off; with the prior they add
    up to it. ``outcomes`` are the levels.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    weight: NDArray[np.float64]
    parts: NDArray[np.float64]
    outcomes: NDArray[np.int64]

    def probability(self) -> NDArray[np.float64]:
        """The probability that each pair is of one person."""
        return np.asarray(1.0 / (1.0 + 2.0**-self.weight))

    def where(self, chosen: NDArray[Any]) -> "Pairs":
        """Some of the pairs."""
        return Pairs(*(part[chosen] for part in self))


class Waterfall(NamedTuple):
    """What each comparison of a pair added: its name, its outcome, and the weight."""

    name: str
    outcome: str
    weight: float


def waterfall(model: Model, pairs: Pairs, number: int) -> list[Waterfall]:
    """How the weight of one of the pairs came about, from the prior to the sum."""
    steps = [Waterfall("prior", "", prior(model))]
    for place, comparison in enumerate(model.comparisons):
        level = int(pairs.outcomes[number, place])
        label = "missing" if level == MISSING else comparison.levels[level].label
        steps.append(Waterfall(comparison.name, label, float(pairs.parts[number, place])))
    steps.append(Waterfall("relatives", "", float(pairs.parts[number, -1])))
    return steps


def prior(model: Model) -> float:
    """The log2 of the odds that any two records are of one person."""
    return math.log2(model.same / (1.0 - model.same))


def make_ready(connection: duckdb.DuckDBPyConnection, model: Model, source: str, into: str) -> None:
    """Make the table ``into``: the features of ``source`` with the model's keys and frequencies."""
    joins, added = [], []
    for number, rule in enumerate(model.rules):
        added += [f"{key} AS key_{number}_{place}" for place, key in enumerate(rule.keys)]
    for name, frequency in model.frequencies.items():
        listed = f"frequency_{name}"
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {listed} AS "
            "SELECT unnest(?::VARCHAR[]) AS value, unnest(?::DOUBLE[]) AS share",
            [list(frequency.values), list(frequency.values.values())],
        )
        joins.append(f"LEFT JOIN {listed} ON {listed}.value = s.{name}")
        added.append(
            f"CASE WHEN s.{name} IS NOT NULL "
            f"THEN coalesce({listed}.share, {frequency.other!r}::DOUBLE) END AS tf_{name}"
        )
    columns = ", ".join(["s.*", *added])
    connection.execute(
        f"CREATE OR REPLACE TABLE {into} AS SELECT {columns} FROM {source} s {' '.join(joins)}"
    )


def score(engine: Engine) -> Pairs:
    """The pairs that the blocking rules find in the engine's table, from the candidate weight on."""
    with engine.predicted(engine.model.candidate) as found:
        return _candidates(_pairs(engine.connection, engine.model, found), engine.model)


def score_these(
    engine: Engine, a: NDArray[np.int64], b: NDArray[np.int64], *, least: float | None = None
) -> Pairs:
    """These pairs of the engine's table, ``a`` before ``b``; all of them, or those from a weight on."""
    connection = engine.connection
    connection.register("wanted_pairs", pa.table({"a": a, "b": b}))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE these_pairs AS "
        "SELECT '0' AS match_key, a AS join_key_l, b AS join_key_r FROM wanted_pairs"
    )
    connection.unregister("wanted_pairs")
    with engine.predicted(least, "these_pairs") as found:
        pairs = _pairs(connection, engine.model, found)
    return pairs if least is None else _candidates(pairs, engine.model)


def _candidates(pairs: Pairs, model: Model) -> Pairs:
    """Those that weigh enough for a person to look at, relatives weighed in."""
    return pairs.where(pairs.weight >= model.candidate)


def _pairs(connection: duckdb.DuckDBPyConnection, model: Model, predicted: str) -> Pairs:
    """Splink's predictions as pairs, with relatives weighed in."""
    compared = model.comparisons
    parts = ", ".join(f"{_weight(one)} AS part_{number}" for number, one in enumerate(compared))
    outcomes = ", ".join(
        f"CASE WHEN gamma_{one.name} < 0 THEN {MISSING} "
        f"ELSE {len(one.levels) - 1} - gamma_{one.name} END AS outcome_{number}"
        for number, one in enumerate(compared)
    )
    related = _against_relatives(model)
    found = connection.execute(
        f"SELECT unique_id_l AS a, unique_id_r AS b, match_weight AS strangers, {related} AS relatives, "
        f"{parts}, {outcomes} FROM {predicted} ORDER BY a, b"
    ).fetchnumpy()
    strangers = np.asarray(found["strangers"], dtype=np.float64)
    both = np.maximum(-np.logaddexp2(-strangers, -np.asarray(found["relatives"], dtype=np.float64)), NEVER)
    columns = [np.asarray(found[f"part_{number}"], dtype=np.float64) for number in range(len(compared))]
    levels = [np.asarray(found[f"outcome_{number}"], dtype=np.int64) for number in range(len(compared))]
    return Pairs(
        np.asarray(found["a"], dtype=np.int64),
        np.asarray(found["b"], dtype=np.int64),
        both,
        np.stack([*columns, both - strangers], axis=1),
        np.stack(levels, axis=1),
    )


def _adjusted(comparison: Comparison) -> bool:
    return any(level.tf for level in comparison.levels)


def _weight(comparison: Comparison) -> str:
    adjusted = f" + mw_tf_adj_{comparison.name}" if _adjusted(comparison) else ""
    return f"mw_{comparison.name}{adjusted}"


def _against_relatives(model: Model) -> str:
    """SQL of the weight against relatives, who agree by chance only on what is personal."""
    terms = [repr(math.log2(model.same / model.related))]
    for comparison in model.comparisons:
        last = len(comparison.levels) - 1
        whens = " ".join(
            f"WHEN {last - place} THEN {math.log2(level.m / level.h)!r}"
            for place, level in enumerate(comparison.levels)
        )
        terms.append(f"CASE gamma_{comparison.name} {whens} ELSE 0 END")
        if comparison.personal and _adjusted(comparison):
            terms.append(f"mw_tf_adj_{comparison.name}")
    return f"CAST({' + '.join(terms)} AS DOUBLE)"
