"""What is proposed for files as they come from shops, CRMs and mailing systems."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from cauce.collect.files import import_file
from cauce.collect.files.mapping.reading import read_mapping
from cauce.collect.files.proposal.service import Proposal, propose
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.event import Position
from cauce.vocabulary.moment import Moment, to_iso
from cauce.vocabulary.yaml_lines import parse_yaml

NOW = Moment(1_767_225_600_000_000)
DATA = Path(__file__).parents[2].parent / "shared" / "data"


def proposed(folder: Path, content: bytes | str, name: str = "file.csv", encoding: str = "utf-8") -> Proposal:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return propose(file, owner="ann", source="crm", clock=lambda: NOW)


def events(folder: Path, found: Proposal, name: str = "file.csv") -> list[dict]:
    log = SqliteLog(folder)
    mapping = read_mapping(parse_yaml(found.yaml, "m.yaml"))
    import_file(folder / name, mapping, log, clock=lambda: NOW)
    rows = log.read(Position(0), 1_000)
    log.close()
    return [{"time": to_iso(row.time), **json.loads(row.body)} for row in rows]


def roles(found: Proposal) -> dict[str, str]:
    return {name: str(meaning.role) for name, meaning in found.meanings.items()}


HEADER = "Nº Cliente;Nombre;Apellidos;Correo electrónico;Móvil;Fecha de nacimiento;Fecha alta;Importe;Boletín"
SPANISH = f"{HEADER}\n" + "".join(
    f"{1000 + n};José;Núñez;jose{n}@ejemplo.es;+34 600 100 {n:03};13/05/19{60 + n};"
    f"{1 + n:02}/03/2025 10:30;1.{100 + n},50;{'sí' if n % 2 else 'no'}\n"
    for n in range(28)
)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_a_spanish_export_of_contacts(tmp_path, encoding):
    found = proposed(tmp_path, SPANISH, encoding=encoding)
    first = events(tmp_path, found)[0]
    assert first["type"] == "identify"
    assert first["time"] == "2025-03-01T10:30:00.000Z"
    assert first["traits"]["email"] == "jose0@ejemplo.es"
    assert first["traits"]["phone"] == "+34 600 100 000"
    assert (first["traits"]["firstName"], first["traits"]["lastName"]) == ("José", "Núñez")
    assert first["traits"]["Importe"] == 1100.5
    assert first["traits"]["Boletín"] is False
    assert first["traits"]["birthday"] == "1960-05-13T00:00:00.000Z"
    assert "zone" in found.yaml and "Europe/Madrid?" in found.yaml


def test_mixed_encodings_are_said_and_read(tmp_path):
    lines = SPANISH.splitlines()
    content = "\n".join(lines[:10]).encode() + b"\n" + "\n".join(lines[10:]).encode("cp1252")
    found = proposed(tmp_path, content)
    assert "mixed" in found.yaml
    assert {one["traits"]["firstName"] for one in events(tmp_path, found)} == {"José"}


def test_lines_of_orders_are_gathered(tmp_path):
    lines = ["order_id,customer_email,ordered_at,sku,quantity,unit_price,shipping_city"]
    for number in range(20):
        for line in range(1 + number % 3):
            lines.append(
                f"A{number},p{number % 7}@example.org,2025-03-{1 + number:02}T12:00:00Z,s{line},2,3.25,Madrid"
            )
    found = proposed(tmp_path, "\n".join(lines))
    orders = events(tmp_path, found)
    assert len(orders) == 20
    assert orders[2]["event"] == "Order Completed"
    assert orders[2]["properties"]["total"] == 19.5
    assert len(orders[2]["properties"]["products"]) == 3
    assert orders[2]["properties"]["shipping_city"] == "Madrid"
    assert orders[2]["context"]["traits"]["email"] == "p2@example.org"


def test_rows_that_name_what_happened(tmp_path):
    text = "".join(
        json.dumps(
            {"event": name, "user": {"id": f"u{n % 9}", "mail": f"u{n % 9}@x.org"}, "ts": 1_740_000_000 + n}
        )
        + "\n"
        for n, name in enumerate(["Signed Up", "Page Seen", "Paid"] * 15)
    )
    found = proposed(tmp_path, text, "file.jsonl")
    happened = events(tmp_path, found, "file.jsonl")
    assert {one["event"] for one in happened} == {"Signed Up", "Page Seen", "Paid"}
    assert happened[0]["time"] == "2025-02-19T21:20:00.000Z"
    assert happened[0]["context"]["traits"]["email"] == "u0@x.org"


@pytest.mark.parametrize(
    ("dates", "expected", "doubt"),
    [
        (["03/04/2025", "05/06/2025", "07/08/2025"], "2025-04-03", True),
        (["03/04/2025", "25/06/2025", "07/08/2025"], "2025-04-03", False),
        (["03/04/2025", "05/26/2025", "07/08/2025"], "2025-03-04", False),
        (["3.4.2025 7:05", "25.6.2025 18:00", "7.8.2025 09:30"], "2025-04-03", False),
        (["2025/04/03", "2025/06/25", "2025/08/07"], "2025-04-03", False),
        (["20250403", "20250625", "20250807"], "2025-04-03", False),
        (["3 Apr 2025", "25 Jun 2025", "7 Aug 2025"], "2025-04-03", False),
    ],
)
def test_dates_are_read_as_they_are_written_and_doubts_are_told(tmp_path, dates, expected, doubt):
    rows = "".join(f"c{n};{date};{n},5\n" for n, date in enumerate(dates * 4))
    found = proposed(tmp_path, "customer_id;date;amount\n" + rows)
    assert events(tmp_path, found)[0]["time"].startswith(expected)
    assert ("other way round" in found.yaml) is doubt


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        (["1,5", "2,25", "1000,75"], 1.5),
        (["1.234,5", "2,25", "3,00"], 1234.5),
        (["1,234.5", "2.25", "3.00"], 1234.5),
        (["1 234,5", "2,25", "3,00"], 1234.5),
        (["0.5", "2.25", "3"], 0.5),
    ],
)
def test_numbers_are_read_as_they_are_written(tmp_path, cells, value):
    rows = "".join(f"c{n}\t2025-01-0{1 + n % 9}\t{cell}\n" for n, cell in enumerate(cells * 3))
    found = proposed(tmp_path, "customer\tdate\ttotal\n" + rows)
    assert events(tmp_path, found)[0]["properties"]["total"] == value


def test_postcodes_and_ids_stay_text(tmp_path):
    rows = "".join(f"{n:05},0{n:04},ann{n}@x.org\n" for n in range(30))
    found = proposed(tmp_path, "customer_no,zip,mail\n" + rows)
    first = events(tmp_path, found)[1]
    assert (first["userId"], first["traits"]["address"]["postalCode"]) == ("00001", "00001")


def test_ids_that_a_spreadsheet_made_numbers_are_whole_again(tmp_path):
    rows = "".join(f"{17850 + n}.0,ann{n}@x.org\n" for n in range(30))
    found = proposed(tmp_path, "CustomerID,email\n" + rows)
    assert events(tmp_path, found)[0]["userId"] == "17850"


def test_some_lines_without_time_and_without_person(tmp_path):
    rows = "".join(f"{'' if n % 5 == 0 else n},{'' if n % 4 == 0 else '2025-01-01'},9.5\n" for n in range(40))
    found = proposed(tmp_path, "customer_id,date,amount\n" + rows)
    assert found.tried.quarantined == 0
    assert "otherwise:" in found.yaml and "person: optional" in found.yaml


def test_no_header_no_person_no_time(tmp_path):
    found = proposed(tmp_path, "".join(f"{n};{n * 2}\n" for n in range(30)))
    assert "no header" in found.yaml.lower()
    assert found.tried.quarantined == 0
    nobody = proposed(tmp_path, "stock;warehouse\n" + "".join(f"{n % 3};north\n" for n in range(30)))
    assert "person: none" in nobody.yaml or "user_id: stock" in nobody.yaml


def test_a_workbook_and_parquet(tmp_path):
    book = Workbook()
    book.active.append(["Customer ID", "E-mail", "Signup date", "Spend"])
    for n in range(20):
        book.active.append([n + 1, f"a{n}@x.org", f"2025-03-{1 + n:02}", n * 1.5])
    book.save(tmp_path / "book.xlsx")
    found = propose(tmp_path / "book.xlsx", owner="ann", source="crm", clock=lambda: NOW)
    assert roles(found)["E-mail"] == "email"
    assert events(tmp_path, found, "book.xlsx")[1]["userId"] == "2"
    table = pa.table(
        {
            "visitor_id": [f"v{n % 4}" for n in range(20)],
            "at": pa.array(range(20), pa.timestamp("s", "UTC")),
            "page": ["/"] * 20,
        }
    )
    pq.write_table(table, tmp_path / "f.parquet")
    found = propose(tmp_path / "f.parquet", owner="ann", source="crm", clock=lambda: NOW)
    assert roles(found) == {"visitor_id": "anonymous_id", "at": "time", "page": "other"}
    assert found.tried.accepted == 20


@pytest.mark.parametrize(
    ("file", "person", "call"),
    [
        ("online_retail.csv.gz", "CustomerID", "track"),
        ("cdnow_master.txt", "customer_id", "track"),
        ("cdnow_sample.txt", "column_1", "track"),
        ("fake_1000.csv", "unique_id", "identify"),
        ("febrl1.csv", "rec_id", "identify"),
    ],
)
def test_real_files(file, person, call):
    found = propose(DATA / file, owner="ann", source="crm", clock=lambda: NOW)
    assert roles(found)[person] == "user_id"
    assert f"call: {call}" in found.yaml
    assert found.tried.quarantined == 0 and found.tried.accepted > 900


def test_numbers_with_a_unit_and_text_in_utf16(tmp_path):
    lines = ["Nº pedido\tFecha de pedido\tImporte\tCorreo"]
    lines += [f"P{n}\t{1 + n:02}/06/25 10:30\t1.{n:03},50 €\tc{n % 4}@correo.es" for n in range(20)]
    found = proposed(tmp_path, "\n".join(lines).encode("utf-16"))
    assert "Its text is UTF-16." in found.yaml
    assert 'unit: "€"' in found.yaml
    orders = events(tmp_path, found)
    assert orders[3]["event"] == "Order Completed"
    assert orders[3]["properties"]["Importe"] == 1003.5


def test_a_header_that_names_two_columns_alike(tmp_path):
    lines = ["timestamp,customer_id,note,amount,amount"]
    lines += [f"2025-02-{1 + n:02}T10:00:00Z,{n % 5},note {n},{n}.5,{n}" for n in range(20)]
    found = proposed(tmp_path, "\n".join(lines))
    assert "Columns without a name of their own are left out." in found.yaml
    happened = events(tmp_path, found)
    assert len(happened) == 20
    assert happened[2]["userId"] == "2"
    assert happened[2]["time"] == "2025-02-03T10:00:00.000Z"


def test_ids_within_objects(tmp_path):
    text = "".join(
        json.dumps({"id": n, "created_at": 1_740_000_000 + n, "user": {"id": n % 7}, "event": "login"}) + "\n"
        for n in range(30)
    )
    found = proposed(tmp_path, text, "file.jsonl")
    assert {one["userId"] for one in events(tmp_path, found, "file.jsonl")} == {str(n) for n in range(7)}
