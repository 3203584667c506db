"""How an unknown file is written: format, compression, encoding, delimiter, header."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import charset_normalizer

from cauce.collect.files.mapping.model import FileFormat, FileType
from cauce.collect.files.record import Record
from cauce.collect.files.rows import RECORDS
from cauce.collect.files.stream import FileBytes
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.exact import decode_json

LINES = 20_000
"""So many lines from the beginning are looked at."""

_BYTES = 32 * 1024 * 1024
_RECORDS_TRIED = 500
_DELIMITERS = (",", ";", "\t", "|")
_WESTERN = frozenset(
    "áéíóúüñçàèìòùâêîôûäëïöÿßåøæœãõýðþÁÉÍÓÚÜÑÇÀÈÌÒÙÂÊÎÔÛÄËÏÖØÅÆŒÃÕ€£ºª°¿¡’‘“”–—«»…·´`©®™§±½¼¾²³µ"
)
_NOT_WESTERN = ["cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "gb18030", "shift_jis"]
_VALUE = re.compile(r"[\s\d.,:/+()-]*\d[\s\d.,:/+()-]*|\S+@\S+\.\S+|[0-9a-f-]{32,36}", re.IGNORECASE)
"""What a name of a column does not look like: a number, a date, an address, a UUID."""

Row = dict[str, Any]
"""Column → cell: text, or a JSON value where the format has types."""


class Layout(NamedTuple):
    """How a file is written, and its first rows; ``notes`` are sentences for people."""

    format: FileFormat
    columns: list[str]
    rows: list[Row]
    notes: list[str]


def look(path: Path) -> Layout:
    """Look at the beginning of a file; raises ``InvalidInput`` if it cannot be read as rows."""
    with path.open("rb") as file:
        magic = file.read(8)
    if magic.startswith(b"PAR1"):
        return _typed(path, FileFormat(type=FileType.PARQUET), "a Parquet file")
    if magic.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return _typed(path, FileFormat(type=FileType.EXCEL), "a workbook; its first sheet is read")
    lines = _first_lines(path)
    if not any(line.strip() for line in lines):
        raise InvalidInput(f"{path.name} is empty.", hint="Bring a file with rows.")
    start = next(line for line in lines if line.strip()).lstrip()
    if start.startswith(b"{"):
        return _json(path)
    if start.startswith(b"["):
        raise InvalidInput(
            f"{path.name} is one JSON document, not a row in each line.",
            hint="Save it as JSON Lines: one object in each line.",
        )
    return _csv(path, lines)


def _first_lines(path: Path) -> list[bytes]:
    found: list[bytes] = []
    size = 0
    for line in FileBytes(path).lines():
        found.append(line.raw)
        size += len(line.raw)
        if len(found) >= LINES or size > _BYTES:
            break
    return found


def _records(path: Path, form: FileFormat, columns: Sequence[str]) -> list[Row]:
    """The first good records; a workbook or Parquet file may be long, so reading stops."""
    found: list[Row] = []
    records: Any = RECORDS[form.type](FileBytes(path), form, columns)
    for record in islice(records, LINES):
        if not record.reason:
            found.append(dict(zip(columns, record.cells, strict=True)))
    return found


def _typed(path: Path, form: FileFormat, what: str) -> Layout:
    columns = _names_of(path, form)
    return Layout(form, columns, _records(path, form, columns), [f"It is {what}."])


def _names_of(path: Path, form: FileFormat) -> list[str]:
    """The columns of a file with types: its first record says them all."""
    records: Any = RECORDS[form.type](FileBytes(path), form, [])
    first: Record | None = next(iter(records), None)
    if first is None:
        raise InvalidInput(f"{path.name} has no rows.", hint="Bring a file with rows.")
    named: Any = decode_json(first.raw)
    return [name for name in named if name]


def _json(path: Path) -> Layout:
    """The paths of all objects; a list is one value."""
    form = FileFormat(type=FileType.JSONL)
    paths: dict[str, None] = {}
    for line in _first_lines(path):
        try:
            value = decode_json(line)
        except (ValueError, RecursionError, ArithmeticError):
            continue
        if isinstance(value, dict):
            paths.update(dict.fromkeys(_paths(value)))
    if not paths:
        raise InvalidInput(f"{path.name} holds no JSON objects.", hint="Write one object in each line.")
    columns = list(paths)
    return Layout(form, columns, _records(path, form, columns), ["It is JSON Lines."])


def _paths(value: dict[str, Any], before: str = "", depth: int = 0) -> list[str]:
    found = []
    for name, inner in value.items():
        path = before + name.replace("\\", "\\\\").replace(".", "\\.")
        if isinstance(inner, dict) and inner and depth < 3:
            found += _paths(inner, f"{path}.", depth + 1)
        else:
            found.append(path)
    return found


def _csv(path: Path, lines: list[bytes]) -> Layout:
    encodings, note = _encodings(lines)
    notes = ["Its text is UTF-16."] if FileBytes(path).in_utf16() else [note]
    texts = [_decoded(line, encodings) for line in lines[:LINES]]
    delimiter, width = _delimiter(texts)
    by_spaces = delimiter == " "
    if width < 2:
        notes.append("No delimiter was found: the file has one column.")
    else:
        named = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}[delimiter]
        notes.append(f"It is text with {width} columns, separated by {named}.")
    rows = [row for row in _split(texts[:_RECORDS_TRIED], delimiter) if row]
    skip = not by_spaces and _begin_with_spaces(rows)
    header = [cell.strip() for cell in rows[0]] if _is_header(rows) else []
    if not header:
        notes.append("It has no header: the columns are named by their numbers. Give them their names.")
    names = header or [f"column_{number}" for number in range(1, width + 1)]
    form = FileFormat(
        type=FileType.CSV,
        delimiter=delimiter,
        quote="" if by_spaces else '"',
        encoding=encodings[0],
        fallback=tuple(encodings[1:]),
        header=True if header else tuple(names),
        skip_spaces=skip,
        by_spaces=by_spaces,
    )
    usable = [name for name in dict.fromkeys(names) if name and names.count(name) == 1]
    if len(usable) < len(names):
        notes.append("Columns without a name of their own are left out.")
    return Layout(form, usable, _records(path, form, usable), notes)


def _encodings(lines: list[bytes]) -> tuple[list[str], str]:
    """The encodings to try in order, and a sentence that says why."""
    odd = [line for line in lines if not line.isascii()]
    wrong = [line for line in odd if not _is_utf8(line)]
    if not wrong:
        return ["utf-8"], "Its text is UTF-8." if odd else "Its text is plain ASCII, which is UTF-8 as well."
    other = _single(b"\n".join(wrong[:2_000]))
    if len(wrong) < len(odd):
        return ["utf-8", other], (
            f"Its text is mixed: {len(odd) - len(wrong)} lines are UTF-8 and {len(wrong)} are not; "
            f"those are read as {other}."
        )
    return [other], f"Its text is no UTF-8; it looks like {other}."


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _single(sample: bytes) -> str:
    """The encoding of text that is no UTF-8: Western unless its letters say otherwise."""
    try:
        odd = [letter for letter in sample.decode("cp1252") if not letter.isascii()]
    except UnicodeDecodeError:
        odd = []
    if odd and sum(letter in _WESTERN for letter in odd) >= 0.95 * len(odd):
        return "cp1252"
    found = charset_normalizer.from_bytes(sample[:200_000], cp_isolation=_NOT_WESTERN).best()
    return found.encoding if found else "latin-1"


def _decoded(line: bytes, encodings: list[str]) -> str:
    for encoding in encodings:
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")


def _delimiter(texts: list[str]) -> tuple[str, int]:
    """The mark that cuts the most records into the same number of cells, and that number."""
    best = (0.0, 0, ",")
    for mark in _DELIMITERS:
        share, width = _evenness(_split(texts[:_RECORDS_TRIED], mark))
        best = max(best, (round(share, 2) if width > 1 else 0.0, width, mark))
    if best[0] < 0.6:
        share, width = _evenness(_split(texts[:_RECORDS_TRIED], " "))
        if width > 1 and share > 0.9:
            return " ", width
    share, width, mark = best
    return (mark, width) if share >= 0.5 else (",", 1)


def _evenness(rows: list[list[str]]) -> tuple[float, int]:
    widths = Counter(len(row) for row in rows if row)
    if not widths:
        return 0.0, 0
    width, count = widths.most_common(1)[0]
    return count / sum(widths.values()), width


def _split(texts: list[str], mark: str) -> list[list[str]]:
    if mark == " ":
        return [text.split() for text in texts]
    clean = (text.replace("\0", "") + "\n" for text in texts)
    try:
        return list(csv.reader(clean, delimiter=mark))
    except csv.Error:
        return [text.split(mark) for text in texts]


def _begin_with_spaces(rows: list[list[str]]) -> bool:
    cells = [cell for row in rows for cell in row[1:] if cell]
    return bool(cells) and sum(cell.startswith(" ") for cell in cells) > 0.9 * len(cells)


def _is_header(rows: list[list[str]]) -> bool:
    """Whether the first row names columns: most names are distinct, and none is a value."""
    if not rows:
        return False
    first = [cell.strip() for cell in rows[0]]
    filled = [cell for cell in first if cell]
    if 2 * len(set(filled)) <= len(filled) > 1 or len(filled) < max(1, len(first) - 1):
        return False
    if any(_VALUE.fullmatch(cell) for cell in filled):
        return False
    rest = rows[1:]
    if not rest:
        return True
    for index, name in enumerate(first):
        below = [row[index].strip() for row in rest if index < len(row) and row[index].strip()]
        if below and name in below[:200]:
            return False
    return True
