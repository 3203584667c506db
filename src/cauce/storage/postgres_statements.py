"""The statements of one table on PostgreSQL, made once, and its rows as array literals."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, Text

from cauce.storage.postgres_text import numbers, octets, texts, unescaped_rows
from cauce.storage.records import Row


class Statements:
    """What is said about one table; texts and byte strings are told from numbers by their columns."""

    def __init__(self, table: Table) -> None:
        self._name = f'"{table.name}"'
        self._columns = {column.name: column for column in table.columns}
        self._listed = ", ".join(f'"{name}"' for name in self._columns)
        self._writers: list[Callable[[Iterable[Any]], str]] = [_writer(c) for c in table.columns]
        self._texts = [n for n, c in enumerate(table.columns) if isinstance(c.type, Text)]
        names = list(self._columns)
        keys = [names.index(column.name) for column in table.primary_key]
        self._key: Callable[[Row], Any] = itemgetter(*keys)
        self.upsert = self._upsert(table)
        self._made: dict[tuple[str, str, tuple[str, ...]], str] = {}

    def _upsert(self, table: Table) -> str:
        arrays = ", ".join(f"%s::{_array(column)}" for column in table.columns)
        keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
        rest = [c.name for c in table.columns if not c.primary_key]
        act = "UPDATE SET " + ", ".join(f'"{n}" = excluded."{n}"' for n in rest) if rest else "NOTHING"
        return (
            f"INSERT INTO {self._name} ({self._listed}) SELECT * FROM unnest({arrays}) "
            f"ON CONFLICT ({keys}) DO {act}"
        )

    def select(self, column: str, equal: tuple[str, ...]) -> str:
        """Rows by the values of a column, with other columns fixed."""
        return self._by("SELECT " + self._listed, column, equal)

    def delete(self, column: str, equal: tuple[str, ...]) -> str:
        """Delete the rows that ``select`` finds."""
        return self._by("DELETE", column, equal)

    def _by(self, act: str, column: str, equal: tuple[str, ...]) -> str:
        known = self._made.get((act, column, equal))
        if known is None:
            fixed = "".join(f'"{name}" = %s AND ' for name in equal)
            array = _array(self._columns[column])
            # as a relation, not as ANY(array): that is looked at for each row of a scan
            wanted = f'"{column}" IN (SELECT unnest(%s::{array}))'
            known = self._made[act, column, equal] = f"{act} FROM {self._name} WHERE {fixed}{wanted}"
        return known

    def keys(self, column: str, keys: Iterable[int | str]) -> str | None:
        """The array literal of some keys; None if there are none."""
        values = list(keys)
        return _writer(self._columns[column])(values) if values else None

    def columns(self, rows: Sequence[Row]) -> list[str]:
        """Rows as one array literal for each column; of rows with one key the last counts."""
        unique = {self._key(row): row for row in rows}
        return [write(column) for write, column in zip(self._writers, zip(*unique.values()), strict=True)]  # noqa: B905

    def read(self, rows: list[Row]) -> list[Row]:
        """Rows as they were before they were written."""
        return unescaped_rows(rows, self._texts)


@cache
def statements(table: Table) -> Statements:
    """The statements of a table."""
    return Statements(table)


def _array(column: Column[Any]) -> str:
    if isinstance(column.type, Text):
        return "text[]"
    return "bytea[]" if isinstance(column.type, LargeBinary) else "bigint[]"


def _writer(column: Column[Any]) -> Callable[[Iterable[Any]], str]:
    if isinstance(column.type, Text):
        return texts
    return octets if isinstance(column.type, LargeBinary) else numbers
