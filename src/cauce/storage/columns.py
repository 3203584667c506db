"""Rows as columns: what a store answers, made into Arrow batches for work in bulk."""

from collections.abc import Iterable, Iterator
from itertools import islice

import pyarrow as pa

from cauce.storage.records import Row

_FEW = 500
"""Rows that are objects at a time: with more, the garbage collector looks through them again and again."""

_MANY = 100_000
"""Rows of a batch, at most."""


def columns(rows: Iterable[Row], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows in batches with these columns, in their order; no batch is empty."""
    small = _small(iter(rows), schema)
    while some := list(islice(small, _MANY // _FEW)):
        yield from pa.Table.from_batches(some).combine_chunks().to_batches()


def _small(rows: Iterator[Row], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while chunk := list(islice(rows, _FEW)):
        found = zip(zip(*chunk, strict=True), schema.types, strict=True)
        yield pa.RecordBatch.from_arrays([pa.array(*column) for column in found], schema=schema)
