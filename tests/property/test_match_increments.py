"""Changed records scored alone give the pairs of a full run with the same model."""

import random

import numpy as np
import pyarrow as pa
import pytest

from cauce.match.incremental import Changes
from cauce.match.matching import database, kinds, load, train_on
from cauce.match.model import Model
from cauce.match.scoring import Pairs, make_ready, score
from cauce.match.splink_engine import Engine
from tests.truth.made_people import records

NAMES = ("given", "surname", "birth", "street", "number", "place", "code", "phone", "email")


def table(rows: list[dict[str, str]]) -> pa.Table:
    return pa.table({name: pa.array([row[name] or None for row in rows]) for name in NAMES})


@pytest.fixture(scope="module")
def trained() -> tuple[list[dict[str, str]], Model]:
    rows = [one.values for one in records(450, seed=21)]  # enough for blocking rules
    with database() as connection:
        return rows, train_on(connection, table(rows), kinds(table(rows)))


def full(rows: list[dict[str, str]], model: Model) -> Pairs:
    with database() as connection:
        load(connection, table(rows), model.columns, "records")
        make_ready(connection, model, "records", "ready")
        return score(Engine(connection, model, "ready"))


def test_pairs_equal_a_full_run(trained: tuple[list[dict[str, str]], Model]) -> None:
    rows, model = trained
    assert any(rule.keys for rule in model.rules)
    draw = random.Random(5)
    before = [dict(row) for row in rows]
    with database() as connection:
        load(connection, table(before), model.columns, "records")
        make_ready(connection, model, "records", "ready")
        changes = Changes(connection, model)
        for size in (1, 7, 60, 200):
            numbers = draw.sample(range(len(rows)), size)
            for number in numbers:
                other = before[draw.randrange(len(before))]
                before[number] = {
                    name: (other if draw.random() < 0.5 else before[number])[name] for name in NAMES
                }
            changes.put(table([before[number] for number in numbers]), numbers)
            found = changes.score(numbers)
            wanted = full(before, model)
            wanted = wanted.where(np.isin(wanted.a, numbers) | np.isin(wanted.b, numbers))
            assert len(wanted.a) > 0
            for mine, its in zip(found, wanted, strict=True):
                np.testing.assert_array_equal(mine, its)


def test_new_records_find_their_person(trained: tuple[list[dict[str, str]], Model]) -> None:
    rows, model = trained
    with database() as connection:
        load(connection, table(rows), model.columns, "records")
        make_ready(connection, model, "records", "ready")
        changes = Changes(connection, model)
        complete = next(number for number, row in enumerate(rows) if all(row[name] for name in NAMES))
        changes.put(table([rows[complete]]), [len(rows)])
        found = changes.score([len(rows)])
    best = int(found.weight.argmax())
    assert (int(found.a[best]), int(found.b[best])) == (complete, len(rows))
    assert found.weight[best] > 20
