"""What is moved: every table of every store, counted and summed up so that two places can be compared."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import msgspec
import xxhash
from sqlalchemy import Table

from cauce.eventlog.moved import MARKS
from cauce.eventlog.postgres_tables import LOG
from cauce.govern.records import CONTROL
from cauce.storage.records import STATE
from cauce.storage.revisions import revision_table

Rows = list[tuple[Any, ...]]

STORES = {"log": LOG, "control": CONTROL, "state": STATE}
"""The tables of each store; the names and columns are the same on every engine."""

_MODULUS = 1 << 128


class Copied(NamedTuple):
    """How many rows a table has, and the sum of their fingerprints, in whatever order they come."""

    rows: int
    digest: int


class Step(NamedTuple):
    """How far the move has come: which table, its rows so far, and all rows of it."""

    table: str
    done: int
    total: int


Told = Callable[[Step], None]


class Source(Protocol):
    """A place whose rows hold still while they are read."""

    def count(self, store: str, table: Table) -> int:
        """How many rows a table has."""

    def rows(self, store: str, table: Table) -> Iterator[Rows]:
        """The rows of a table, some thousand at a time."""


class Target(Source, Protocol):
    """A place that takes rows, which become valid together or not at all."""

    def put(self, store: str, table: Table, rows: Iterable[Rows]) -> None:
        """Write the rows of a table that is empty."""


def tables(store: str) -> list[Table]:
    """The tables of a store that are moved: all but that of its revision, which the new place makes."""
    return [one for one in STORES[store].sorted_tables if one.name != revision_table(store)]


def copy(source: Source, target: Target, told: Told) -> dict[str, Copied]:
    """Copy every table; what was read of each, by ``store.table``."""
    found = {}
    for store in STORES:
        for table in tables(store):
            counting = _Counting(f"{store}.{table.name}", source.count(store, table), told)
            target.put(store, table, counting.passed(source.rows(store, table)))
            found[counting.name] = counting.copied
    return found


def sums(source: Source) -> dict[str, Copied]:
    """What every table of a place holds."""
    found = {}
    for store in STORES:
        for table in tables(store):
            counting = _Counting(f"{store}.{table.name}", 0, lambda _: None)
            for _ in counting.passed(source.rows(store, table)):
                pass
            found[counting.name] = counting.copied
    return found


class _Counting:
    """Counts and sums the rows that pass; the marks of a place do not belong to the space."""

    def __init__(self, name: str, total: int, told: Told) -> None:
        self.name = name
        self._total = total
        self._told = told
        self._rows = self._digest = 0

    @property
    def copied(self) -> Copied:
        return Copied(self._rows, self._digest)

    def passed(self, rows: Iterable[Rows]) -> Iterator[Rows]:
        """The rows, one lot after another."""
        encode, digest = msgspec.msgpack.Encoder().encode, xxhash.xxh3_128_intdigest
        for lot in rows:
            if self.name == "log.fixed":
                lot = [row for row in lot if row[0] not in MARKS]
            self._rows += len(lot)
            self._digest = (self._digest + sum(digest(encode(row)) for row in lot)) % _MODULUS
            self._told(Step(self.name, self._rows, self._total))
            yield lot
