"""SQLite files as the place that a space leaves or comes to."""

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from sqlalchemy import Table, create_engine

from cauce.app.migrate.rows import STORES, Rows
from cauce.app.space import Space
from cauce.eventlog.database import connect, marks_of_files, prepare, sync_folder
from cauce.eventlog.moved import ARRIVED, MOVED, MOVING
from cauce.vocabulary.errors import CauceError, Conflict, Transient
from cauce.vocabulary.moment import Moment

_LOT = 5_000
_WAIT_SECONDS = 30
_SIDECARS = ("", "-wal", "-shm")
_GATES = ("event", "quarantine")
_ORDER = ("control", "state", "log")
"""In which files become valid: with the log the space is there."""


class SqlitePlace:
    """The files of a space; ``arriving`` is the folder in which new ones are made."""

    name = "SQLite files"

    def __init__(self, space: Space) -> None:
        self._space = space
        self._arriving = space.root / "arriving"

    def marks(self) -> dict[str, int]:
        """The marks of earlier moves."""
        return marks_of_files(self._space.root)

    def is_taken(self) -> bool:
        """Whether a space is here."""
        return any(self._file(store).exists() for store in STORES)

    @contextmanager
    def held(self) -> Iterator["_Files"]:
        """The space as it is, while nobody can write to it."""
        with _told(), ExitStack() as stack:
            files = {}
            for store in STORES:
                files[store] = stack.enter_context(closing(connect(self._file(store), wait=_WAIT_SECONDS)))
                files[store].execute("BEGIN IMMEDIATE")
            yield _Files(files)

    def mark_moving(self, held: "_Files", number: int) -> None:
        """Say that it may be gone from now on, and take no event any more, also from who has it open."""
        log = held.connections["log"]
        with _told():
            log.execute("INSERT OR REPLACE INTO fixed VALUES (?, ?)", (MOVING, number))
            for table in _GATES:
                log.execute(
                    f"CREATE TRIGGER IF NOT EXISTS moved_{table} BEFORE INSERT ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'the space was moved away'); END"
                )
            log.execute("COMMIT")

    def mark_moved(self, now: Moment) -> None:
        """Say that it is gone."""
        with self._log() as log:
            log.execute("DELETE FROM fixed WHERE name = ?", (MOVING,))
            log.execute("INSERT OR REPLACE INTO fixed VALUES (?, ?)", (MOVED, now))

    def unmark(self) -> None:
        """Say that it never went."""
        with self._log() as log:
            log.execute("DELETE FROM fixed WHERE name = ?", (MOVING,))
            for table in _GATES:
                log.execute(f"DROP TRIGGER IF EXISTS moved_{table}")

    @contextmanager
    def _log(self) -> Iterator[sqlite3.Connection]:
        with _told(), closing(connect(self._file("log"), wait=_WAIT_SECONDS)) as log:
            log.execute("BEGIN IMMEDIATE")
            yield log
            log.execute("COMMIT")

    @contextmanager
    def receiving(self, number: int, *, discard: bool) -> Iterator["_Files"]:  # noqa: ARG002  replaced by renaming
        """New files beside the old ones; they take their places when the block ends."""
        shutil.rmtree(self._arriving, ignore_errors=True)
        self._arriving.mkdir()
        with make_files(self._arriving) as files:
            yield files
            files.connections["log"].execute("INSERT INTO fixed VALUES (?, ?)", (ARRIVED, number))
        self.finish(number)

    def finish(self, number: int) -> bool:
        """Put complete new files in their places; whether the move of that number has arrived."""
        if marks_of_files(self._arriving).get(ARRIVED) == number:
            self._put_in_place()
        return self.marks().get(ARRIVED) == number

    def _put_in_place(self) -> None:
        for store in _ORDER:
            made, file = self._arriving / f"{store}.db", self._file(store)
            if made.exists():
                for old in {file, file.resolve()}:  # the state store in force may be a link
                    for suffix in _SIDECARS:
                        old.with_name(old.name + suffix).unlink(missing_ok=True)
                made.replace(file)
        sync_folder(self._space.root)
        shutil.rmtree(self._arriving, ignore_errors=True)

    def discard(self) -> None:
        """Remove what a move left that was cut short."""
        shutil.rmtree(self._arriving, ignore_errors=True)

    def _file(self, store: str) -> Path:
        return self._space.root / f"{store}.db"


@contextmanager
def make_files(folder: Path) -> Iterator["_Files"]:
    """New stores in a folder, empty but for their tables; complete and durable when the block ends.

    The log is committed last, when the others are on the disk: a log with rows is that of a whole space.
    """
    with _told():
        _create(folder)
        with ExitStack() as stack:
            files = {}
            for store in STORES:
                opened = sqlite3.connect(folder / f"{store}.db", isolation_level=None)
                files[store] = stack.enter_context(closing(opened))
                opened.execute("PRAGMA journal_mode = WAL")
                opened.execute("PRAGMA synchronous = FULL")
                opened.execute("BEGIN IMMEDIATE")
            files["log"].execute("DELETE FROM fixed")
            yield _Files(files)
            for store in _ORDER:
                files[store].execute("COMMIT")
                files[store].execute("PRAGMA wal_checkpoint(TRUNCATE)")
                files[store].close()
                _sync(folder / f"{store}.db")


def _create(folder: Path) -> None:
    prepare(folder)
    for store in ("control", "state"):
        engine = create_engine(f"sqlite:///{folder / f'{store}.db'}")
        with engine.begin() as making:
            STORES[store].create_all(making)
        engine.dispose()


def _sync(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())
    sync_folder(file.parent)


class _Files:
    """Open files, each in a transaction; see ``Target``."""

    def __init__(self, connections: dict[str, sqlite3.Connection]) -> None:
        self.connections = connections

    def count(self, store: str, table: Table) -> int:
        """How many rows a table has."""
        (count,) = self.connections[store].execute(f'SELECT count(*) FROM "{table.name}"').fetchone()
        return int(count)

    def rows(self, store: str, table: Table) -> Iterator[Rows]:
        """The rows of a table."""
        cursor = self.connections[store].execute(f'SELECT {_columns(table)} FROM "{table.name}"')
        while lot := cursor.fetchmany(_LOT):
            yield lot

    def put(self, store: str, table: Table, rows: Iterable[Rows]) -> None:
        """Write the rows of a table."""
        marks = ", ".join("?" * len(table.columns))
        for lot in rows:
            self.connections[store].executemany(
                f'INSERT INTO "{table.name}" ({_columns(table)}) VALUES ({marks})', lot
            )


def _columns(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.columns)


@contextmanager
def _told() -> Iterator[None]:
    """Raise what SQLite and the file system report as ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Transient(
            f"A store could not be read or written: {error}.",
            hint="Stop what uses the space, or free disk space, and give the command again.",
        ) from error
    except sqlite3.DatabaseError as error:
        raise Conflict(
            f"A store is damaged: {error}.", hint="Restore a backup.", code="damaged_store"
        ) from error
    except OSError as error:
        raise CauceError(
            f"A file could not be written: {error.strerror}.", hint="Free disk space, and try again."
        ) from error
