"""`cauce identity evaluate` as people call it: files, models, overrides, and errors that say what to do."""

import csv
import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cauce.app.cli import app
from cauce.match.model_files import read_model, write_model
from cauce.vocabulary.errors import BadSettings
from tests.truth.made_people import records

NAMES = {"given": "nombre", "surname": "apellidos", "birth": "fecha_nacimiento", "code": "cp", "phone": "tel"}
RUN = CliRunner()


def call(*arguments: object) -> tuple[int, str, str]:
    found = RUN.invoke(app, ["identity", "evaluate", *map(str, arguments)])
    return found.exit_code, found.stdout, found.stderr


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("people") / "people.csv"
    with file.open("w", newline="", encoding="cp1252") as out:
        rows = csv.writer(out, delimiter=";")
        rows.writerow(["fila", *NAMES.values(), "cliente", "copia de cliente"])
        for number, one in enumerate(records(90, seed=31)):
            row = [one.values[name] for name in NAMES]
            rows.writerow([number, *row, f"c{one.person}", f"c{one.person}"])
    return file


def test_json_and_models(people: Path, tmp_path: Path) -> None:
    for name in ("model.yaml", "model.json"):
        model = tmp_path / name
        arguments = (people, "--truth", "cliente", "--ignore", "copia de cliente", "--json")
        code, out, _ = call(*arguments, "--write-model", model)
        trained = json.loads(out)
        assert code == 0
        assert set(trained) >= {"pairwise", "bcubed", "clusters", "seconds"}
        assert set(trained["pairwise"]) == set(trained["bcubed"]) == {"precision", "recall", "f1"}
        assert trained["clusters"]["count"] >= trained["clusters"]["largest"] > 1
        assert trained["pairwise"]["f1"] > 0.85
        assert trained["columns"]["apellidos"]["kind"] == "surname"
        assert read_model(model).hash == trained["model"]
        again = json.loads(call(*arguments, "--model", model)[1])
        for name in ("pairwise", "bcubed", "clusters", "over_merged", "under_merged", "model"):
            assert again[name] == trained[name]


def test_told_to_people(people: Path) -> None:
    code, out, _ = call(
        people, "--truth", "cliente", "--ignore", "copia de cliente,tel", "--column", "cp=ignored"
    )
    assert code == 0
    assert "pairwise" in out
    assert "as given" in out
    assert "tel" not in out.split("pairwise")[0].split()


def test_wrong_names(people: Path) -> None:
    for arguments, hint in (
        (("--truth", "client"), "Did you mean cliente?"),
        (("--truth", "cliente", "--ignore", "telefono"), "tel"),
        (("--truth", "cliente", "--column", "nombr=given_name"), "Did you mean nombre?"),
        (("--truth", "cliente", "--column", "nombre=givn_name"), "Did you mean given_name?"),
        (("--truth", "cliente", "--column", "nombre"), "--column NAME=KIND"),
    ):
        code, _, err = call(people, *arguments)
        assert code != 0
        assert hint in err


def test_a_model_for_other_columns(people: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("nombre,apellido,cliente\nAna,Gil,1\nAna,Gil,1\nEva,Paz,2\n", encoding="utf-8")
    model = tmp_path / "model.yaml"
    assert call(people, "--truth", "cliente", "--ignore", "copia de cliente", "--write-model", model)[0] == 0
    code, _, err = call(other, "--truth", "cliente", "--model", model)
    assert code != 0
    assert "apellido" in err


def test_a_changed_model_is_told(people: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.yaml"
    assert call(people, "--truth", "cliente", "--ignore", "copia de cliente", "--write-model", file)[0] == 0
    model = read_model(file)
    text = file.read_text()
    file.write_text(text.replace("join: -1.0", "join: 3.0"))
    with pytest.raises(BadSettings, match="was changed"):
        read_model(file)
    file.write_text(
        "\n".join(line for line in file.read_text().splitlines() if not line.startswith("version"))
    )
    assert read_model(file).join == 3.0
    assert read_model(file).hash != model.hash
    file.write_text(text.replace("join: -1.0", "join: much"))
    with pytest.raises(BadSettings, match="holds no model"):
        read_model(file)
    write_model(model, file)
    assert read_model(file) == model


def test_without_the_extra(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "splink", None)
    code, _, err = call(people, "--truth", "cliente")
    assert code != 0
    assert "pip install 'cauce[match]'" in err
