"""The records of a CSV file (RFC 4180 with any delimiter), each bad one alone.

A quote that is never closed makes a reader swallow line after line. Here the
first line of such a record is bad, and reading goes on with the second.
"""

import csv
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from cauce.collect.files.mapping.model import FileFormat
from cauce.collect.files.reasons import FileReason
from cauce.collect.files.record import Record
from cauce.collect.files.stream import FAULTS, MAX_LINE, FileBytes, PhysicalLine
from cauce.collect.reasons import Reason
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.nearest import nearest

MAX_LINES_PER_RECORD = 1_000
"""A quoted cell may run over so many lines at most."""

_SHOWN, _LETTERS = 20, 40
_DELIMITERS = {";": "a semicolon", "\t": "a tab", ",": "a comma", "|": "a bar"}

# The limit of the standard library (128 KiB a cell) holds for the whole process; ours is MAX_LINE.
csv.field_size_limit(sys.maxsize)


class _Fault(NamedTuple):
    """Why a record is bad."""

    reason: str
    detail: str


class CsvRecords:
    """The records of a file, with the cells of the wanted columns.

    Iterating raises ``InvalidInput`` if the header does not have all wanted columns.
    """

    def __init__(self, data: FileBytes, form: FileFormat, wanted: Sequence[str]) -> None:
        self._data = data
        self._format = form
        self._wanted = wanted
        self._lines = data.lines()
        self._waiting: deque[PhysicalLine] = deque()
        self._pulled: list[PhysicalLine] = []  # the physical lines of the record being read
        self._fault: _Fault | None = None  # what is wrong with one of them
        self._number = 0  # physical lines of all records before

    def __iter__(self) -> Iterator[Record]:
        header = self._header()
        if header is None:
            return
        picks = [header.index(name) for name in self._wanted]
        for first, cells, fault in self._split(len(header)):
            raw = self._raw()
            if fault is None:
                yield Record(first, raw, tuple(cells), [cells[pick] for pick in picks])
            else:
                yield Record(first, raw, reason=fault.reason, detail=fault.detail)

    def _header(self) -> tuple[str, ...] | None:
        """The names of the columns; None if the file is empty."""
        header = self._format.header
        if not isinstance(header, tuple):
            first = next(self._split(None), None)
            if first is None:
                return None
            _, cells, fault = first
            if fault is not None:
                raise InvalidInput(f"The header of {self._data.path.name} cannot be read. {fault.detail}")
            header = tuple(cell.strip() for cell in cells)
        self._check(header)
        return header

    def _check(self, header: tuple[str, ...]) -> None:
        """Every wanted column is in the header, once."""
        file = self._data.path.name
        missing = [name for name in self._wanted if name not in header]
        if missing:
            names = [name if len(name) <= _LETTERS else f"{name[:_LETTERS]}…" for name in header[:_SHOWN]]
            shown = ", ".join(names) + (" …" if len(header) > _SHOWN else "")
            raise InvalidInput(
                f"{file} has no column {', '.join(missing)}. Its columns ({len(header)}): {shown}",
                hint=_meant(missing, header, self._format.delimiter),
            )
        for name in self._wanted:
            if header.count(name) > 1:
                raise InvalidInput(f"{file} has the column {name} {header.count(name)} times.")

    def _split(self, width: int | None) -> Iterator[tuple[int, list[str], _Fault | None]]:
        """Records of ``width`` cells (None: any), each with its first line's number and its fault."""
        reader = self._reader()
        pulled = self._pulled
        while True:
            pulled.clear()
            self._fault = None
            malformed = None
            try:
                cells = next(reader, [])
            except csv.Error as error:
                cells, malformed = [], _Fault(FileReason.MALFORMED_CSV, f"The line is no valid CSV: {error}.")
            if not pulled:
                return
            fault = malformed or self._fault
            first = self._number + 1
            if fault is None and not cells:  # an empty line
                self._number += len(pulled)
                continue
            if width is not None and (malformed or len(cells) != width):
                fault = fault or _wrong_width(len(cells), width)
                if len(pulled) > 1:
                    fault = self._hand_back()
                    reader = self._reader()
            self._number += len(pulled)
            yield first, cells, fault

    def _hand_back(self) -> _Fault:
        """Keep the first line of a broken record; the others are read again."""
        self._waiting.extendleft(reversed(self._pulled[1:]))
        del self._pulled[1:]
        return _Fault(FileReason.MALFORMED_CSV, "A quoted cell of the line does not end where it should.")

    def _reader(self) -> Iterator[list[str]]:
        form = self._format
        return csv.reader(
            self._texts(),
            delimiter=form.delimiter,
            quotechar=form.quote or None,
            quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
            skipinitialspace=form.skip_spaces,
            strict=True,
        )

    def _texts(self) -> Iterator[str]:
        """The physical lines as text; ``_pulled`` notes what was taken, ``_fault`` what is wrong."""
        pulled, waiting, lines = self._pulled, self._waiting, self._lines
        encoding, by_spaces = self._format.encoding, self._format.by_spaces
        size = 0
        while True:
            if pulled:
                size += len(pulled[-1].raw)
                if len(pulled) >= MAX_LINES_PER_RECORD or size > MAX_LINE:
                    return
            else:
                size = 0
            line = waiting.popleft() if waiting else next(lines, None)
            if line is None:
                return
            pulled.append(line)
            try:
                text = line.raw.decode(encoding)
            except UnicodeDecodeError:
                text = self._otherwise(line.raw)
            if "\0" in text:
                self._fault = _Fault(Reason.NUL_CHARACTER, "The line contains a NUL character.")
            if line.fault:
                text = ""
                self._fault = _Fault(line.fault, FAULTS[line.fault])
            yield (" ".join(text.split()) if by_spaces else text) + "\n"

    def _otherwise(self, raw: bytes) -> str:
        """A line that is not in the encoding of the file."""
        for encoding in self._format.fallback:
            with suppress(UnicodeDecodeError):
                return raw.decode(encoding)
        encoding = self._format.encoding
        self._fault = _Fault(FileReason.WRONG_ENCODING, f"The line is not {encoding} text.")
        return raw.decode(encoding, "replace")

    def _raw(self) -> bytes:
        pulled = self._pulled
        return pulled[0].raw if len(pulled) == 1 else b"\n".join(line.raw for line in pulled)


