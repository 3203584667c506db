"""The state stores of a space as SQLite files, named by symbolic links.

``state.db`` leads to the file in force, ``state.shadow.db`` and ``state.former.db`` to
the others. SQLite names its write-ahead log after the file itself, so what still has
the old file open never meets the new one's log. Changing a link is one rename.
A space's first ``state.db`` is a file; it gets a second name before the first swap.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep

from cauce.storage.records import STATE, Reader, Records, Transaction
from cauce.storage.sqlite import SqliteRecords
from cauce.storage.stores import Other, carried_tables, is_carried, unchecked
from cauce.vocabulary.errors import NotFound, Transient

_WAIT_SECONDS = 30.0
_AGAIN_SECONDS = 0.02
_BESIDE = ("-wal", "-shm", "-journal")


class SqliteStores:
    """The stores beside the file ``state.db``; see ``Stores``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self) -> Records:
        """A new, empty shadow."""
        self.discard(Other.SHADOW)
        file = self._new_file()
        records = SqliteRecords(file, STATE)
        self._point(self._link(Other.SHADOW), file)
        return records

    @contextmanager
    def open(self, which: Other) -> Iterator[Records | None]:
        """One of the other stores, if there is one."""
        link = self._link(which)
        if not link.exists() or self._in_force(link):
            yield None
            return
        with closing(SqliteRecords(link.resolve(), STATE)) as records:
            yield records

    def swap(
        self,
        which: Other,
        prepare: Callable[[Transaction], None],
        check: Callable[[Reader], None] = unchecked,
    ) -> None:
        """Make another store the one in force."""
        link = self._link(which)
        if not link.exists():
            raise NotFound(f"There is no {which} store.", hint="Make one with `cauce rebuild`.")
        file = link.resolve()
        with _held(self._path):
            with closing(SqliteRecords(file, STATE)) as records, records.write() as transaction:
                self._carry(transaction, check)
                prepare(transaction)
            _emptied(file)
            self._exchange(which, file)

    def _carry(self, transaction: Transaction, check: Callable[[Reader], None]) -> None:
        """Check the file in force, and copy what is carried from it."""
        with closing(SqliteRecords(self._path, STATE)) as live, live.read() as reader:
            check(reader)
            for table in carried_tables():
                transaction.clear(table)
                rows = []
                for row in reader.scan(table.select()):
                    rows.append(row)
                    if len(rows) == _ROWS:
                        transaction.put(table, rows)
                        rows = []
                transaction.put(table, rows)
            for name, value in reader.select(STATE.tables["progress"].select()):
                if is_carried(name):
                    transaction.advance(name, value)

    def _exchange(self, which: Other, file: Path) -> None:
        """Let ``state.db`` lead to another file; the rename of the link is the moment of the swap."""
        before = self._named()
        former = self._link(Other.FORMER)
        dropped = former.resolve() if which is Other.SHADOW and former.is_symlink() else None
        self._point(self._link(Other.FORMER), before)
        self._point(self._path, file)
        if which is Other.SHADOW:
            self._link(Other.SHADOW).unlink(missing_ok=True)
        for suffix in _BESIDE:  # of the time when state.db was a file itself
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        if dropped is not None and dropped not in (before, file) and dropped.exists():
            _remove(dropped)

    def _named(self) -> Path:
        """The file in force under a name of its own."""
        if self._path.is_symlink():
            return self._path.resolve()
        file = self._new_file()
        os.link(self._path, file)
        return file

    def discard(self, which: Other) -> bool:
        """Remove one of the other stores; whether there was one."""
        link = self._link(which)
        if not link.is_symlink():
            return False
        file = link.resolve()
        in_force = self._in_force(link)
        link.unlink()
        if not in_force:
            _remove(file)
        return True

    def _in_force(self, link: Path) -> bool:
        """Whether a link leads to the file in force: a kill came between the two steps of a swap."""
        return link.exists() and self._path.exists() and link.samefile(self._path)

    def _link(self, which: Other) -> Path:
        return self._path.with_name(f"{self._path.stem}.{which}{self._path.suffix}")

    def _new_file(self) -> Path:
        numbers = [0]
        for path in self._path.parent.glob(f"{self._path.stem}.*{self._path.suffix}"):
            number = path.name.split(".")[1]
            if number.isdecimal():
                numbers.append(int(number))
        return self._path.with_name(f"{self._path.stem}.{max(numbers) + 1}{self._path.suffix}")

    def _point(self, link: Path, file: Path) -> None:
        """Make or change a link, durably and in one step."""
        made = link.with_name(f"{link.name}.new")
        made.unlink(missing_ok=True)
        made.symlink_to(file.name)
        made.replace(link)
        descriptor = os.open(link.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


_ROWS = 5_000


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold the right to write to a file all of which is in the file itself, none in its log."""
    deadline = monotonic() + _WAIT_SECONDS
    with closing(sqlite3.connect(path, isolation_level=None, timeout=_WAIT_SECONDS)) as connection:
        while not _taken(connection, path):
            if monotonic() > deadline:
                raise Transient(
                    "Readers keep the state store busy; nothing was swapped.", hint="Swap again in a moment."
                )
            sleep(_AGAIN_SECONDS)
        yield
        connection.execute("ROLLBACK")


def _taken(connection: sqlite3.Connection, path: Path) -> bool:
    """Move the log into the file and lock it; False if somebody wrote or read in between."""
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        return False
    connection.execute("BEGIN IMMEDIATE")
    log = Path(f"{path.resolve()}-wal")
    if log.exists() and log.stat().st_size:
        connection.execute("ROLLBACK")
        return False
    return True


def _emptied(file: Path) -> None:
    """Move the log of a file that nobody else has open into the file, durably."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _remove(file: Path) -> None:
    for suffix in ("", *_BESIDE):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
