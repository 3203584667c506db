"""The file of candidates: people whom the view has apart, and who may be one.

Derived data of a space, written by ``cauce identity candidates``. Pairs are kept by
identifiers, so that profiles that merge or split since keep their candidates, and two
that became one lose them.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from cauce.identity.service import Identity
from cauce.storage.records import Reader
from cauce.vocabulary.identifier import parse_identifier
from cauce.vocabulary.profile import ProfileKey


class CandidatePair(NamedTuple):
    """The anchors of two profiles, and the log2 of the odds that they are one person.

    ``steps`` are what added up to it: the name of each comparison, its outcome and its weight.
    """

    one: str
    other: str
    weight: float
    steps: list[tuple[str, str, float]] = []


class Kept(msgspec.Struct, frozen=True):
    """What the file holds: the version of the model, and the pairs."""

    model: str
    pairs: list[CandidatePair]


def keep(path: Path, kept: Kept) -> None:
    """Write the file, whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    arriving = path.with_suffix(".arriving")
    arriving.write_bytes(msgspec.json.encode(kept))
    arriving.chmod(0o600)
    arriving.replace(path)


def kept_in(path: Path) -> Kept | None:
    """What the file holds; None if nobody looked for candidates yet."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except FileNotFoundError:
        return None


class CandidateFile:
    """Reads the file, again whenever it was written anew; a ``Doubts`` for segments."""

    def __init__(self, path: Path, identity: Identity) -> None:
        self._path = path
        self._identity = identity
        self._read: tuple[int, int] | None = None
        self._beside: dict[str, list[tuple[float, str]]] = {}

    def candidates(self, reader: Reader, profile: ProfileKey) -> Sequence[ProfileKey] | None:
        """The profiles that may be the same person as this one, likeliest first; None without a file."""
        if not self._refresh():
            return None
        described = self._identity.describe(reader, [profile]).get(profile)
        own = [] if described is None else described.identifiers
        beside = sorted(
            (pair for one in own for pair in self._beside.get(str(one), ())), key=lambda pair: -pair[0]
        )
        found = dict.fromkeys(self._profiles(reader, (other for _, other in beside)))
        return [other for other in found if other != profile]

    def everybody(self, reader: Reader) -> Sequence[ProfileKey] | None:
        """The profiles that have candidates, ascending; None without a file."""
        return sorted(set(self._profiles(reader, list(self._beside)))) if self._refresh() else None

    def _profiles(self, reader: Reader, identifiers: Iterable[str]) -> Iterable[ProfileKey]:
        for text in identifiers:
            identifier = parse_identifier(text)
            profile = None if identifier is None else self._identity.find(reader, identifier)
            if profile is not None:
                yield profile

    def _refresh(self) -> bool:
        """Whether there is a file; what it holds is read if it is another than before."""
        try:
            stat = self._path.stat()
            if self._read != (stat.st_mtime_ns, stat.st_ino):
                kept = msgspec.json.decode(self._path.read_bytes(), type=Kept)
                self._beside = {}
                for one, other, weight, _ in kept.pairs:
                    self._beside.setdefault(one, []).append((weight, other))
                    self._beside.setdefault(other, []).append((weight, one))
                self._read = (stat.st_mtime_ns, stat.st_ino)
        except FileNotFoundError:
            return False
        return True
