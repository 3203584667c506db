"""The matching of records: features, model, pairs, clusters; the whole way on one page."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cauce.match import splink_engine
from cauce.match.clusters import Links, clusters, components
from cauce.match.column import COMPARED, Column, Kind
from cauce.match.kinds import find_kinds, override
from cauce.match.model import Model
from cauce.match.prepare import prepare
from cauce.match.scoring import Pairs, make_ready, score, score_these
from cauce.match.second_round import join_clusters
from cauce.match.training import SEED, train
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.nearest import nearest

MOST_RESCORED = 60
"""The records of a component up to which the pairs that no rule found are scored too."""
MEMORY = "3GB"
NUMBER = "record_number_of_cauce"


class Matched(NamedTuple):
    """Records matched: the model, the pairs from the candidate weight on, and each record's cluster."""

    model: Model
    pairs: Pairs
    clusters: NDArray[np.int64]


@contextmanager
def database(threads: int = 2, memory: str = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB of its own, in memory, closed at the end."""
    splink_engine.require()
    connection = duckdb.connect(config={"threads": threads, "memory_limit": memory})
    try:
        yield connection
    finally:
        connection.close()


def kinds(table: pa.Table, given: Mapping[str, str] | None = None) -> list[Column]:
    """The columns of a table of texts with their kinds, found or given."""
    found = find_kinds({name: table.column(name).to_pylist() for name in table.column_names})
    return override(found, given or {})


def load(
    connection: duckdb.DuckDBPyConnection, table: pa.Table, columns: Sequence[Column], into: str
) -> list[str]:
    """Fill ``into`` with the features of the records, numbered from 0; the names of the features."""
    if not any(column.kind in COMPARED for column in columns):
        raise InvalidInput(
            "No column says whose record it is: none of a known kind has two values or more.",
            hint="Name the kinds of the columns: --column NAME=KIND.",
        )
    numbered = table.append_column(NUMBER, pa.array(range(table.num_rows), pa.int64()))
    connection.register("raw_records", numbered)
    connection.execute(f"CREATE OR REPLACE TABLE {into} AS {prepare(columns, 'raw_records', NUMBER)}")
    connection.unregister("raw_records")
    described = connection.execute(f"SELECT * FROM {into} LIMIT 0").description or []
    return [name for name, *_ in described if name != "unique_id"]


def train_on(
    connection: duckdb.DuckDBPyConnection, table: pa.Table, columns: Sequence[Column], seed: int = SEED
) -> Model:
    """A model trained on the records of a table, without labels."""
    features = load(connection, table, columns, "records")
    return train(connection, columns, features, seed=seed)


def check_columns(model: Model, names: Sequence[str]) -> None:
    """Raise ``InvalidInput`` if the model compares a column that is not there."""
    for column in model.columns:
        if column.kind in COMPARED and column.name not in names:
            close = nearest(column.name, names)
            hint = f"Did you mean to call {close} so?" if close else "Give the file that the model is for."
            raise InvalidInput(f"The model compares {column.name}, which is not there.", hint=hint)


def match(connection: duckdb.DuckDBPyConnection, table: pa.Table, model: Model) -> Matched:
    """Score the records of a table with a model and put them into clusters."""
    check_columns(model, table.column_names)
    load(connection, table, model.columns, "records")
    return match_loaded(connection, table, model)


def match_loaded(connection: duckdb.DuckDBPyConnection, table: pa.Table, model: Model) -> Matched:
    """The same for records that ``load`` or training has put into ``records``."""
    make_ready(connection, model, "records", "ready")
    engine = splink_engine.Engine(connection, model, "ready")
    pairs = score(engine)
    links = _links(engine, pairs, table.num_rows)
    sources = _sources(table, model)
    found = clusters(table.num_rows, links, model.join, model.guards, sources=sources)
    return Matched(model, pairs, join_clusters(connection, model, pairs, found, sources=sources))


def _links(engine: splink_engine.Engine, pairs: Pairs, records: int) -> Links:
    """The scored pairs, and within each small component those too that no blocking rule found."""
    absent = engine.model.candidate
    good = pairs.weight > engine.model.join
    whole = components(records, pairs.a[good], pairs.b[good])
    a, b = _unscored(whole, pairs)
    if len(a):
        more = score_these(engine, a, b)
        return Links(
            np.concatenate([pairs.a, more.a]),
            np.concatenate([pairs.b, more.b]),
            np.concatenate([pairs.weight, more.weight]),
            absent,
        )
    return Links(pairs.a, pairs.b, pairs.weight, absent)


def _unscored(whole: NDArray[np.int64], pairs: Pairs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs inside small components that are not among the scored ones."""
    sizes = np.bincount(whole, minlength=len(whole))
    inside = whole[pairs.a] == whole[pairs.b]
    scored = np.bincount(whole[pairs.a[inside]], minlength=len(whole))
    lacking = (scored < sizes * (sizes - 1) // 2) & (sizes > 2) & (sizes <= MOST_RESCORED)
    members: dict[int, list[int]] = {int(one): [] for one in np.flatnonzero(lacking)}
    for record in np.flatnonzero(lacking[whole]).tolist():
        members[int(whole[record])].append(record)
    known = inside & lacking[whole[pairs.a]]
    there = set(zip(pairs.a[known].tolist(), pairs.b[known].tolist(), strict=True))
    missing = [
        (one, other)
        for group in members.values()
        for place, one in enumerate(group)
        for other in group[place + 1 :]
        if (one, other) not in there
    ]
    found = np.array(missing, dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _sources(table: pa.Table, model: Model) -> Sequence[str | None]:
    """Each record's source, where the model declares some one to one."""
    named = [column.name for column in model.columns if column.kind is Kind.SOURCE]
    if not model.guards.one_to_one or not named:
        return ()
    return list(table.column(named[0]).to_pylist())
