"""The probabilistic policy of scenarios: records of people, matched with a declared model.

A model cannot be trained on the two or three records of a scenario; its shares are declared.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from cauce.identity.scenario_policies import Pair
from cauce.match.matching import database, load
from cauce.match.model import Model
from cauce.match.model_files import read_model
from cauce.match.scoring import Waterfall, make_ready, score, waterfall
from cauce.match.splink_engine import INSTALL, Engine, require
from cauce.vocabulary.errors import Unsupported
from cauce.vocabulary.postal_address import address_parts

_INSTALLED = Path(__file__).parent / "small_data.yaml"
_IN_REPOSITORY = Path(__file__).parents[3] / "examples" / "identity" / "small_data.yaml"
DECLARED_MODEL = _INSTALLED if _INSTALLED.is_file() else _IN_REPOSITORY
"""The model that everybody has: for small data, with declared shares."""

_COLUMNS = ("name", "street", "post_code", "place")


class Weighed(NamedTuple):
    """Two records, by their places, the log2 of the odds that they are one, and how that came about."""

    one: int
    other: int
    weight: float
    steps: list[Waterfall]


class ModelMatcher:
    """Finds records that may be one person with a model; a ``Matcher``."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.join = model.join
        self.candidate = model.candidate

    def pairs(self, records: Sequence[Mapping[str, Any]]) -> list[Pair]:
        """The pairs of records, each with identifiers and traits, that are candidates at least."""
        return [Pair(one.one, one.other, one.weight) for one in self.weighed(records)]

    def weighed(self, records: Sequence[Mapping[str, Any]]) -> list[Weighed]:
        """The same pairs, each with what every comparison added to its weight."""
        if len(records) < 2:
            return []
        rows = [_row(record) for record in records]
        names = dict.fromkeys([*(column.name for column in self._model.columns), *_COLUMNS])
        table = pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names})
        with database(threads=1, memory="1GB") as connection:
            load(connection, table, self._model.columns, "records")
            make_ready(connection, self._model, "records", "ready")
            scored = score(Engine(connection, self._model, "ready"))
        found = scored.where(scored.weight >= self.candidate)
        pairs = zip(found.a.tolist(), found.b.tolist(), found.weight.tolist(), strict=True)
        return [Weighed(*pair, waterfall(self._model, found, n)) for n, pair in enumerate(pairs)]


def find_matcher(path: Path | None) -> tuple[ModelMatcher | None, str]:
    """The matcher of a model, or of the model that everybody has; without Splink None, and what to do."""
    try:
        require()
    except Unsupported:
        return None, INSTALL
    return ModelMatcher(read_model(path or DECLARED_MODEL)), ""


def _row(record: Mapping[str, Any]) -> dict[str, str]:
    """A record's values as texts; name and address under one name each, however they were written."""
    texts = {
        name: str(value) for name, value in record.items() if isinstance(value, str | int) and value != ""
    }
    parts = address_parts(record)
    return texts | {name: value for name, value in zip(_COLUMNS, parts, strict=True) if value}
