"""Bringing a backup back: a whole space, or single sealed files of a space that goes on."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cauce.app.backup.manifest import Manifest, check, read_manifest
from cauce.app.backup.sqlite_copy import check_database
from cauce.app.space import Space
from cauce.eventlog.database import sync_folder
from cauce.eventlog.sealable import Range
from cauce.eventlog.sealed import verify
from cauce.vocabulary.errors import Conflict, Transient

Told = Callable[[str], None]


def restore(backup: Path, target: Path, told: Told = lambda _: None) -> Manifest:
    """Make a space of a backup; the backup stays as it is.

    Everything is checked before the space appears under its name. Raises
    ``NotFound`` if the folder is no backup, ``Conflict`` if it is damaged or the
    target holds something, and ``Transient`` if the disk is full.
    """
    manifest = read_manifest(backup)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Conflict(f"{target} exists and is not empty.", hint="Name a new folder.")
    for name in check(backup, manifest):
        told(f"checked {name}")
    making = target.with_name(f"{target.name}.partial")
    shutil.rmtree(making, ignore_errors=True)
    try:
        for name in manifest.files:
            told(f"copying {name}")
            (making / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(backup / name, making / name)
        for name in check(making, manifest):
            if name.endswith(".db"):
                check_database(making / name)
        if target.exists():
            target.rmdir()
        making.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise Transient(
            f"The space could not be written: {error.strerror}.", hint="Free disk space, and try again."
        ) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return manifest


class Mended(NamedTuple):
    """Sealed files by name: those brought back, and those that the backup does not have sound."""

    brought_back: list[str]
    still_missing: list[str]


def mend_sealed(space: Space, sealed: list[Range], source: Path, told: Told = lambda _: None) -> Mended:
    """Replace sealed files that are missing or damaged by those of a backup, or of any folder of files.

    A file is brought back only if it is byte for byte what was sealed. Raises
    ``Transient`` if the disk is full.
    """
    folders = [source / space.sealed.name, source]
    mended = Mended([], [])
    for range_ in sealed:
        told(f"looking at {range_.file}")
        if _is_sound(space.sealed / range_.file, range_):
            continue
        sound = next((f / range_.file for f in folders if _is_sound(f / range_.file, range_)), None)
        if sound is None:
            mended.still_missing.append(range_.file)
            continue
        try:
            _bring_back(sound, space.sealed / range_.file)
        except OSError as error:
            raise Transient(
                f"{range_.file} could not be written: {error.strerror}.",
                hint="Free disk space, and try again.",
            ) from error
        mended.brought_back.append(range_.file)
    return mended


def _is_sound(file: Path, range_: Range) -> bool:
    try:
        verify(file, range_)
    except Conflict:
        return False
    return True


def _bring_back(sound: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    making = target.with_name(f"_{target.name}.tmp")
    shutil.copyfile(sound, making)
    making.replace(target)
    sync_folder(target.parent)
