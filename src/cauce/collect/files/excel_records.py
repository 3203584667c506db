"""The rows of a sheet of an Excel or OpenDocument workbook."""

from collections.abc import Iterator, Sequence
from typing import Any

import python_calamine as calamine

from cauce.collect.files.mapping.model import FileFormat
from cauce.collect.files.record import Record
from cauce.collect.files.stream import FileBytes
from cauce.collect.files.typed_records import check_header, typed_records
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.nearest import did_you_mean


class ExcelRecords:
    """The rows of a sheet, with the values of the wanted columns as cells; empty rows are left out.

    The header is the first row that is not empty. Iterating raises
    ``InvalidInput`` if the file is no workbook, or lacks the sheet or a wanted column.
    """

    def __init__(self, data: FileBytes, form: FileFormat, wanted: Sequence[str]) -> None:
        self._data = data
        self._format = form
        self._wanted = wanted

    def __iter__(self) -> Iterator[Record]:
        rows = self._rows()
        named = self._format.header
        if isinstance(named, tuple):
            header: Sequence[str] = named
        else:
            _, cells = next(rows, (0, ()))
            header = [str(cell).strip() for cell in cells]
        check_header(self._data.path.name, header, self._wanted)
        width = len(header)
        fitted = ((number, [*cells, *[""] * width][:width]) for number, cells in rows)
        yield from typed_records(
            ((number, [None if cell == "" else cell for cell in cells]) for number, cells in fitted),
            header,
            self._wanted,
        )

    def _rows(self) -> Iterator[tuple[int, Sequence[Any]]]:
        name = self._data.path.name
        try:
            with calamine.CalamineWorkbook.from_path(str(self._data.path)) as book:
                sheet = self._sheet(book)
                total = max(1, sheet.total_height)
                for number, cells in enumerate(sheet.iter_rows(), 1):
                    self._data.done = self._data.total * number // total
                    if any(cell != "" for cell in cells):
                        yield number, cells
        except (calamine.CalamineError, OSError) as error:
            raise InvalidInput(
                f"{name} is no workbook that can be read.",
                hint="Save it again without a password, or save the sheet as CSV.",
            ) from error
        self._data.done = self._data.total

    def _sheet(self, book: calamine.CalamineWorkbook) -> calamine.CalamineSheet:
        names = book.sheet_names
        wanted = self._format.sheet or (names[0] if names else "")
        if wanted not in names:
            raise InvalidInput(
                f"{self._data.path.name} has no sheet {wanted}.", hint=did_you_mean(wanted, names)
            )
        return book.get_sheet_by_name(wanted)