def header_of(data: FileBytes, form: FileFormat, beginning: bytes) -> tuple[tuple[str, ...], int, bytes]:
    """The names in the header, how many physical lines it has, and what of ``beginning`` comes after it.

    ``data`` gives the lines of ``beginning``. Raises ``InvalidInput`` if the header cannot be read.
    """
    records = CsvRecords(data, form, ())
    names = records._header() or ()
    lines = records._number
    at = 0
    for _ in range(lines):
        at = beginning.find(b"\n", at) + 1 or len(beginning)
    return names, lines, beginning[at:]


def _wrong_width(found: int, expected: int) -> _Fault:
    reason = FileReason.TOO_FEW_FIELDS if found < expected else FileReason.TOO_MANY_FIELDS
    return _Fault(reason, f"The line has {found} fields instead of {expected}.")


def _meant(missing: list[str], header: tuple[str, ...], delimiter: str) -> str:
    """A hint: another delimiter if the header has one cell only, else the nearest names."""
    if len(header) == 1:
        found = [name for mark, name in _DELIMITERS.items() if mark != delimiter and mark in header[0]]
        if found:
            return f"Perhaps the delimiter is {found[0]}: set format.delimiter in the mapping."
    near = [(name, close) for name in missing if (close := nearest(name, header))]
    return " ".join(f"For {name}, did you mean {close}?" for name, close in near)
