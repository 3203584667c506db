"""The port for state: rows by key, in a transaction together with a position."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pyarrow as pa
from sqlalchemy import BigInteger, Column, Integer, MetaData, Select, Table, Text

from cauce.storage.revisions import declare

Row = tuple[Any, ...]
"""A row as a tuple in the order of its table's columns."""

Int64 = BigInteger().with_variant(Integer(), "sqlite")
"""The type of every whole number kept: moments, keys and positions need 64 bits."""

Words = Text(collation="C").with_variant(Text(), "sqlite")
"""The type of every text kept: equal and ordered by code point on every engine."""

STATE = MetaData()
"""Every table of the state store; each stage's ``records.py`` adds its own."""
declare(STATE, "state")

CARRIED = {"carried": True}
"""Table ``info`` of a table that a rebuild carries over: what became of deliveries is in no log."""

PERSONAL = {"personal": True}
"""Column ``info`` of a column that holds personal data."""

progress = Table(
    "progress",
    STATE,
    Column("name", Words, primary_key=True),
    Column("value", Int64, nullable=False),
    sqlite_with_rowid=False,
)
"""How far each consumer has come: positions of the log, and moments."""


class Reader(Protocol):
    """A consistent view of the rows."""

    def rows(self, table: Table, column: str, keys: Iterable[int | str], **equal: object) -> list[Row]:
        """The rows whose ``column`` is among ``keys`` and whose other columns equal ``equal``."""

    def select(self, statement: Select[Any]) -> list[Row]:
        """The rows of any SQLAlchemy select; for reads that are not on a hot path."""

    def scan(self, statement: Select[Any]) -> Iterator[Row]:
        """The rows of a select one after another, for reading much; one scan at a time."""

    def progress(self, name: str) -> int:
        """How far the consumer ``name`` has come; 0 if it has not begun."""


class Transaction(Reader, Protocol):
    """A view that also writes; all of it becomes durable together, or none."""

    def put(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert whole rows, replacing those with the same primary key."""

    def remove(self, table: Table, column: str, keys: Iterable[int | str], **equal: object) -> None:
        """Delete the rows that ``rows`` would return."""

    def clear(self, table: Table) -> None:
        """Delete every row."""

    def advance(self, name: str, value: int) -> None:
        """Store how far the consumer ``name`` has come."""


class Records(Protocol):
    """A store of rows. Writers take turns; readers never wait."""

    def read(self) -> AbstractContextManager[Reader]:
        """A snapshot for reading."""

    def write(self) -> AbstractContextManager[Transaction]:
        """A transaction: committed when the block ends, rolled back if it raises.

        Raises ``Transient`` if the store stays locked or is out of space.
        """

    def fill(self, tables: Iterable[tuple[Table, Iterable[pa.RecordBatch]]]) -> None:
        """Insert many rows into a new store, one table after another, each in the order of its key.

        The columns are those of the table, in their order. The rows are durable when
        this returns; until then the store must be nobody else's.
        """

    def close(self) -> None:
        """Release files and connections."""


class ManyWriters(Records, Protocol):
    """A store in which several workers may write at once: PostgreSQL."""

    def lane(self) -> AbstractContextManager[Transaction]:
        """A transaction beside those of other lanes, never beside one of ``write``."""


def as_mapping(table: Table, row: Row) -> Mapping[str, Any]:
    """A row as column name → value."""
    return dict(zip(table.columns.keys(), row, strict=True))
