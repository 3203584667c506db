"""The bytes of a file, decompressed, cut into physical lines, with bounded memory.

A damaged or truncated gzip file gives every byte that can be read; what is
wrong with it is then told by ``FileBytes.problem``.
"""

import codecs
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pyarrow as pa

from cauce.collect.files.reasons import FileReason
from cauce.vocabulary.errors import InvalidInput

CHUNK = 1 << 18
MAX_LINE = 1 << 24
"""Longest line in bytes (16 MiB); a longer one is quarantined."""
KEPT = 1 << 16
"""So many bytes of an overlong line are kept for quarantine."""

_BOM = b"\xef\xbb\xbf"
_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_GZIP = b"\x1f\x8b"
_ZSTD = b"(\xb5/\xfd"
_UNREADABLE = {
    b"PK\x03\x04": (
        "a ZIP archive or an Excel workbook",
        "Of a workbook say format: excel in the mapping; unpack an archive.",
    ),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "Say format: excel in the mapping."),
    b"BZh91AY&SY": ("compressed with bzip2", "Decompress it first, or use gzip."),
    b"\xfd7zXZ\x00": ("compressed with xz", "Decompress it first, or use gzip."),
    b"PAR1": ("a Parquet file", "Say format: parquet in the mapping."),
}


FAULTS = {
    FileReason.LINE_TOO_LARGE: f"The line is longer than {MAX_LINE} bytes.",
    FileReason.TRUNCATED_FILE: "The file ends within this line.",
}
"""Why a line may not be whole."""


class PhysicalLine(NamedTuple):
    """One line without its line feed; ``fault`` is set if it is not whole (one of ``FAULTS``)."""

    raw: bytes
    fault: FileReason | None = None


class FileBytes:
    """The decompressed bytes of one file, and how far the reading is.

    ``done`` of ``total`` bytes of the file are read. ``problem`` is a sentence
    if the file ended early or is damaged; it is complete when the iteration ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.total = path.stat().st_size
        self.done = 0
        self.problem = ""

    def chunks(self) -> Iterator[bytes]:
        """Pieces of at most 256 KiB; raises ``InvalidInput`` for a format that cannot be read."""
        with self.path.open("rb") as file:
            first = self._read(file)
            for magic, (what, hint) in _UNREADABLE.items():
                if first.startswith(magic):
                    raise InvalidInput(f"{self.path.name} is {what}.", hint=hint)
            if first.startswith(_GZIP):
                yield from self._inflate(file, first)
                return
            if first.startswith(_ZSTD):
                file.seek(0)
                self.done = 0
                yield from self._unpack(file)
                return
            while first:
                yield first
                first = self._read(file)

    def chunks_utf8(self) -> Iterator[bytes]:
        """The same without a byte order mark; text in UTF-16 becomes UTF-8."""
        chunks = _utf8(self.chunks())
        yield next(chunks, b"").removeprefix(_BOM)
        yield from chunks

    def in_utf16(self) -> bool:
        """Whether its text is UTF-16, by its byte order mark."""
        return next(self.chunks(), b"")[:2] in _UTF_16

    def lines(self) -> Iterator[PhysicalLine]:
        """The physical lines, without a byte order mark; the last one may lack its line feed."""
        rest, fault = b"", None
        for chunk in self.chunks_utf8():
            first, *others = chunk.split(b"\n")
            if fault is None:
                rest += first
            if len(rest) > MAX_LINE:
                rest, fault = rest[:KEPT], FileReason.LINE_TOO_LARGE
            if others:
                yield PhysicalLine(rest, fault)
                rest, fault = others.pop(), None
                for line in others:
                    yield PhysicalLine(line)
        if rest:
            yield PhysicalLine(rest, fault or (FileReason.TRUNCATED_FILE if self.problem else None))

    def _read(self, file: BinaryIO) -> bytes:
        data = file.read(CHUNK)
        self.done += len(data)
        return data

    def _unpack(self, file: BinaryIO) -> Iterator[bytes]:
        """The frames of a zstd file one after another."""
        with pa.CompressedInputStream(pa.PythonFile(_Counted(self, file), mode="r"), "zstd") as stream:
            while True:
                try:
                    out = stream.read(CHUNK)
                except OSError:
                    cut = self.done >= self.total
                    how = "truncated: the zstd data end in the middle" if cut else "damaged"
                    self.problem = f"{self.path.name} is {how}; not all of it can be read."
                    return
                if not out:
                    return
                yield out

    def _inflate(self, file: BinaryIO, data: bytes) -> Iterator[bytes]:
        """Members of a gzip file one after another; zero bytes between or after them are padding."""
        while data := data.lstrip(b"\0") or self._read(file):
            if data.count(0) == len(data):
                continue
            inflater = zlib.decompressobj(31)
            while not inflater.eof:
                if not data and not (data := self._read(file)):
                    self.problem = f"{self.path.name} is truncated: the gzip data end in the middle."
                    return
                before = inflater.copy()
                try:
                    out = inflater.decompress(data, CHUNK)
                except zlib.error:
                    yield from _byte_by_byte(before, data)
                    self.problem = f"{self.path.name} is damaged: the gzip data cannot be read to the end."
                    return
                if out:
                    yield out
                data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail


class _Counted:
    """A file that says how far it was read; what pyarrow asks of a Python file."""

    def __init__(self, data: FileBytes, file: BinaryIO) -> None:
        self._data = data
        self._file = file
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        found = self._file.read(size)
        self._data.done += len(found)
        return found

    def close(self) -> None:
        """Nothing: the file belongs to somebody else."""


def _utf8(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same text in UTF-8 if it begins with the byte order mark of UTF-16, else as it is."""
    first = next(chunks, b"")
    encoding = _UTF_16.get(first[:2])
    if encoding is None:
        yield first
        yield from chunks
        return
    decode = codecs.getincrementaldecoder(encoding)("replace").decode
    yield decode(first[2:]).encode("utf-8", "replace")
    for chunk in chunks:
        yield decode(chunk).encode("utf-8", "replace")
    yield decode(b"", True).encode("utf-8", "replace")


def _byte_by_byte(inflater: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    """All that can be read of ``data`` before the byte at which it is damaged."""
    for index in range(len(data)):
        try:
            out = inflater.decompress(data[index : index + 1])
        except zlib.error:
            return
        if out:
            yield out
