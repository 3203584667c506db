"""Records from files: encodings, delimiters, quotes, types of Parquet, and what is refused."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cauce.match.reading import column_named, read_records
from cauce.vocabulary.errors import InvalidInput

ROWS = {"nombre": ["José", "Ana"], "calle": ["Mayor, 3", None], "cp": ["08001", "28001"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters(tmp_path: Path, encoding: str, delimiter: str) -> None:
    lines = [["nombre", "calle", "cp"], ["José", '"Mayor, 3"', "08001"], ["Ana", "", "28001"]]
    file = tmp_path / "people.csv"
    file.write_bytes("\r\n".join(delimiter.join(line) for line in lines).encode(encoding))
    assert read_records(file).to_pydict() == ROWS


def test_blanks_behind_delimiters_and_short_lines(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text('nombre, calle, cp\nJosé, "Mayor, 3", 08001\nAna,, 28001\nEva\n', encoding="utf-8")
    table = read_records(file)
    assert table.column("nombre").to_pylist() == ["José", "Ana", "Eva"]
    assert table.column("cp").to_pylist() == ["08001", "28001", None]


def test_a_line_break_in_quotes(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text('a,b\n"x\ny",1\nz,2\n', encoding="utf-8")
    assert read_records(file).column("a").to_pylist() == ["x\ny", "z"]


def test_parquet_types(tmp_path: Path) -> None:
    file = tmp_path / "people.parquet"
    table = pa.table(
        {
            "cp": pa.array([8001.0, None]),
            "born": pa.array([date(1980, 5, 3), None]),
            "name": pa.array(["Ann", " "]).dictionary_encode(),
            "number": pa.array([1, 2], pa.int32()),
        }
    )
    pq.write_table(table, file)
    assert read_records(file).to_pydict() == {
        "cp": ["8001", None],
        "born": ["1980-05-03", None],
        "name": ["Ann", None],
        "number": ["1", "2"],
    }


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"a,b\n", "no records"),
        (b"a,a\n1,2\n", "two columns a"),
        (b"a,b\n1,2,3\n", "3 fields instead of 2"),
        (b"\x00\x01\x02\x03" * 10, "no text"),
        (b"PAR1 and no more", "no whole Parquet file"),
    ],
)
def test_refused(tmp_path: Path, data: bytes, message: str) -> None:
    file = tmp_path / "people"
    file.write_bytes(data)
    with pytest.raises(InvalidInput, match=message):
        read_records(file)


def test_names_of_columns() -> None:
    assert column_named("CLUSTER ", ["a", "cluster"], Path("x.csv")) == "cluster"
    with pytest.raises(InvalidInput, match="Did you mean cluster"):
        column_named("clutser", ["a", "cluster"], Path("x.csv"))
