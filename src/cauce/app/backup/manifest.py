"""The manifest of a backup: which files it has, how large, and with which checksums."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import xxhash

from cauce.vocabulary.errors import Conflict, NotFound

FILE = "backup.json"
_VERSION = 1
_PIECE = 1 << 20


class Copied(msgspec.Struct, frozen=True):
    """A file of a backup: its bytes, and their XXH3 checksum (64 bits, hexadecimal)."""

    size: int
    checksum: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is: ``head`` and ``folded`` are positions of its log and its state."""

    version: int
    cauce: str
    taken: str
    head: int
    folded: int
    files: dict[str, Copied]

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(one.size for one in self.files.values())


def measured(file: Path) -> Copied:
    """The size and the checksum of a file."""
    checksum = xxhash.xxh3_64()
    size = 0
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            checksum.update(piece)
            size += len(piece)
    return Copied(size, checksum.hexdigest())


def write_manifest(folder: Path, *, cauce: str, taken: str, head: int, folded: int) -> Manifest:
    """Measure every file in the folder, and write what was found beside them."""
    files = {str(file.relative_to(folder)): measured(file) for file in _files(folder)}
    manifest = Manifest(version=_VERSION, cauce=cauce, taken=taken, head=head, folded=folded, files=files)
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / FILE).write_bytes(text + b"\n")
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup; raises ``NotFound`` if there is none, ``Conflict`` if it is damaged."""
    try:
        manifest = msgspec.json.decode((folder / FILE).read_bytes(), type=Manifest)
    except OSError as error:
        raise NotFound(
            f"{folder} is no backup: it has no {FILE}.", hint="Make one with `cauce backup DIR`."
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _damaged(f"{FILE} cannot be read") from error
    if manifest.version != _VERSION:
        raise Conflict(
            f"The backup was made by Cauce {manifest.cauce}, in a form that this version does not read.",
            hint="Restore it with that version.",
            code="other_version",
        )
    return manifest


def check(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Look at every file; yields each name once it is found whole.

    Raises ``Conflict`` (``damaged_backup``) naming the first file that is not.
    """
    for name, was in manifest.files.items():
        file = folder / name
        try:
            now = measured(file)
        except OSError as error:
            raise _damaged(f"{name} cannot be read ({error.strerror})") from error
        if now != was:
            raise _damaged(f"{name} is not what was copied")
        yield name


def _damaged(how: str) -> Conflict:
    return Conflict(f"The backup is damaged: {how}.", hint="Use another backup.", code="damaged_backup")


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file() and file.name != FILE)
