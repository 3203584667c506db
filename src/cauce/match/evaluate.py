"""The evaluation of a model on records of which a column tells who is who.

The column is taken off before anything else looks at the records, so no label can
reach the kinds of the columns, the training or the clusters.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cauce.match.column import Column
from cauce.match.matching import Matched, database, kinds, match, match_loaded, train_on
from cauce.match.model import Model
from cauce.match.scoring import prior
from cauce.match.truth import bcubed, calibration, histogram, mixed, pairwise, read_labels


class Evaluation(NamedTuple):
    """What was matched, and who the records truly are."""

    columns: list[Column]
    matched: Matched
    truth: NDArray[np.int64]

    @property
    def model(self) -> Model:
        """The model, given or trained."""
        return self.matched.model


def evaluate(
    table: pa.Table,
    truth: str,
    *,
    ignore: Sequence[str] = (),
    given: Mapping[str, str] | None = None,
    model: Model | None = None,
) -> Evaluation:
    """Match the records of a table of texts without its column ``truth`` and those to ``ignore``.

    ``given`` are kinds of columns that override those found. Without a model one is
    trained on the records.
    """
    labels = read_labels(table.column(truth).to_pylist())
    records = table.drop_columns(list({truth, *ignore}))
    with database() as connection:
        if model is None:
            columns = kinds(records, given)
            trained = train_on(connection, records, columns)
            return Evaluation(columns, match_loaded(connection, records, trained), labels)
        return Evaluation(list(model.columns), match(connection, records, model), labels)


def report(evaluation: Evaluation) -> dict[str, Any]:
    """The figures as plain values; records are told by their line, 1 being the first after the header."""
    found, truth, pairs = evaluation.matched.clusters, evaluation.truth, evaluation.matched.pairs
    sizes = histogram(found)
    bins = calibration(pairs.probability(), pairs.a, pairs.b, truth)
    return {
        "pairwise": pairwise(found, truth)._asdict(),
        "bcubed": bcubed(found, truth)._asdict(),
        "clusters": {"count": sum(sizes.values()), "largest": max(sizes), "sizes": sizes},
        "people": int(truth.max()) + 1,
        "records": len(truth),
        "over_merged": [_lines(one.records) for one in mixed(truth, found)],
        "under_merged": [_lines(one.records) for one in mixed(found, truth)],
        "candidates": int(
            ((pairs.weight <= evaluation.model.join) & (found[pairs.a] != found[pairs.b])).sum()
        ),
        "calibration": [one._asdict() for one in bins],
        "model": evaluation.model.hash,
        "columns": {
            column.name: {"kind": str(column.kind), "why": column.why} for column in evaluation.columns
        },
        "blocking": [{"keys": list(rule.keys), "pairs": rule.pairs} for rule in evaluation.model.rules],
        "weights": weights(evaluation.model),
    }


def weights(model: Model) -> dict[str, Any]:
    """What each outcome of each comparison weighs, as a chart of match weights needs it."""
    return {
        "prior": prior(model),
        "comparisons": {
            one.name: [
                {
                    "outcome": level.label,
                    "weight": float(np.log2(level.m / level.u)),
                    "against_relatives": float(np.log2(level.m / level.h)),
                    "m": level.m,
                    "h": level.h,
                    "u": level.u,
                }
                for level in one.levels
            ]
            for one in model.comparisons
        },
    }


def _lines(parts: Sequence[Sequence[int]]) -> list[list[int]]:
    return [[record + 1 for record in part] for part in parts]
