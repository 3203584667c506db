"""Files: rows as CSV, JSON Lines or Parquet, there as a whole or not at all."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from io import RawIOBase
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from cauce.activate.fields import Column, ColumnType, fit
from cauce.activate.harmless import csv_cell
from cauce.vocabulary.definitions import FileFormat
from cauce.vocabulary.exact import encode_json

Rows = Iterable[Mapping[str, Any]]
"""JSON values by column."""

_AT_ONCE = 5_000
_MODE = 0o640

_ARROW = {
    ColumnType.TEXT: pa.string(),
    ColumnType.ANY: pa.string(),
    ColumnType.NUMBER: pa.decimal128(38, 9),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.TIME: pa.timestamp("us", tz="UTC"),
}


class Written(NamedTuple):
    """What was written: rows, bytes, and the SHA-256 of the bytes in hexadecimal."""

    rows: int
    size: int
    digest: str


def write_rows(
    path: Path, format_: FileFormat, columns: Sequence[Column], rows: Rows, *, bom: bool = False
) -> Written:
    """Write a file under its final name, replacing one of that name.

    Bytes and name are on the disk when this returns. What raises leaves the
    final name as it was. Raises ``OSError``.
    """
    with _replacing(path) as sink:
        match format_:
            case FileFormat.CSV:
                count = _write_csv(sink, columns, rows, bom=bom)
            case FileFormat.JSONL:
                count = _write_jsonl(sink, columns, rows)
            case FileFormat.PARQUET:
                count = _write_parquet(sink, columns, rows)
    return Written(count, sink.size, sink.digest.hexdigest())


def write_text(path: Path, text: str) -> None:
    """Write a small text in the same way."""
    with _replacing(path) as sink:
        sink.write(text.encode())


class _Sink(RawIOBase):
    """A file that counts and digests what is written to it."""

    def __init__(self, handle: int) -> None:
        self.size = 0
        self.digest = sha256()
        self._handle = handle

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Write all of the bytes."""
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view):
            done += os.write(self._handle, view[done:])
        self.size += done
        self.digest.update(view)
        return done

    def tell(self) -> int:
        """How much is written."""
        return self.size


@contextmanager
def _replacing(path: Path) -> Iterator[_Sink]:
    """A temporary file beside ``path``, renamed to it when the block ends."""
    temporary = path.with_name(f".{path.name}.partial")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(temporary, flags, _MODE)
    try:
        yield _Sink(handle)
        os.fsync(handle)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_csv(sink: _Sink, columns: Sequence[Column], rows: Rows, *, bom: bool) -> int:
    header = ",".join(csv_cell(column.name, ColumnType.TEXT) for column in columns)
    sink.write(("\ufeff" if bom else "").encode() + f"{header}\r\n".encode())
    return _write_lines(
        sink, rows, lambda row: ",".join(csv_cell(row.get(c.name), c.type) for c in columns) + "\r\n"
    )


def _write_jsonl(sink: _Sink, columns: Sequence[Column], rows: Rows) -> int:
    def line(row: Mapping[str, Any]) -> str:
        return encode_json({c.name: _json(row.get(c.name), c.type) for c in columns}).decode() + "\n"

    return _write_lines(sink, rows, line)


def _json(value: Any, type_: ColumnType) -> Any:
    """The value where it fits its type, null elsewhere; a time stays its text."""
    if type_ is ColumnType.ANY:
        return value
    fitting = fit(value, type_)
    return value if type_ is ColumnType.TIME and fitting is not None else fitting


def _write_lines(sink: _Sink, rows: Rows, line: Callable[[Mapping[str, Any]], str]) -> int:
    count = 0
    for chunk in _chunks(rows):
        sink.write("".join(map(line, chunk)).encode("utf-8", "replace"))
        count += len(chunk)
    return count


def _write_parquet(sink: _Sink, columns: Sequence[Column], rows: Rows) -> int:
    schema = pa.schema([(column.name, _ARROW[column.type]) for column in columns])
    count = 0
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for chunk in _chunks(rows):
            arrays = [
                pa.array([fit(row.get(c.name), c.type) for row in chunk], _ARROW[c.type]) for c in columns
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(chunk)
    return count


def _chunks(rows: Rows) -> Iterator[list[Mapping[str, Any]]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, _AT_ONCE)):
        yield chunk
