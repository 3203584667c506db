"""The file ``log.db``: its tables, how it is made and opened, and what its errors mean."""

import os
import secrets
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cauce.eventlog.moved import READ_MARKS, refuse_if_moved
from cauce.vocabulary.errors import BadSettings, CauceError, Conflict, Transient, Unsupported

FILE = "log.db"
FOLDER = "log"
"""Where the sealed files lie, within the space."""

_VERSION = 2
_PAGE_BYTES = 16_384
"""Of a new log. Committing many events costs a quarter less than with 4 KiB, committing a few no more."""

_CHECKPOINT_PAGES = 1_000
_CACHE_KIB = 16_384
_WAL_LIMIT_BYTES = 64 * 1024 * 1024

_TABLES = """
CREATE TABLE event (
    position INTEGER PRIMARY KEY,
    received INTEGER NOT NULL,
    time INTEGER NOT NULL,
    call TEXT NOT NULL,
    name TEXT NOT NULL,
    message_id TEXT NOT NULL,
    source TEXT NOT NULL,
    content BLOB NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE quarantine (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    received INTEGER NOT NULL,
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    body BLOB NOT NULL,
    call TEXT NOT NULL DEFAULT '',
    sent INTEGER,
    content BLOB NOT NULL DEFAULT x'',
    settled INTEGER,
    settlement TEXT
);
CREATE INDEX quarantine_by_reason ON quarantine (reason);
CREATE INDEX quarantine_by_content ON quarantine (content);
CREATE TABLE sealed (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    events INTEGER NOT NULL,
    last_received INTEGER NOT NULL,
    file TEXT NOT NULL,
    size INTEGER NOT NULL,
    checksum TEXT NOT NULL
);
CREATE TABLE sealed_statistics (file TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE fixed (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
# event.content is the content's fingerprint (8 bytes, big-endian), so that nobody need compute it twice;
# so is quarantine.content, empty where the reason is no repeat.
# fixed holds `seed` (of the fingerprints) and `tick` (the moment that was last promised).

_PASSING = {
    sqlite3.SQLITE_BUSY: "it is locked by another process",
    sqlite3.SQLITE_LOCKED: "it is locked by another connection",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_NOMEM: "memory is exhausted",
    sqlite3.SQLITE_INTERRUPT: "it was interrupted",
}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_FORBIDDEN = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}


def meaning(error: sqlite3.Error) -> CauceError:
    """The error of ours that says what an error of SQLite means here."""
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if primary in _PASSING:
        return Transient(
            f"The event log refused: {_PASSING[primary]}.", hint="Nothing was appended; try again."
        )
    if primary in _DAMAGED:
        return damaged(str(error))
    if primary in _FORBIDDEN:
        return BadSettings(
            f"The event log cannot be opened or written: {error}.",
            hint=f"Give this account read and write access to {FILE} and its folder.",
        )
    return CauceError(f"The event log failed: {error}.")


def damaged(how: str) -> Conflict:
    """The error for a log whose file is not what it was."""
    return Conflict(
        f"The event log is damaged: {how}.",
        hint=f"Restore {FILE} from a backup; sealed files in {FOLDER}/ are separate and stay as they are.",
        code="damaged_log",
    )


def is_busy(error: sqlite3.Error) -> bool:
    """Whether the error says that another connection holds the lock."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_BUSY


@contextmanager
def translated() -> Iterator[None]:
    """Raise SQLite's errors as ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise meaning(error) from error


def connect(path: Path, *, wait: float) -> sqlite3.Connection:
    """A connection to an existing log, in explicit transactions, fsync at every commit.

    ``wait`` is how many seconds SQLite itself waits for a lock.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=wait, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(space: Path) -> Path:
    """The path of the space's log, made if the space has none; raises if it is no log of ours.

    It is made under another name and linked when complete, so a ``log.db`` that
    is empty or half made is damage and never a beginning. SQLite itself notices
    a file that was cut off. Nothing but SQLite may open an existing ``log.db``:
    POSIX drops all of a process's locks on a file when any handle of it closes.
    """
    path = space / FILE
    if not path.exists():
        if any((space / FOLDER).glob("*.parquet")):
            raise damaged(f"{FILE} is missing but {FOLDER}/ holds sealed files")
        _create(path)
    if path.stat().st_size == 0:
        raise damaged(f"{FILE} is empty")
    with translated():
        connection = connect(path, wait=30)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        finally:
            connection.close()
    refuse_if_moved(marks_of_files(space), "SQLite files")
    if version != _VERSION:
        raise Unsupported(
            f"{FILE} has version {version}; this program reads version {_VERSION}.",
            hint="Use the release of Cauce that wrote it.",
        )
    return path


def marks_of_files(space: Path) -> dict[str, int]:
    """The marks of moves in a ``log.db``; none if there is no such file."""
    path = space / FILE
    if not path.exists():
        return {}
    with translated():
        connection = connect(path, wait=30)
        try:
            return dict(connection.execute(READ_MARKS).fetchall())
        finally:
            connection.close()


def _create(path: Path) -> None:
    handle, name = tempfile.mkstemp(prefix=f"{FILE}.", suffix=".new", dir=path.parent)
    os.close(handle)
    made = Path(name)
    try:
        with translated():
            connection = sqlite3.connect(made, isolation_level=None)
            connection.executescript(
                f"PRAGMA page_size = {_PAGE_BYTES}; PRAGMA journal_mode = WAL;"
                f"{_TABLES} PRAGMA user_version = {_VERSION};"
            )
            connection.execute("INSERT INTO fixed VALUES ('seed', ?)", (secrets.randbits(63),))
            connection.close()  # writes everything back: the file is complete without its WAL
        with made.open("rb") as file:
            os.fsync(file.fileno())
        try:
            path.hardlink_to(made)
        except FileExistsError:
            return  # another process was faster
        sync_folder(path.parent)
    finally:
        made.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
