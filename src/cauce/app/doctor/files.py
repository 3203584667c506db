"""What the doctor looks at on the disk: the folder, its space, its durability, the editors' schemas."""

import os
import shlex
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from cauce.app.doctor.findings import Finding, error, fine, warning
from cauce.app.schemas import schema_files
from cauce.app.space import Space

_PYTHON = (3, 11)
_SQLITE = (3, 37, 0)
"""STRICT tables and everything that the engines use (sqlite.org/changes.html)."""

_GIB = 1 << 30
_LITTLE, _TOO_LITTLE = 5 * _GIB, _GIB // 4
_SLOW_SYNC_SECONDS = 0.1
_SYNCS = 5


def versions() -> Finding:
    """Python and SQLite are new enough."""
    found = f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    if sys.version_info < _PYTHON or sqlite3.sqlite_version_info < _SQLITE:
        needed = ".".join(map(str, _SQLITE))
        return error("versions", found, f"Use Python 3.11 or newer, built with SQLite {needed} or newer.")
    return fine("versions", found)


def privacy(space: Space) -> Finding:
    """Other users of the machine cannot read the stores."""
    stores = [file for file in (space.control, space.state, space.log) if file.exists()]
    if space.root.stat().st_mode & 0o005 and any(file.stat().st_mode & 0o004 for file in stores):
        return warning(
            "privacy",
            "Every user of this machine can read the stores, which hold personal data.",
            f"chmod 700 {shlex.quote(str(space.root))}",
        )
    return fine("privacy", "Other users of this machine cannot read the stores.")


def disk_space(space: Space) -> Finding:
    """There is room to write."""
    free = shutil.disk_usage(space.root).free
    message = f"{free / _GIB:.1f} GiB are free."
    advice = "Free disk space; events are refused with 503 when the disk is full, none is lost."
    if free < _TOO_LITTLE:
        return error("disk", message, advice)
    return warning("disk", message, advice) if free < _LITTLE else fine("disk", message)


def durability(space: Space) -> Finding:
    """What is written reaches the disk, and how fast."""
    try:
        with tempfile.TemporaryFile(dir=space.root) as file:
            seconds = sorted(_sync(file.fileno()) for _ in range(_SYNCS))[_SYNCS // 2]
    except OSError as failed:
        return error(
            "durability",
            f"The folder cannot be written durably: {failed.strerror}.",
            "Use a local disk that this user can write.",
        )
    message = f"A write reaches the disk in {seconds * 1_000:.1f} ms."
    if seconds > _SLOW_SYNC_SECONDS:
        return warning("durability", message, "Use a faster or local disk: each acceptance waits for it.")
    return fine("durability", message)


def _sync(descriptor: int) -> float:
    os.write(descriptor, bytes(4_096))
    started = perf_counter()
    os.fsync(descriptor)
    return perf_counter() - started


def schemas(space: Space) -> Finding:
    """The schemas that editors read are of this version."""
    stale = [name for name, text in schema_files().items() if _text(space.schemas / name) != text]
    if stale:
        return warning(
            "schemas",
            f"{', '.join(stale)} in {space.schemas.name} are missing or of another version.",
            f"cauce definitions schemas {space.option}",
        )
    return fine("schemas", "The schemas for editors are of this version.")


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""
