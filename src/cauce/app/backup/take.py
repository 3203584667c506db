"""Taking a backup while the space is served."""

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from cauce.app.backup.manifest import Manifest, write_manifest
from cauce.app.backup.sqlite_copy import copy_database
from cauce.app.compose import Composition
from cauce.app.migrate.moving import copy_to_files, kept_at
from cauce.app.pipeline import LOG
from cauce.app.space import Space
from cauce.eventlog.database import sync_folder
from cauce.storage.settings import StoreSettings
from cauce.vocabulary.errors import Conflict, Transient
from cauce.vocabulary.moment import Clock, to_iso

Told = Callable[[str], None]
"""Is told what is being copied."""

_SEALING_SECONDS = 600.0
"""How long a backup waits for a sealing under way."""


def back_up(composition: Composition, target: Path, clock: Clock, told: Told = lambda _: None) -> Manifest:
    """Copy a space into a new folder, which appears under its name when it is complete.

    A space on PostgreSQL becomes one of SQLite files, and who writes to it waits
    meanwhile. Raises ``Conflict`` if the folder holds something or sealing does
    not end, and ``Transient`` if the disk is full.
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
        _copy(composition, Space(making), told)
        head, folded = _positions(making)
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


def _copy(composition: Composition, made: Space, told: Told) -> None:
    """Copy everything; nobody seals meanwhile, so that rows and sealed files belong together."""
    space = composition.space
    told("settings and definitions")
    for written in (space.settings, space.root / ".gitignore"):
        if written.exists():
            shutil.copy2(written, made.root / written.name)
    _keep_in_files(made.settings)
    for tree in (space.definitions, space.schemas):
        if tree.is_dir():
            shutil.copytree(tree, made.root / tree.name)
    made.sealed.mkdir()
    if not composition.has_log:
        _copy_stores(composition, made, told)
        return
    with (
        closing(composition.sealable()) as sealable,
        sealable.alone(wait_seconds=_SEALING_SECONDS),
    ):
        _copy_stores(composition, made, told)
        files = [one.file for one in sealable.ranges()]
        for name in files:
            _link_or_copy(space.sealed / name, made.sealed / name)
    for number, name in enumerate(files, 1):
        told(f"sealed file {number} of {len(files)}")
        _separate(made.sealed / name)


def _copy_stores(composition: Composition, made: Space, told: Told) -> None:
    """Copy state, then keys and definitions, then the log: what comes later may know more."""
    if composition.settings.store.url:
        copy_to_files(composition, made.root, lambda moved: told(str(moved)))
        return
    space = composition.space
    for store, copy in ((space.state, made.state), (space.control, made.control), (space.log, made.log)):
        if store.exists():
            told(store.name)
            copy_database(store.resolve(), copy)


def _keep_in_files(settings: Path) -> None:
    """Take the place in PostgreSQL out of the settings: a backup is a space of files."""
    lines = settings.read_text(encoding="utf-8").splitlines(keepends=True)
    within = False
    for number, line in enumerate(lines):
        within = line.startswith("store:") or (within and line.startswith((" ", "\t")))
        if within:
            lines[number] = f"# {line}"
    settings.write_text("".join(lines), encoding="utf-8")


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


def _positions(folder: Path) -> tuple[int, int]:
    """The positions of the copied log and of the copied state."""
    made = kept_at(Composition(folder), StoreSettings())
    head = folded = 0
    if made.has_log:
        with closing(made.log) as log:
            head = log.head()
    if made.has_state:
        with closing(made.state) as state, state.read() as reader:
            folded = reader.progress(LOG)
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
