"""Records of CSV and JSON Lines: each bad one alone, with its reason."""

from pathlib import Path

import pytest

from cauce.collect.files.csv_records import MAX_LINES_PER_RECORD, CsvRecords
from cauce.collect.files.json_records import JsonRecords
from cauce.collect.files.mapping.model import FileFormat, FileType
from cauce.collect.files.record import Record
from cauce.collect.files.stream import MAX_LINE, FileBytes
from cauce.vocabulary.errors import InvalidInput

CSV = FileFormat(type=FileType.CSV)
JSONL = FileFormat(type=FileType.JSONL)


def csv(
    folder: Path, content: bytes, form: FileFormat = CSV, wanted: tuple[str, ...] = ("a", "b")
) -> list[Record]:
    (folder / "f.csv").write_bytes(content)
    return list(CsvRecords(FileBytes(folder / "f.csv"), form, wanted))


def told(records: list[Record]) -> list[tuple[int, object]]:
    return [(record.line, record.reason or record.cells) for record in records]


def test_plain_records_with_their_lines(tmp_path: Path) -> None:
    found = csv(tmp_path, b'b,x,a\n1,2,3\n\n"q ""q"", r",,\r\n"two\nlines",5,6')
    assert told(found) == [(2, ["3", "1"]), (4, ["", 'q "q", r']), (5, ["6", "two\nlines"])]
    assert found[0].content == ("1", "2", "3")
    assert found[2].raw == b'"two\nlines",5,6'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1", "too_few_fields"),
        (b"1,2,3", "too_many_fields"),
        (b"1,\xff", "wrong_encoding"),
        (b"1,\xed\xa0\x80", "wrong_encoding"),
        (b"1,a\0b", "nul_character"),
        (b'1,"a"b', "malformed_csv"),
        (b"1,a\rb", "malformed_csv"),
        (b'1,"a', "malformed_csv"),
        (b'"1,a', "malformed_csv"),
        (b" ", "too_few_fields"),
    ],
)
@pytest.mark.parametrize("last", [False, True])
def test_a_bad_line_leaves_its_neighbours_alone(tmp_path: Path, line: bytes, reason: str, last: bool) -> None:
    after = b"" if last else b"3,4\n5,6\n"
    found = csv(tmp_path, b"a,b\n1,2\n" + line + b"\n" + after)
    good = [] if last else [(4, ["3", "4"]), (5, ["5", "6"])]
    assert told(found) == [(2, ["1", "2"]), (3, reason), *good]
    assert found[1].raw == line
    assert found[1].detail


def test_an_open_quote_swallows_no_more_than_its_line(tmp_path: Path) -> None:
    many = b"3,4\n" * (MAX_LINES_PER_RECORD + 5)
    found = csv(tmp_path, b'a,b\n1,"x\n' + many + b'5,"y"\n1,"z\n')
    assert [record.reason for record in found if record.reason] == ["malformed_csv", "malformed_csv"]
    assert len(found) == 1 + MAX_LINES_PER_RECORD + 5 + 1 + 1
    assert found[-2].cells == ["5", "y"]
    assert [record.line for record in found] == list(range(2, len(found) + 2))


def test_a_fault_within_a_record_of_several_lines_is_its_own(tmp_path: Path) -> None:
    found = csv(tmp_path, b'a,b\n1,"x\n\xff\ny"\n3,4\n')
    assert told(found) == [(2, "wrong_encoding"), (5, ["3", "4"])]


def test_an_overlong_line_is_bad_alone(tmp_path: Path) -> None:
    found = csv(tmp_path, b"a,b\n1,2\n" + b"x" * (MAX_LINE + 1) + b"\n3,4\n")
    assert told(found) == [(2, ["1", "2"]), (3, "line_too_large"), (4, ["3", "4"])]


