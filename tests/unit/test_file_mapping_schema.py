"""The JSON Schema of mappings agrees with the reader."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cauce.collect.files.mapping import mapping_schema, read_mapping
from cauce.vocabulary.errors import BadSettings
from cauce.vocabulary.yaml_lines import load_yaml, parse_yaml

ROOT = Path(__file__).parents[2]
MAPPINGS = sorted(
    path for folder in ("examples", "demo", "tests/golden") for path in (ROOT / folder).rglob("*.yaml")
    if path.name == "mapping.yaml" or path.parent.name == "mappings"
)  # fmt: skip
LEAST = "owner: a\nsource: shop\ncall: track\nevent: Bought\ntime: at\nuser_id: customer\n"
VALIDATOR = jsonschema.Draft202012Validator(mapping_schema())


def plain(value: Any) -> Any:
    """As JSON has it: without exact numbers."""
    return json.loads(json.dumps(value, default=lambda number: float(Decimal(number))))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(mapping_schema())
    assert json.loads(json.dumps(mapping_schema())) == mapping_schema()


def test_there_are_mappings_to_check() -> None:
    assert len(MAPPINGS) >= 5


@pytest.mark.parametrize("path", MAPPINGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_mappings_of_this_repository_are_valid(path: Path) -> None:
    document = load_yaml(path)
    VALIDATOR.validate(plain(document.value))
    read_mapping(document)


@pytest.mark.parametrize(
    "more",
    [
        "events: {user_id: ~}\n",
        "events:\n- when: {n: {below: 1.5, empty: false}, s: [a, b], x: {starts_with: C}}\n",
        "columns: {n: number, m: {type: time, format: epoch, zone: UTC, required: true}}\nempty: ''\n",
        "columns: {n: number}\nproperties: {x: {sum: n, unless: y}, z: {items: {y: {constant: 5}}}}\n",
        "format: {type: csv, delimiter: tab, header: [customer, at]}\nunique_by: at\nrepeated_lines: keep\n",
    ],
)
def test_both_accept(more: str) -> None:
    text = LEAST + (more if "when" not in more else more + "columns: {n: number}\n")
    read_mapping(parse_yaml(text, "m.yaml"))
    VALIDATOR.validate(plain(parse_yaml(text, "m.yaml").value))


@pytest.mark.parametrize(
    "more",
    [
        "grup_by: [a]\n",
        "events: []\n",
        "events:\n- evnt: x\n",
        "events:\n- when: {n: {belwo: 3}}\n",
        "columns: {n: intger}\n",
        "columns: {n: {type: integer, zone: UTC}}\n",
        "properties: {x: 5}\n",
        "properties: {x: {column: a, constant: 1}}\n",
        "properties: {x: {colunm: a}}\n",
        "anonymous_id: {sum: n}\n",
        "properties: {x: {count: rows}}\n",
        "properties: {x: {items: {y: {count: lines}}}}\n",
        "format: {type: csv, header: false}\n",
        "format: xlsx\n",
        "repeated_lines: drop\n",
        "person: nobody\n",
    ],
)
def test_both_refuse(more: str) -> None:
    document = parse_yaml(LEAST + more, "m.yaml")
    with pytest.raises(BadSettings):
        read_mapping(document)
    assert not VALIDATOR.is_valid(plain(document.value))
