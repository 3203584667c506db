"""New and changed records scored against all others, without a full run.

The pairs are those of a full run with the same model that have a changed record:
the same rules find them and Splink scores them from the same side.
"""

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cauce.match.matching import load
from cauce.match.model import Model
from cauce.match.scoring import Pairs, make_ready, score_these
from cauce.match.splink_engine import Engine


class Changes:
    """Changed records of a table made ready, put in place and scored; the model is read once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, model: Model, ready: str = "ready") -> None:
        self._connection, self._model, self._ready = connection, model, ready
        connection.execute(f"CREATE OR REPLACE TABLE touched AS SELECT * FROM {ready} LIMIT 0")
        self._engine = Engine(connection, model, "touched")

    def put(self, table: pa.Table, numbers: Sequence[int]) -> None:
        """Put records in, in place of what there was under their numbers.

        ``table`` has the columns of the model as texts, a row for each number.
        """
        connection = self._connection
        load(connection, table, self._model.columns, "changed_records")
        make_ready(connection, self._model, "changed_records", "changed_ready")
        self._name(numbers)
        connection.execute(f"DELETE FROM {self._ready} WHERE unique_id IN (SELECT n FROM numbers)")
        connection.execute(
            f"INSERT INTO {self._ready} BY NAME SELECT c.* REPLACE (numbers.n AS unique_id) "
            "FROM changed_ready c JOIN numbers ON numbers.place = c.unique_id"
        )
        connection.execute("DROP TABLE changed_records; DROP TABLE changed_ready")

    def score(self, numbers: Sequence[int]) -> Pairs:
        """The pairs with one of these records at least, as a full run over the table would give them."""
        connection = self._connection
        self._name(numbers)
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE changed AS "
            f"SELECT * FROM {self._ready} WHERE unique_id IN (SELECT n FROM numbers)"
        )
        found = connection.execute(_blocked(self._model, self._ready)).fetchnumpy()
        a, b = (np.asarray(found[side], dtype=np.int64) for side in ("a", "b"))
        self._name(np.unique(np.concatenate([a, b])))
        connection.execute("DELETE FROM touched")
        connection.execute(
            f"INSERT INTO touched SELECT * FROM {self._ready} WHERE unique_id IN (SELECT n FROM numbers)"
        )
        return score_these(self._engine, a, b, least=self._model.candidate)

    def _name(self, numbers: Sequence[int] | NDArray[np.int64]) -> None:
        """Make the table ``numbers``: those of records, each with its place."""
        named = np.asarray(numbers, dtype=np.int64)
        self._connection.register("named", pa.table({"n": named, "place": np.arange(len(named))}))
        self._connection.execute("CREATE OR REPLACE TEMP TABLE numbers AS SELECT * FROM named")
        self._connection.unregister("named")


def _blocked(model: Model, ready: str) -> str:
    """The pairs of a changed record with any other that a blocking rule finds, each once."""
    found = []
    for number, rule in enumerate(model.rules):
        same = [f"c.key_{number}_{place} = r.key_{number}_{place}" for place in range(len(rule.keys))]
        found.append(
            "SELECT least(c.unique_id, r.unique_id) AS a, greatest(c.unique_id, r.unique_id) AS b "
            f"FROM changed c JOIN {ready} r ON {' AND '.join(['c.unique_id <> r.unique_id', *same])}"
        )
    return f"{' UNION '.join(found)} ORDER BY a, b"