def test_ways_to_write_a_file(tmp_path: Path) -> None:
    semicolons = FileFormat(type=FileType.CSV, delimiter=";", encoding="cp1252")
    assert told(csv(tmp_path, "a;b\nñ;€\n".encode("cp1252"), semicolons)) == [(2, ["ñ", "€"])]
    bare = FileFormat(type=FileType.CSV, quote="")
    assert told(csv(tmp_path, b'a,b\n"1,2"\n', bare)) == [(2, ['"1', '2"'])]
    spaces = FileFormat(type=FileType.CSV, delimiter=" ", quote="", header=("a", "b"), by_spaces=True)
    assert told(csv(tmp_path, b"  1  2\n3\t4 \n", spaces)) == [(1, ["1", "2"]), (2, ["3", "4"])]
    loose = FileFormat(type=FileType.CSV, skip_spaces=True)
    assert told(csv(tmp_path, b'a, b\n1, "2, 3"\n', loose)) == [(2, ["1", "2, 3"])]
    assert told(csv(tmp_path, b"\xef\xbb\xbfa,b\r\n1,2\r\n")) == [(2, ["1", "2"])]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"a,b", b"a,b\n", b"\xef\xbb\xbf"])
def test_files_without_records(tmp_path: Path, content: bytes) -> None:
    assert csv(tmp_path, content) == []


@pytest.mark.parametrize(
    ("header", "message", "hint"),
    [
        (b"a,bb\n", "f.csv has no column b. Its columns (2): a, bb", "For b, did you mean bb?"),
        (b"a;b\n1;2\n", "f.csv has no column a, b. Its columns (1): a;b", "a semicolon"),
        (b"a\tb\n1\t2\n", "f.csv has no column a, b.", "a tab"),
        (b"a,b,a\n", "f.csv has the column a 2 times.", ""),
        (b"a,\xff\n", "The header of f.csv cannot be read.", ""),
    ],
)
def test_a_header_that_does_not_fit(tmp_path: Path, header: bytes, message: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        csv(tmp_path, header)
    assert refused.value.message.startswith(message)
    assert hint in refused.value.hint


def test_a_wide_header_is_shown_in_part(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"Its columns \(30\): c0, .*, c19 …$"):
        csv(tmp_path, ",".join(f"c{number}" for number in range(30)).encode())


def jsonl(folder: Path, content: bytes, wanted: tuple[str, ...] = ("a", "b.c")) -> list[Record]:
    (folder / "f.jsonl").write_bytes(content)
    return list(JsonRecords(FileBytes(folder / "f.jsonl"), JSONL, wanted))


def test_json_objects_and_their_paths(tmp_path: Path) -> None:
    found = jsonl(tmp_path, b'{"a":1.10,"b":{"c":[1]}}\r\n\n{"b":[{"c":1}]}\n{"a":null}')
    assert [str(cell) for cell in found[0].cells] == ["1.10", "[1]"]
    assert told(found[1:]) == [(3, [None, None]), (4, [None, None])]


def test_equal_json_objects_have_equal_content(tmp_path: Path) -> None:
    first, second, other = jsonl(tmp_path, b'{"a":1,"x":2}\n{"x": 2, "a": 1}\n{"a":1,"x":3}\n')
    assert first.content == second.content != other.content


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a":1', "malformed_json"),
        (b'{"a":1}}', "malformed_json"),
        (b"[1]", "not_an_object"),
        (b'{"a":NaN}', "number_not_finite"),
        (b'{"a":1e999}', "number_not_finite"),
        (b'{"a":"\xff"}', "invalid_utf8"),
        (b'{"a":"\\ud800"}', "lone_surrogate"),
        (b'{"a":"\0"}', "nul_character"),
        (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "nested_too_deep"),
    ],
)
def test_bad_json_leaves_its_neighbours_alone(tmp_path: Path, line: bytes, reason: str) -> None:
    found = jsonl(tmp_path, b'{"a":1}\n' + line + b'\n{"a":2}\n')
    assert told(found) == [(1, [1, None]), (2, reason), (3, [2, None])]
