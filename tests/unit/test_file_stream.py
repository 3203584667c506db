"""The bytes of files: gzip whole, in parts, cut short, damaged; lines of any length."""

import gzip
import zlib
from pathlib import Path

import pytest

from cauce.collect.files.reasons import FileReason
from cauce.collect.files.stream import CHUNK, KEPT, MAX_LINE, FileBytes, PhysicalLine
from cauce.vocabulary.errors import InvalidInput

TEXT = b"".join(b"line %d of some text\n" % number for number in range(30_000))


def read(folder: Path, content: bytes) -> tuple[bytes, FileBytes]:
    path = folder / "file"
    path.write_bytes(content)
    data = FileBytes(path)
    return b"".join(data.chunks()), data


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        gzip.compress(TEXT),
        gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:]),
        gzip.compress(TEXT) + b"\0" * (CHUNK + 3),
        gzip.compress(b"") + gzip.compress(TEXT),
    ],
    ids=["plain", "gzip", "members", "padding", "empty member"],
)
def test_whole_files(tmp_path: Path, content: bytes) -> None:
    found, data = read(tmp_path, content)
    assert found == TEXT
    assert data.problem == ""
    assert data.done == data.total == len(content)


def test_a_small_file_that_inflates_to_much_comes_in_small_pieces(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(64 * CHUNK)))
    sizes = [len(chunk) for chunk in FileBytes(path).chunks()]
    assert sum(sizes) == 64 * CHUNK
    assert max(sizes) <= CHUNK


@pytest.mark.parametrize("missing", [1, 8, 9, 500])
def test_a_truncated_file_gives_all_that_can_be_read(tmp_path: Path, missing: int) -> None:
    content = gzip.compress(TEXT)[:-missing]
    found, data = read(tmp_path, content)
    assert found == zlib.decompressobj(31).decompress(content)
    assert len(found) > len(TEXT) / 2
    assert data.problem == "file is truncated: the gzip data end in the middle."


def test_a_damaged_file_gives_what_comes_before_the_damage(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(TEXT))
    content[-6] ^= 1  # the checksum
    found, data = read(tmp_path, bytes(content))
    assert found == TEXT
    assert data.problem == "file is damaged: the gzip data cannot be read to the end."


def test_rubbish_after_the_data_is_told(tmp_path: Path) -> None:
    found, data = read(tmp_path, gzip.compress(TEXT) + b"rubbish")
    assert found == TEXT
    assert "damaged" in data.problem


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest", "a ZIP archive or an Excel workbook"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"\xfd7zXZ\x00rest", "xz"),
    ],
)
def test_formats_that_cannot_be_read_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as refused:
        read(tmp_path, content)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"a\nb", [b"a", b"b"]),
        (b"a\r\n\nb\n", [b"a\r", b"", b"b"]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", [b"a", b"\xef\xbb\xbfb"]),
    ],
)
def test_lines(tmp_path: Path, content: bytes, lines: list[bytes]) -> None:
    (tmp_path / "file").write_bytes(content)
    assert [line.raw for line in FileBytes(tmp_path / "file").lines()] == lines


def test_an_overlong_line_is_kept_in_part_and_its_neighbours_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(
        b"before\n" + b"x" * MAX_LINE + b"yy\nafter\n" + b"z" * (MAX_LINE + CHUNK)
    )
    assert list(FileBytes(tmp_path / "file").lines()) == [
        PhysicalLine(b"before"),
        PhysicalLine(b"x" * KEPT, FileReason.LINE_TOO_LARGE),
        PhysicalLine(b"after"),
        PhysicalLine(b"z" * KEPT, FileReason.LINE_TOO_LARGE),
    ]


def test_a_line_of_the_greatest_length_is_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * MAX_LINE + b"\n")
    (line,) = FileBytes(tmp_path / "file").lines()
    assert (len(line.raw), line.fault) == (MAX_LINE, None)


def test_the_line_in_which_a_truncated_file_ends_is_not_whole(tmp_path: Path) -> None:
    inflater = zlib.compressobj(wbits=31)
    content = inflater.compress(b"one,two\nthree,fo") + inflater.flush(zlib.Z_SYNC_FLUSH)
    (tmp_path / "file").write_bytes(content)
    assert list(FileBytes(tmp_path / "file").lines()) == [
        PhysicalLine(b"one,two"),
        PhysicalLine(b"three,fo", FileReason.TRUNCATED_FILE),
    ]
