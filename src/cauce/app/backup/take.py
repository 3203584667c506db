"""Taking a backup while the space is served."""

import os
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from cauce.app.backup.manifest import Manifest, write_manifest
from cauce.app.backup.sqlite_copy import copy_database
from cauce.app.pipeline import LOG
from cauce.app.space import Space
from cauce.eventlog.database import sync_folder
from cauce.eventlog.sqlite import SqliteLog
from cauce.eventlog.sqlite_sealing import SqliteSealable
from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.errors import Conflict, Transient
from cauce.vocabulary.moment import Clock, to_iso

Told = Callable[[str], None]
"""Is told what is being copied."""

_SEALING_SECONDS = 600.0
"""How long a backup waits for a sealing under way."""


def back_up(space: Space, target: Path, clock: Clock, told: Told = lambda _: None) -> Manifest:
    """Copy a space into a new folder, which appears under its name when it is complete.

    Raises ``Conflict`` if the folder holds something or sealing does not end,
    and ``Transient`` if the disk is full.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Conflict(f"{target} exists and is not empty.", hint="Name a new folder for each backup.")
    making = target.with_name(f"{target.name}.partial")
    if making.exists():
        raise Conflict(
            f"{making} is there: another backup is being taken, or one was interrupted.",
            hint="Wait for it, or remove that folder.",
        )
    try:
        making.mkdir(mode=0o700, parents=True)
        head, folded = _copy(space, making, told)
        manifest = write_manifest(
            making, cauce=version("cauce"), taken=to_iso(clock()), head=head, folded=folded
        )
        _make_durable(making)
        if target.exists():
            target.rmdir()
        making.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise Transient(
            f"The backup could not be written: {error.strerror}.", hint="Free disk space, and try again."
        ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return manifest


def _copy(space: Space, folder: Path, told: Told) -> tuple[int, int]:
    """Copy everything; the positions of the log and of the state."""
    made = Space(folder)
    told("settings and definitions")
    for written in (space.settings, space.root / ".gitignore"):
        if written.exists():
            shutil.copy2(written, folder / written.name)
    for tree in (space.definitions, space.schemas):
        if tree.is_dir():
            shutil.copytree(tree, folder / tree.name)
    if space.state.exists():
        told("state")
        copy_database(space.state.resolve(), made.state)
    if space.control.exists():
        told("control")
        copy_database(space.control, made.control)
    if space.log.exists():
        told("log")
        _copy_log(space, made, told)
    return _positions(made)


def _copy_log(space: Space, made: Space, told: Told) -> None:
    """Copy the hot rows and the sealed files that belong to them: nobody seals in between."""
    sealable = SqliteSealable(space.root)
    try:
        with sealable.alone(wait_seconds=_SEALING_SECONDS):
            copy_database(space.log, made.log)
            files = [one.file for one in sealable.ranges()]
            made.sealed.mkdir()
            for name in files:
                _link_or_copy(space.sealed / name, made.sealed / name)
    finally:
        sealable.close()
    for number, name in enumerate(files, 1):
        told(f"sealed file {number} of {len(files)}")
        _separate(made.sealed / name)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except FileNotFoundError as error:
        raise Conflict(
            f"The sealed file {source.name} is missing.",
            hint="Bring it back from an earlier backup: `cauce log repair --from BACKUP`.",
            code="damaged_log",
        ) from error
    except OSError:  # another disk
        shutil.copyfile(source, target)


def _separate(file: Path) -> None:
    """Give the backup bytes of its own: what damages the original must not reach the copy."""
    if file.stat().st_nlink > 1:
        copy = file.with_name(f"_{file.name}.tmp")
        shutil.copyfile(file, copy)
        copy.replace(file)


def _positions(made: Space) -> tuple[int, int]:
    head = folded = 0
    if made.log.exists():
        log = SqliteLog(made.root)
        head = log.head()
        log.close()
    if made.state.exists():
        state = SqliteRecords(made.state, STATE)
        with state.read() as reader:
            folded = reader.progress(LOG)
        state.close()
    return head, folded


def _make_durable(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        else:
            sync_folder(path)
    sync_folder(folder)
