"""Files of every kind give the same events: Parquet, Excel, UTF-16, zstd, mixed encodings and times."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from cauce.collect.files import import_file
from cauce.collect.files.mapping.reading import read_mapping
from cauce.collect.files.stream import FileBytes
from cauce.collect.files.typed_records import plain
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.event import Position
from cauce.vocabulary.moment import Moment, to_iso
from cauce.vocabulary.yaml_lines import parse_yaml

LOCAL = datetime.fromisoformat("2025-03-01T10:30")
NOW = Moment(1_767_225_600_000_000)
MAPPING = """
owner: test
source: crm
format: {format}
call: track
event: Paid
user_id: customer
time: at
columns:
  customer: text
  at: {{type: time, format: {times}, zone: Europe/Madrid}}
  total: {{type: number{number}}}
properties: {{total: total, note: note}}
"""
ROWS = [
    {"customer": "1001", "at": "2025-03-01 10:30", "total": "19.90", "note": "naïve café"},
    {"customer": "1002", "at": "2025-03-02 00:00", "total": "7", "note": None},
]
EXPECTED = [
    ("1001", "2025-03-01T09:30:00.000Z", {"total": Decimal("19.90"), "note": "naïve café"}),
    ("1002", "2025-03-01T23:00:00.000Z", {"total": Decimal("7")}),
]


def mapping(form: str = "csv", times: str = "iso", number: str = "", extra: str = ""):
    text = MAPPING.format(format=form, times=times, number=number) + extra
    return read_mapping(parse_yaml(text, "m.yaml"))


def csv_text(rows=ROWS, delimiter=",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def imported(folder: Path, file: Path, how) -> tuple[list, dict[str, int], list[str]]:
    """The events of a file, the counts, and why lines were refused."""
    log = SqliteLog(folder)
    first = import_file(file, how, log, clock=lambda: NOW).counts()
    again = import_file(file, how, log, clock=lambda: NOW).counts()
    assert again["accepted"] == again["events"] == 0
    assert again["duplicate"] == first["accepted"] + first["duplicate"]
    found = []
    for row in log.read(Position(0), 1_000):
        body = json.loads(row.body, parse_float=Decimal)
        found.append((body.get("userId"), to_iso(row.time), body["properties"]))
    reasons = [one.reason for one in log.quarantined()]
    log.close()
    return sorted(found, key=str), first, reasons


def parquet(file: Path) -> Path:
    table = pa.table(
        {
            "customer": pa.array([1001, 1002]),
            "at": pa.array([LOCAL, datetime.fromisoformat("2025-03-02")], pa.timestamp("ns")),
            "total": pa.array([Decimal("19.90"), Decimal("7.00")]),
            "note": pa.array(["naïve café", None]),
        }
    )
    pq.write_table(table, file)
    return file


def workbook(file: Path) -> Path:
    book = Workbook()
    book.active.title = "Cover"
    sheet = book.create_sheet("Ventas")
    sheet.append([])
    sheet.append(["customer", "at", "total", "note"])
    sheet.append([1001, LOCAL, 19.9, "naïve café"])
    sheet.append([])
    sheet.append([1002, date(2025, 3, 2), 7, None])
    book.save(file)
    return file


def test_parquet(tmp_path):
    found, counts, _ = imported(tmp_path, parquet(tmp_path / "f.parquet"), mapping("parquet"))
    assert found == [EXPECTED[0], ("1002", EXPECTED[1][1], {"total": Decimal("7.00")})]
    assert counts == {"read": 2, "accepted": 2, "duplicate": 0, "quarantined": 0, "events": 2}


def test_excel(tmp_path):
    file = workbook(tmp_path / "f.xlsx")
    found, counts, _ = imported(tmp_path, file, mapping("{type: excel, sheet: Ventas}"))
    assert found == EXPECTED
    assert counts["read"] == counts["events"] == 2
    with pytest.raises(InvalidInput, match="has no sheet Venta") as refused:
        import_file(file, mapping("{type: excel, sheet: Venta}"), SqliteLog(tmp_path), clock=lambda: NOW)
    assert "Ventas" in refused.value.hint
    with pytest.raises(InvalidInput, match="has no column customer"):
        import_file(file, mapping("excel"), SqliteLog(tmp_path), clock=lambda: NOW)


@pytest.mark.parametrize(("kind", "name"), [("parquet", "f.parquet"), ("excel", "f.xlsx")])
@pytest.mark.parametrize("content", [b"", b"rubbish", b"PAR1", b"PK\x03\x04rubbish", b"PAR1" * 50])
def test_what_is_no_such_file_is_named(tmp_path, kind, name, content):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match=name):
        import_file(file, mapping(kind), SqliteLog(tmp_path), clock=lambda: NOW)


def test_a_truncated_parquet_file_is_refused_whole(tmp_path):
    file = parquet(tmp_path / "f.parquet")
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(InvalidInput, match="no whole Parquet file"):
        import_file(file, mapping("parquet"), SqliteLog(tmp_path), clock=lambda: NOW)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_byte_order_marks(tmp_path, encoding):
    file = tmp_path / "f.csv"
    file.write_bytes(csv_text().encode(encoding))
    assert imported(tmp_path, file, mapping())[0] == EXPECTED


def test_utf_16_big_endian(tmp_path):
    file = tmp_path / "f.csv"
    file.write_bytes(b"\xfe\xff" + csv_text().encode("utf-16-be"))
    assert imported(tmp_path, file, mapping())[0] == EXPECTED


def compressed(data: bytes) -> bytes:
    return pa.compress(data, "zstd", asbytes=True)


def test_zstd_also_of_several_frames(tmp_path):
    file = tmp_path / "f.csv.zst"
    head, tail = csv_text().encode()[:40], csv_text().encode()[40:]
    file.write_bytes(compressed(head) + compressed(tail))
    data = FileBytes(file)
    assert b"".join(data.chunks()) == csv_text().encode()
    assert (data.problem, data.done) == ("", data.total)
    assert imported(tmp_path, file, mapping())[0] == EXPECTED


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.999])
def test_a_truncated_zstd_file_gives_what_can_be_read_and_says_so(tmp_path, keep):
    rows = [{**ROWS[0], "customer": str(n), "note": str(n * 7919)} for n in range(20_000)]
    whole = compressed(csv_text(rows).encode())
    file = tmp_path / "f.csv.zst"
    file.write_bytes(whole[: int(len(whole) * keep)])
    result = import_file(file, mapping(), SqliteLog(tmp_path), clock=lambda: NOW)
    assert "zstd" in result.problem and result.accepted < len(rows)
    file.write_bytes(whole)
    mended = import_file(file, mapping(), SqliteLog(tmp_path), clock=lambda: NOW)
    assert mended.accepted + result.accepted == len(rows)


def test_lines_in_other_encodings_are_read_where_the_mapping_allows_it(tmp_path):
    file = tmp_path / "f.csv"
    text = csv_text([{**row, "note": "café"} for row in ROWS]).splitlines()
    file.write_bytes("\n".join(text[:2]).encode() + b"\n" + text[2].encode("cp1252") + b"\n")
    found, counts, reasons = imported(tmp_path, file, mapping())
    assert (counts["accepted"], reasons) == (1, ["wrong_encoding"])
    both = tmp_path / "both"
    both.mkdir()
    found, counts, _ = imported(both, file, mapping("{type: csv, encoding: [utf-8, cp1252]}"))
    assert [one[2]["note"] for one in found] == ["café", "café"]


def test_times_in_several_forms_day_first_and_decimal_commas(tmp_path):
    rows = [
        {"customer": "1001", "at": "01/03/2025 10:30", "total": "1.019,90", "note": ""},
        {"customer": "1002", "at": "02/03/2025", "total": "7", "note": ""},
        {"customer": "1003", "at": "03/13/2025", "total": "7", "note": ""},
    ]
    file = tmp_path / "f.csv"
    file.write_text(csv_text(rows, ";"))
    how = mapping(
        '{type: csv, delimiter: ";"}',
        '["%d/%m/%Y %H:%M", "%d/%m/%Y"]',
        ', decimal: ",", thousands: "."',
    )
    found, _, reasons = imported(tmp_path, file, how)
    assert [(who, at) for who, at, _ in found] == [(who, at) for who, at, _ in EXPECTED]
    assert found[0][2] == {"total": Decimal("1019.90")}
    assert reasons == ["wrong_type"]


def test_lines_without_time_get_the_one_that_the_mapping_gives(tmp_path):
    file = tmp_path / "f.csv"
    file.write_text(csv_text([{**ROWS[0], "at": ""}, ROWS[1]]))
    _, counts, reasons = imported(tmp_path, file, mapping())
    assert (counts["quarantined"], reasons) == (1, ["no_time"])
    both = tmp_path / "both"
    both.mkdir()
    how = read_mapping(
        parse_yaml(
            MAPPING.format(format="csv", times="iso", number="").replace(
                "time: at", "time: {column: at, otherwise: 2020-01-01T00:00:00Z}"
            ),
            "m.yaml",
        )
    )
    found, _, _ = imported(both, file, how)
    assert [at for _, at, _ in found] == ["2020-01-01T00:00:00.000Z", EXPECTED[1][1]]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (19.9, Decimal("19.9")),
        (3.0, 3),
        (float("nan"), None),
        (float("inf"), None),
        (datetime(2025, 1, 1, tzinfo=UTC), "2025-01-01T00:00:00+00:00"),
        (date(2025, 1, 1), "2025-01-01"),
        ({"a": [1.5, None]}, {"a": [Decimal("1.5"), None]}),
        (b"text", "text"),
    ],
)
def test_typed_cells_become_exact_json_values(value, expected):
    found = plain(value)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize("value", [b"\xff", object()])
def test_cells_that_no_json_value_can_stand_for(value):
    with pytest.raises(ValueError):
        plain(value)
