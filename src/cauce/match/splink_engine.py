"""The way to Splink, which comes with the extra ``match``."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from cauce.match.model import Comparison, Model
from cauce.vocabulary.errors import Unsupported

INSTALL = "Install it: pip install 'cauce[match]'."


def require() -> None:
    """Raise ``Unsupported`` with the way to install Splink where it is absent or too old."""
    try:
        import splink  # noqa: PLC0415  optional extra
    except ImportError as error:
        raise Unsupported("Matching records needs Splink, which is not installed.", hint=INSTALL) from error
    if int(splink.__version__.split(".")[0]) < 5:
        raise Unsupported(
            f"Matching records needs Splink 5; {splink.__version__} is installed.", hint=INSTALL
        )


class Engine:
    """Splink with a model over a table that ``scoring.make_ready`` made."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, model: Model, table: str) -> None:
        require()
        from splink import DuckDBAPI, Linker  # noqa: PLC0415  optional extra

        self.connection, self.model = connection, model
        self._api = DuckDBAPI(connection=connection)
        self._linker = Linker(
            self._api.register(table), settings(model), log_level=None, validate_settings=False
        )
        for name in model.frequencies:  # the table has them: Splink need not count
            empty = {name: pa.array([], pa.string()), f"tf_{name}": pa.array([], pa.float64())}
            lookup = self._api.register(pa.table(empty))
            self._linker.table_management.register_term_frequency_lookup(lookup, name)

    @contextmanager
    def predicted(self, least: float | None = None, pairs: str = "") -> Iterator[str]:
        """The name of a table of predictions, dropped at the end.

        Of weights from ``least`` on; of the pairs that the blocking rules find, or of
        those in the table ``pairs`` with the columns ``match_key``, ``join_key_l`` and
        ``join_key_r``.
        """
        if pairs:
            self._linker.table_management.register_blocked_pairs_for_predict(self._api.register(pairs))
        found = self._linker.inference.predict(threshold_match_weight=least, warning_mode="never")
        try:
            yield found.physical_name
        finally:
            found.drop_table_from_database_and_remove_from_cache()


def settings(model: Model) -> dict[str, Any]:
    """The model as Splink's settings, for a table of features with the columns of keys and frequencies.

    Splink knows two classes, one person or two; the third is ours (see ``scoring``).
    """
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": model.same,
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": True,
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": blocking_sql(number, len(rule.keys)), "sql_dialect": "duckdb"}
            for number, rule in enumerate(model.rules)
        ],
        "comparisons": [_comparison(one) for one in model.comparisons],
    }


def blocking_sql(rule: int, keys: int) -> str:
    """The blocking rule of that number in SQL over the columns of its keys."""
    return " AND ".join(f"l.key_{rule}_{key} = r.key_{rule}_{key}" for key in range(keys)) or "1=1"


def _comparison(comparison: Comparison) -> dict[str, Any]:
    levels: list[dict[str, Any]] = [
        {"sql_condition": comparison.missing, "label_for_charts": "missing", "is_null_level": True}
    ]
    for level in comparison.levels:
        made: dict[str, Any] = {
            "sql_condition": level.sql,
            "label_for_charts": level.label,
            "m_probability": level.m,
            "u_probability": level.u,
        }
        if level.tf:
            made |= {"tf_adjustment_column": level.tf, "disable_tf_exact_match_detection": True}
        levels.append(made)
    return {"output_column_name": comparison.name, "comparison_levels": levels}


def as_splink(model: Model) -> str:
    """The settings as JSON that Splink reads."""
    return msgspec.json.encode(settings(model)).decode()
