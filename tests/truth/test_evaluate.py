"""`cauce identity evaluate` on people whose identity is known: FEBRL, Splink's fake_1000, made households."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cauce.match.evaluate import Evaluation, evaluate, report
from cauce.match.reading import read_records
from tests.truth.made_people import Record, records

DATA = Path(__file__).parents[3] / "shared" / "data"
SPANISH = {
    "given": "nombre",
    "surname": "apellidos",
    "birth": "fecha_nacimiento",
    "street": "calle",
    "number": "número",
    "place": "población",
    "code": "código postal",
    "phone": "teléfono",
    "email": "correo",
}


def of_file(name: str, truth: str) -> Evaluation:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    return evaluate(read_records(path), truth)


def table_of(made: list[Record], names: dict[str, str]) -> pa.Table:
    columns = {shown: pa.array([one.values[name] or None for one in made]) for name, shown in names.items()}
    return pa.table({**columns, "quién": pa.array([str(one.person) for one in made])})


@pytest.mark.parametrize(
    ("name", "truth", "least"),
    [("febrl1.csv", "rec_id", 0.99), ("febrl3.csv", "rec_id", 0.995), ("fake_1000.csv", "cluster", 0.95)],
)
def test_known_data(name: str, truth: str, least: float) -> None:
    figures = report(of_file(name, truth))
    assert figures["pairwise"]["f1"] >= least
    assert figures["bcubed"]["f1"] >= least


def test_households_stay_apart() -> None:
    made = records(420, seed=11)
    figures = report(evaluate(table_of(made, SPANISH), "quién"))
    assert figures["pairwise"]["precision"] >= 0.97
    assert figures["pairwise"]["recall"] >= 0.9


def test_labels_do_not_teach() -> None:
    made = records(150, seed=12)
    table = table_of(made, SPANISH)
    shuffled = np.random.default_rng(1).permutation(table.num_rows)
    other = table.set_column(
        table.column_names.index("quién"), "quién", table.column("quién").take(pa.array(shuffled))
    )
    first, second = evaluate(table, "quién"), evaluate(other, "quién")
    assert first.model.hash == second.model.hash
    assert first.matched.clusters.tolist() == second.matched.clusters.tolist()
    assert report(first)["pairwise"]["f1"] > 0.9 > report(second)["pairwise"]["f1"]
