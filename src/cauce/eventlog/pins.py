"""Pins: hard links by which a reader keeps sealed files while compaction replaces them.

A reader links the files it wants into a folder of its own and reads them there;
the sealer deletes originals at once, and the disk keeps what a link names. A
locked file beside the folder says that the reader lives, so that the pins of
killed readers are found and removed.
"""

import fcntl
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

FOLDER = ".pinned"
_LOCK = ".lock"


@contextmanager
def pinned(folder: Path, names: Iterable[str]) -> Iterator[list[Path]]:
    """Paths under which these files of a folder stay readable, in the same order.

    Raises ``FileNotFoundError`` if one is gone already. Where the file system has
    no hard links, the paths are those of the files themselves.
    """
    names = list(names)
    if not names:
        yield []
        return
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    own, lock = _own_folder(place)
    try:
        yield [_linked(folder / name, own / name) for name in names]
    finally:
        shutil.rmtree(own, ignore_errors=True)
        own.with_suffix(_LOCK).unlink(missing_ok=True)
        lock.close()


def _own_folder(place: Path) -> tuple[Path, IO[str]]:
    """A new folder, whose lock is held before it exists."""
    while True:
        own = place / uuid4().hex
        lock = own.with_suffix(_LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_SH)
        if own.with_suffix(_LOCK).exists():  # else a sealer took it for abandoned in between
            own.mkdir()
            return own, lock
        lock.close()


def _linked(file: Path, pin: Path) -> Path:
    try:
        pin.hardlink_to(file)
    except FileNotFoundError:
        raise
    except OSError:
        return file
    return pin


def release_abandoned(folder: Path) -> None:
    """Remove the pins of readers that are gone."""
    place = folder / FOLDER
    if not place.is_dir():
        return
    for path in place.glob(f"*{_LOCK}"):
        try:
            with path.open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path.with_suffix(""), ignore_errors=True)
                path.unlink(missing_ok=True)
        except (FileNotFoundError, BlockingIOError):
            continue  # the reader has ended by itself, or lives
