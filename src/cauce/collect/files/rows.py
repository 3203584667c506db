"""From the bytes of a file to rows with converted values, or bad rows with a reason.

Every physical line becomes part of exactly one row or bad row, apart from the
header and empty lines.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from cauce.collect.files.convert import Convert, WrongValue, converter
from cauce.collect.files.csv_records import CsvRecords
from cauce.collect.files.excel_records import ExcelRecords
from cauce.collect.files.json_records import JsonRecords
from cauce.collect.files.mapping.model import FileFormat, FileType, Mapping
from cauce.collect.files.parquet_records import ParquetRecords
from cauce.collect.files.record import Record
from cauce.collect.files.stream import FileBytes

RECORDS: dict[FileType, Callable[[FileBytes, FileFormat, Sequence[str]], Iterable[Record]]] = {
    FileType.CSV: CsvRecords,
    FileType.JSONL: JsonRecords,
    FileType.PARQUET: ParquetRecords,
    FileType.EXCEL: ExcelRecords,
}
"""What reads the records of each format."""

Values = list[Any]
"""The converted cells of one row, in the order of the mapping's columns."""


class Row(NamedTuple):
    """One record of a file.

    ``line`` is the number of its first physical line, from 1; ``content`` is
    equal for rows that are equal in all columns, mapped or not.
    """

    line: int
    raw: bytes
    content: tuple[str, ...]
    values: Values


class BadRow(NamedTuple):
    """A record that cannot be read; ``detail`` tells why without quoting it."""

    line: int
    raw: bytes
    reason: str
    detail: str


def converters(mapping: Mapping) -> list[Convert]:
    """How the cells of each mapped column become values; what they remember serves any file."""
    texts = mapping.format.type is FileType.CSV
    return [converter(name, type_, mapping.empty, texts=texts) for name, type_ in mapping.columns.items()]


def read_rows(
    data: FileBytes, mapping: Mapping, converts: list[Convert] | None = None
) -> Iterator[Row | BadRow]:
    """The rows of a file; raises ``InvalidInput`` if the file does not have the mapped columns.

    ``converts`` are the mapping's ``converters``, if there are some already.
    """
    names = list(mapping.columns)
    records = RECORDS[mapping.format.type]
    converts = converts or converters(mapping)
    for record in records(data, mapping.format, names):
        if record.reason:
            yield BadRow(record.line, record.raw, record.reason, record.detail)
        else:
            yield _row(record.line, record.raw, record.content, record.cells, converts)


def _row(
    line: int, raw: bytes, content: tuple[str, ...], cells: list[Any], converts: list[Convert]
) -> Row | BadRow:
    try:
        return Row(line, raw, content, [convert(cell) for convert, cell in zip(converts, cells, strict=True)])
    except WrongValue as wrong:
        return BadRow(line, raw, wrong.reason, f"{wrong}.")
