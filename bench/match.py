"""Matching of records: our whole run beside the same model run by bare Splink, in one process.

`CAUCE_BENCH_RECORDS` sets the number of records, 20,000 if it is not given. Bare
Splink starts from the table of features that we made for it: it predicts and puts
connected pairs into clusters. Ours starts from the texts of the file.
"""

import os
import time
from collections.abc import Callable
from typing import TypeVar

import duckdb
import pyarrow as pa
from splink import DuckDBAPI, Linker

from bench.figures import Figure
from cauce.match import matching, splink_engine
from cauce.match.incremental import Changes
from cauce.match.model import Model
from cauce.match.scoring import make_ready
from tests.truth.made_people import records

_SEED = 20_261_123
_TRAINED_ON = 10_000
_RECORDS_EACH = 2.4
_CHANGED = 1_000
_T = TypeVar("_T")


def run() -> list[Figure]:
    """Measure both, in processor seconds, and the scoring of a thousand changed records."""
    wanted = int(os.environ.get("CAUCE_BENCH_RECORDS", "20000"))
    table = _table(wanted)
    with matching.database(memory="8GB") as connection:
        columns = matching.kinds(table)
        model = matching.train_on(connection, table.slice(0, _TRAINED_ON), columns)
    ours, matched = _timed(lambda: _ours(table, model))
    with matching.database(memory="8GB") as connection:
        matching.load(connection, table, columns, "records")
        make_ready(connection, model, "records", "ready")
        bare, _ = _timed(lambda: _bare(connection, model))
        changes = Changes(connection, model)
        few, _ = _timed(lambda: _changed(changes, table))
    each = f"{table.num_rows:,} records, {len(matched.pairs.a):,} pairs kept"
    return [
        Figure(
            f"match {each}",
            ours,
            "CPU s",
            "≤ 1.2 × bare Splink",
            ours <= 1.2 * bare,
            ours / bare,
            "bare Splink",
        ),
        Figure("score 1,000 changed records", few, "CPU s", "≤ 1 s", few <= 1.0),
    ]


def _table(wanted: int) -> pa.Table:
    made = records(int(wanted / _RECORDS_EACH), seed=_SEED)[:wanted]
    return pa.table({name: pa.array([one.values[name] or None for one in made]) for name in made[0].values})


def _timed(act: Callable[[], _T]) -> tuple[float, _T]:
    started = time.process_time()
    done = act()
    return time.process_time() - started, done


def _ours(table: pa.Table, model: Model) -> matching.Matched:
    with matching.database(memory="8GB") as connection:
        return matching.match(connection, table, model)


def _bare(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """What a user of Splink would write: register, predict, cluster."""
    api = DuckDBAPI(connection=connection)
    linker = Linker(
        api.register("ready"), splink_engine.settings(model), log_level=None, validate_settings=False
    )
    found = linker.inference.predict(threshold_match_weight=model.candidate, warning_mode="never")
    linker.clustering.cluster_pairwise_predictions_at_threshold(found, threshold_match_weight=model.join)


def _changed(changes: Changes, table: pa.Table) -> None:
    """A thousand records put anew and scored against the rest."""
    numbers = list(range(0, table.num_rows, max(1, table.num_rows // _CHANGED)))[:_CHANGED]
    changes.put(table.take(pa.array(numbers)), numbers)
    changes.score(numbers)
