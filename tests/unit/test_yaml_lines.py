"""YAML with lines: plain values, places, and errors that name them."""

from decimal import Decimal

import pytest

from cauce.vocabulary.errors import BadSettings
from cauce.vocabulary.nearest import did_you_mean, nearest
from cauce.vocabulary.yaml_lines import Place, load_yaml, parse_yaml

TEXT = """\
name: shop
on: no
when: 2024-01-02
clock: 12:30
old: 010
price: 1.10
many: -3
off: ~
nothing:
yes: true
quoted: "5"
lines:
  - a: 1
  - b
"""


def test_values_are_plain_and_without_surprises() -> None:
    assert parse_yaml(TEXT, "f.yaml").value == {
        "name": "shop",
        "on": "no",
        "when": "2024-01-02",
        "clock": "12:30",
        "old": "010",
        "price": Decimal("1.10"),
        "many": -3,
        "off": None,
        "nothing": None,
        "yes": True,
        "quoted": "5",
        "lines": [{"a": 1}, "b"],
    }
    assert str(parse_yaml(TEXT, "f.yaml").value["price"]) == "1.10"


def test_places_of_keys_items_and_absent_entries() -> None:
    document = parse_yaml(TEXT, "f.yaml")
    assert document.place(("price",)) == Place(6, 1)
    assert document.values["price",] == Place(6, 8)
    assert document.place(("lines", 0, "a")) == Place(13, 5)
    assert document.place(("lines", 1)) == Place(14, 5)
    assert document.place(("lines", 0, "missing")) == Place(13, 5)
    assert document.place(()) == Place(1, 1)


def test_errors_begin_with_the_place() -> None:
    document = parse_yaml(TEXT, "f.yaml")
    assert document.error(("many",), "too few.").message == "f.yaml:7:1: too few."
    unknown = document.unknown(("price",), ["prices", "size"])
    assert unknown.message == "f.yaml:6:1: unknown key price."
    assert unknown.hint == "Did you mean prices?"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key a is written twice."),
        ("a: 1\nb: [1, 2\n", "f.yaml:3:1:"),
        ("a: 1\n? [x]\n: 2\n", "f.yaml:2:3: a key must be text."),
        ("a: !!python/name:os.system x\n", "f.yaml:1:4: the tag"),
        ("a: 1\nb: \x00\n", "f.yaml:2:4: a control character"),
        ("a: &x [*x]\n", "f.yaml:1:"),
        ("[" * 2000, "f.yaml:1:"),
        (
            "a: &a [1,1,1,1,1,1,1,1,1]\n"
            + "".join(
                f"{c}: &{c} [{','.join(['*' + p] * 9)}]\n" for p, c in ["ab", "bc", "cd", "de", "ef", "fg"]
            ),
            "f.yaml:",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(BadSettings) as refused:
        parse_yaml(text, "f.yaml")
    assert refused.value.message.startswith(message)


def test_files_that_cannot_be_read(tmp_path) -> None:
    with pytest.raises(BadSettings, match="no such file"):
        load_yaml(tmp_path / "missing.yaml")
    with pytest.raises(BadSettings, match="cannot be read"):
        load_yaml(tmp_path)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_bytes(b"a: \xff\n")
    with pytest.raises(BadSettings, match="not UTF-8"):
        load_yaml(wrong)
    wrong.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert load_yaml(wrong).value == {"a": 1}


def test_an_empty_document_is_none() -> None:
    assert parse_yaml("# only a comment\n", "f.yaml").value is None


def test_nearest_names() -> None:
    assert nearest("invoiceno", ["InvoiceNo", "Country"]) == "InvoiceNo"
    assert nearest("zzz", ["InvoiceNo", "Country"]) is None
    assert did_you_mean("zzz", ["b", "a"]) == "Valid names: b, a."
    assert did_you_mean("zzz", [f"n{i}" for i in range(20)]).endswith("n11 and 8 more.")
    assert did_you_mean("zzz", []) == ""
