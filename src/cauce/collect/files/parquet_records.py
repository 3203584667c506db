"""The rows of a Parquet file."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cauce.collect.files.mapping.model import FileFormat
from cauce.collect.files.record import Record
from cauce.collect.files.stream import FileBytes
from cauce.collect.files.typed_records import check_header, typed_records
from cauce.vocabulary.errors import InvalidInput

_ROWS = 4_096


class ParquetRecords:
    """The rows of a file, with the values of the wanted columns as cells.

    Iterating raises ``InvalidInput`` if the file is no Parquet or lacks a wanted
    column. What can be read before a damaged place is given.
    """

    def __init__(self, data: FileBytes, form: FileFormat, wanted: Sequence[str]) -> None:  # noqa: ARG002
        self._data = data
        self._wanted = wanted

    def __iter__(self) -> Iterator[Record]:
        try:
            file = pq.ParquetFile(self._data.path)
        except (pa.ArrowInvalid, OSError) as error:
            raise InvalidInput(
                f"{self._data.path.name} is no whole Parquet file.",
                hint="Bring it again: its end, which says what it holds, is missing or damaged.",
            ) from error
        with file:
            header = file.schema_arrow.names
            check_header(self._data.path.name, header, self._wanted)
            yield from typed_records(self._rows(file), header, self._wanted)

    def _rows(self, file: pq.ParquetFile) -> Iterator[tuple[int, Sequence[Any]]]:
        number, total = 0, max(1, file.metadata.num_rows)
        try:
            for batch in file.iter_batches(_ROWS):
                columns = [_python(column) for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield number, cells
                self._data.done = self._data.total * number // total
        except (pa.ArrowInvalid, OSError):
            self._data.problem = f"{self._data.path.name} is damaged: rows after {number} cannot be read."


def _python(column: pa.Array) -> list[Any]:
    """The values of a column; times of nanoseconds are cut to microseconds."""
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    values: list[Any] = column.to_pylist()
    return values
