"""Copying SQLite files that are in use, each as of one moment."""

import sqlite3
from contextlib import closing
from pathlib import Path

from cauce.vocabulary.errors import Conflict, Transient

_WAIT_SECONDS = 30.0


def copy_database(source: Path, target: Path) -> None:
    """Copy a database as it is at one moment, while others write to it.

    All pages are copied within one read transaction: writers go on, and none of
    what they write meanwhile is in the copy. Raises ``Transient`` if the file
    stays locked or the disk is full, ``Conflict`` if the database is damaged.
    """
    uri = f"{source.absolute().as_uri()}?mode=rw"
    try:
        with (
            closing(sqlite3.connect(uri, uri=True, timeout=_WAIT_SECONDS)) as original,
            closing(sqlite3.connect(target)) as copy,
        ):
            original.backup(copy, pages=-1)
    except sqlite3.OperationalError as error:
        raise Transient(
            f"{source.name} could not be copied: {error}.", hint="Free disk space, and try again."
        ) from error
    except sqlite3.DatabaseError as error:
        raise damaged(source, str(error)) from error


def check_database(file: Path) -> None:
    """Raise ``Conflict`` (``damaged_store``) if SQLite finds the database damaged."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as opened:
            (found,) = opened.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise damaged(file, str(error)) from error
    if found != "ok":
        raise damaged(file, found)


def damaged(file: Path, how: str) -> Conflict:
    """The error for a database that is not sound."""
    return Conflict(f"{file.name} is damaged: {how}.", hint="Use another backup.", code="damaged_store")
