"""Cells become values exactly, or are wrong with a reason."""

from decimal import Decimal
from typing import Any

import pytest

from cauce.collect.files.convert import WrongValue, converter
from cauce.collect.files.mapping.model import ColumnType, Kind
from cauce.vocabulary.moment import Moment, parse_iso

EMPTY = frozenset({"", "NULL"})


def convert(cell: Any, kind: Kind, *, texts: bool = True, **options: Any) -> Any:
    return converter("c", ColumnType(kind=kind, **options), EMPTY, texts=texts)(cell)


def moment(text: str) -> Moment | None:
    return parse_iso(text)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("2.50", "2.50"),
        (" 6 ", "6"),
        ("+5", "5"),
        ("-0.1", "-0.1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1E+3"),
        ("12345678901234567890.123456789", "12345678901234567890.123456789"),
    ],
)
def test_numbers_are_exact(cell: str, number: str) -> None:
    assert str(convert(cell, Kind.NUMBER)) == number


def test_numbers_with_other_marks() -> None:
    spanish = {"decimal": ",", "thousands": "."}
    assert convert("1.234.567,89", Kind.NUMBER, **spanish) == Decimal("1234567.89")
    assert convert("12,5", Kind.NUMBER, **spanish) == Decimal("12.5")
    assert convert("1,200", Kind.INTEGER, thousands=",") == 1200
    euros = {**spanish, "unit": "€"}
    for text in ("1.234,50 €", "€1.234,50", "1.234,50", " € 1.234,50 "):
        assert convert(text, Kind.NUMBER, **euros) == Decimal("1234.5")
    with pytest.raises(WrongValue):
        convert("1,50 $", Kind.NUMBER, **euros)
    for wrong in ("1.23,4", "12.34", "1.2345,6"):
        with pytest.raises(WrongValue):
            convert(wrong, Kind.NUMBER, **spanish)


@pytest.mark.parametrize(
    "cell", ["x", "1 2", "0x10", "1_000", "nan", "inf", "1e101", "9" * 101, "٣", "1,5", "--1"]
)
def test_what_is_no_number(cell: str) -> None:
    with pytest.raises(WrongValue, match=r"^c does not hold a number$") as wrong:
        convert(cell, Kind.NUMBER)
    assert wrong.value.reason == "wrong_type"


def test_integers() -> None:
    assert convert("17850.0", Kind.INTEGER) == 17850
    assert convert("-3", Kind.INTEGER) == -3
    assert type(convert("17850.0", Kind.INTEGER)) is int
    with pytest.raises(WrongValue, match="a whole number"):
        convert("1.5", Kind.INTEGER)


def test_booleans() -> None:
    assert [convert(cell, Kind.BOOLEAN) for cell in ("Yes", "TRUE", "1", " no", "f" + "alse")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert convert("SÍ", Kind.BOOLEAN, true=("sí",), false=("no",)) is True
    with pytest.raises(WrongValue, match="true or false"):
        convert("maybe", Kind.BOOLEAN)


@pytest.mark.parametrize(
    ("cell", "options", "expected"),
    [
        ("2024-05-01T10:00:00Z", {}, "2024-05-01T10:00:00Z"),
        ("2024-05-01T10:00:00+02:00", {"zone": "Asia/Tokyo"}, "2024-05-01T08:00:00Z"),
        ("2024-05-01", {}, "2024-05-01T00:00:00Z"),
        ("2024-05-01", {"zone": "Europe/Madrid"}, "2024-04-30T22:00:00Z"),
        ("2011-07-01 12:00:00", {"zone": "Europe/London"}, "2011-07-01T11:00:00Z"),
        ("2010-12-01 08:26:00", {"zone": "Europe/London"}, "2010-12-01T08:26:00Z"),
        ("2011-10-30 01:30:00", {"zone": "Europe/London"}, "2011-10-30T00:30:00Z"),
        ("2011-03-27 01:30:00", {"zone": "Europe/London"}, "2011-03-27T01:30:00Z"),
        ("01/02/2024", {"formats": ("%d/%m/%Y",)}, "2024-02-01T00:00:00Z"),
        ("01/02/2024 13:05 +0100", {"formats": ("%d/%m/%Y %H:%M %z",)}, "2024-02-01T12:05:00Z"),
        ("1700000000.25", {"formats": ("epoch",)}, "2023-11-14T22:13:20.250Z"),
        ("1700000000250", {"formats": ("epoch_ms",)}, "2023-11-14T22:13:20.250Z"),
    ],
)
def test_times(cell: str, options: dict[str, str], expected: str) -> None:
    assert convert(cell, Kind.TIME, **options) == moment(expected)


@pytest.mark.parametrize(
    ("cell", "options", "reason"),
    [
        ("2024-05-01T10:00:00", {}, "no_zone"),
        ("01/02/2024 13:05", {"formats": ("%d/%m/%Y %H:%M",)}, "no_zone"),
        ("2024-13-01", {}, "wrong_type"),
        ("yesterday", {}, "wrong_type"),
        ("32/01/2024", {"formats": ("%d/%m/%Y",)}, "wrong_type"),
        ("0001-01-01T00:00:00+05:00", {}, "wrong_type"),
        ("9" * 30, {"formats": ("epoch",)}, "wrong_type"),
        ("nan", {"formats": ("epoch",)}, "wrong_type"),
    ],
)
def test_what_is_no_time(cell: str, options: dict[str, str], reason: str) -> None:
    with pytest.raises(WrongValue) as wrong:
        convert(cell, Kind.TIME, **options)
    assert wrong.value.reason == reason
    assert cell not in str(wrong.value)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("cell", ["", "  ", "NULL", " NULL "])
def test_empty_words(kind: Kind, cell: str) -> None:
    assert convert(cell, kind) is None
    assert convert(cell, kind, texts=False) is None
    with pytest.raises(WrongValue) as wrong:
        convert(cell, kind, required=True)
    assert wrong.value.reason == "missing_value"


def test_text_stays_as_it_is() -> None:
    assert convert(" a ", Kind.TEXT) == " a "
    assert convert("null", Kind.TEXT) == "null"


@pytest.mark.parametrize(
    ("cell", "kind", "expected"),
    [
        (Decimal("1.10"), Kind.NUMBER, Decimal("1.10")),
        (7, Kind.INTEGER, 7),
        (Decimal("7.0"), Kind.INTEGER, 7),
        (7, Kind.TEXT, "7"),
        (True, Kind.BOOLEAN, True),
        (1700000000, Kind.TIME, None),
        ([1], Kind.ANY, [1]),
        (None, Kind.NUMBER, None),
    ],
)
def test_json_values(cell: Any, kind: Kind, expected: Any) -> None:
    if expected is None and cell is not None:
        with pytest.raises(WrongValue):
            convert(cell, kind, texts=False)
    else:
        assert convert(cell, kind, texts=False) == expected


@pytest.mark.parametrize("kind", [Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.TIME, Kind.TEXT])
@pytest.mark.parametrize("cell", [[1], {"a": 1}])
def test_json_values_of_the_wrong_kind(cell: Any, kind: Kind) -> None:
    with pytest.raises(WrongValue):
        convert(cell, kind, texts=False)


@pytest.mark.parametrize("kind", [Kind.NUMBER, Kind.INTEGER])
def test_true_is_no_number(kind: Kind) -> None:
    with pytest.raises(WrongValue):
        convert(True, kind, texts=False)
