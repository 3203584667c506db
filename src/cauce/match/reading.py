"""Records from a CSV or Parquet file as columns of texts."""

import codecs
import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.nearest import nearest

_DELIMITERS = ",;\t|"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_FIELD = 10_000_000
_PARQUET = b"PAR1"


def read_records(path: Path) -> pa.Table:
    """The records of a file, every cell a text, missing ones null; raises ``InvalidInput`` if it has none."""
    try:
        with path.open("rb") as file:
            parquet = file.read(4) == _PARQUET
        table = _parquet(path) if parquet else _csv(path)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read.", hint=f"{error.strerror or error}.") from error
    if table.num_rows == 0:
        raise InvalidInput(
            f"{path} holds no records.", hint="Give a file with a header and at least one record."
        )
    return table


def column_named(name: str, names: Sequence[str], path: Path) -> str:
    """The column of that name, else in other case, else ``InvalidInput`` with the nearest."""
    alike = [one for one in names if one == name] or [
        one for one in names if one.lower() == name.strip().lower()
    ]
    if len(alike) == 1:
        return alike[0]
    close = nearest(name, names)
    hint = f"Did you mean {close}?" if close else f"There are: {', '.join(names)}."
    raise InvalidInput(f"{path} has no column {name}.", hint=hint)


def _csv(path: Path) -> pa.Table:
    text = _decoded(path.read_bytes(), path)
    delimiter = _delimiter(text)
    fields = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        names = _header(next(fields, []), path)
        quick = _quick(text, delimiter, len(names), fields.line_num)
        rows = (
            []
            if quick is not None
            else [_row(row, len(names), fields.line_num, path) for row in fields if row]
        )
    except csv.Error as error:
        raise InvalidInput(
            f"{path}, line {fields.line_num}: {error}.", hint="Write CSV as in RFC 4180."
        ) from error
    if quick is not None:
        return _trimmed(quick.rename_columns(names))
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return _trimmed(pa.table([pa.array(list(one), pa.string()) for one in columns], names=names))


def _decoded(data: bytes, path: Path) -> str:
    """UTF-8, UTF-16 with its mark, or else Windows-1252."""
    if not data.strip():
        raise InvalidInput(f"{path} is empty.", hint="Give a file with a header and at least one record.")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    if b"\0" in data[:10_000]:
        raise InvalidInput(f"{path} is no text.", hint="Give a CSV or a Parquet file.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    """The mark that divides the first lines into the most fields of equal number."""
    lines = [line for line in text[:50_000].splitlines()[:30] if line.strip()]
    best, most = ",", 1.0
    for mark in _DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=mark, skipinitialspace=True)]
        even = widths.count(widths[0]) / len(widths) if widths else 0
        if widths and widths[0] > 1 and widths[0] * even > most:
            best, most = mark, widths[0] * even
    return best


def _header(cells: Sequence[str], path: Path) -> list[str]:
    names = [cell.strip() or f"column_{number}" for number, cell in enumerate(cells, 1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput(f"{path} has two columns {twice[0]}.", hint="Give each column a name of its own.")
    return names


def _quick(text: str, delimiter: str, width: int, header: int) -> pa.Table | None:
    """The table by the fast reader; None for files that it reads otherwise or refuses."""
    if f'{delimiter} "' in text:
        return None
    names = [f"c{number}" for number in range(width)]
    try:
        return pyarrow.csv.read_csv(
            pa.BufferReader(text.encode()),
            read_options=pyarrow.csv.ReadOptions(column_names=names, skip_rows=header),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values='"' in text),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None


def _row(row: list[str], width: int, line: int, path: Path) -> list[str]:
    if len(row) > width and any(cell.strip() for cell in row[width:]):
        raise InvalidInput(
            f"{path}, line {line} has {len(row)} fields instead of {width}.",
            hint="Quote fields that hold the delimiter.",
        )
    return (row + [""] * width)[:width]


def _parquet(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InvalidInput(f"{path} is no whole Parquet file.", hint="Write it again.") from error
    names = _header(table.column_names, path)
    columns = [_texts(table.column(number), name, path) for number, name in enumerate(names)]
    return _trimmed(pa.table(columns, names=names))


def _texts(column: pa.ChunkedArray, name: str, path: Path) -> pa.ChunkedArray:
    """The cells as texts; whole numbers lose the point that a missing neighbour gave them."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        whole = pc.all(pc.equal(pc.floor(column), column), min_count=0).as_py()
        within = pc.all(pc.less(pc.abs(column), 2.0**53), min_count=0).as_py()
        if whole and within:
            column = column.cast(pa.int64())
    if pa.types.is_timestamp(column.type):
        column = pc.strftime(column, format="%Y-%m-%d")
    try:
        return column.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise InvalidInput(
            f"{path}: column {name} holds {column.type}, not single values.",
            hint=f"Leave it out: --ignore {name}.",
        ) from error


def _trimmed(table: pa.Table) -> pa.Table:
    """Cells without outer blanks, empty ones null; whole numbers written with .0 throughout lose it."""
    columns = []
    for column in table.columns:
        cells = pc.utf8_trim_whitespace(column)
        cells = pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
        pointed = pc.all(pc.match_substring_regex(cells, r"^-?\d+\.0$"), min_count=1).as_py()
        columns.append(pc.replace_substring_regex(cells, r"\.0$", "") if pointed else cells)
    return pa.table(columns, names=table.column_names)
