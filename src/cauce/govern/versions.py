"""Versions: the definitions that were applied, each kept forever with when, who and why.

A version's rows are written in one transaction of the control store, so a kill at any
moment leaves the version before or the new one, whole. Contents are kept once by
their hash, however many versions hold them.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import func, select

from cauce.govern.records import definition, definition_content, definition_plan, definition_version
from cauce.storage.records import Reader, Records, Row, Transaction
from cauce.vocabulary.access import Viewer
from cauce.vocabulary.definitions import Definitions
from cauce.vocabulary.definitions.canonical import Contents, Key, hash_of, hash_of_all, read_contents
from cauce.vocabulary.errors import Conflict, NotFound
from cauce.vocabulary.moment import Moment


class Version(NamedTuple):
    """What was applied, when, by whom and why; versions count from 1.

    ``hash`` names all its definitions together. ``again`` is the earlier version
    whose definitions were brought back, if it was a rollback.
    """

    number: int
    at: Moment
    viewer: str
    note: str
    hash: str
    again: int | None


class Planned(NamedTuple):
    """A plan that was made: over the state at a position, from a version to definitions with a hash."""

    position: int
    base: int
    hash: str
    at: Moment


class Versions:
    """Reads and adds the versions of a space."""

    def __init__(self, control: Records) -> None:
        self._control = control

    def latest(self) -> int:
        """The number of the version that is applied; 0 if none ever was."""
        with self._control.read() as reader:
            return _latest(reader)

    def all(self) -> list[Version]:
        """Every version, oldest first."""
        ordered = select(definition_version).order_by(definition_version.c.number)
        with self._control.read() as reader:
            return [Version(*row) for row in reader.select(ordered)]

    def version(self, number: int) -> Version:
        """One version; raises ``NotFound``."""
        with self._control.read() as reader:
            return _version(reader, number)

    def contents(self, number: int) -> dict[Key, str]:
        """The definitions of a version; raises ``NotFound``. Number 0, before the first, has none."""
        if number == 0:
            return {}
        with self._control.read() as reader:
            _version(reader, number)
            return _contents(reader, number)

    def definitions(self, number: int) -> Definitions:
        """The definitions of a version, decoded; raises ``NotFound``."""
        return read_contents(self.contents(number))

    def add(
        self,
        kept: Contents,
        *,
        base: int,
        now: Moment,
        viewer: Viewer,
        note: str = "",
        again: int | None = None,
    ) -> Version | None:
        """Apply definitions over the version ``base``; None if it has the same ones.

        Raises ``Conflict`` if another version was applied since ``base``.
        """
        with self._control.write() as transaction:
            latest = _latest(transaction)
            if latest != base:
                raise _moved_on(base, _version(transaction, latest))
            whole = hash_of_all(kept)
            if latest and _version(transaction, latest).hash == whole:
                return None
            version = Version(latest + 1, now, viewer.name, note, whole, again)
            _store(transaction, version, kept)
        return version

    def note_plan(self, plan: Planned, *, older_than: Moment) -> None:
        """Keep what a plan was made of, and forget those made before ``older_than``."""
        with self._control.write() as transaction:
            rows = transaction.select(select(definition_plan))
            stale = [row[0] for row in rows if row[4] < older_than]
            transaction.remove(definition_plan, "number", stale)
            number = max((row[0] for row in rows), default=0) + 1
            transaction.put(definition_plan, [(number, *plan)])

    def plans(self, position: int) -> list[Planned]:
        """The plans made over the state at a position, newest first."""
        wanted = select(definition_plan).where(definition_plan.c.position == position)
        with self._control.read() as reader:
            rows = reader.select(wanted.order_by(definition_plan.c.number.desc()))
        return [Planned(*row[1:]) for row in rows]


def _latest(reader: Reader) -> int:
    return int(reader.select(select(func.coalesce(func.max(definition_version.c.number), 0)))[0][0])


def _version(reader: Reader, number: int) -> Version:
    found = reader.rows(definition_version, "number", [number])
    if not found:
        raise NotFound(f"There is no version {number}.", hint="`cauce history` lists the versions.")
    return Version(*found[0])


def _contents(reader: Reader, number: int) -> dict[Key, str]:
    rows = reader.rows(definition, "version", [number])
    texts: dict[str, str] = dict(reader.rows(definition_content, "hash", _hashes(rows)))
    return {Key(kind, name): texts[hashed] for _, kind, name, hashed in sorted(rows)}


def _hashes(rows: Iterable[Row]) -> list[str]:
    return sorted({row[3] for row in rows})


def _store(transaction: Transaction, version: Version, kept: Contents) -> None:
    hashes = {key: hash_of(text) for key, text in kept.items()}
    transaction.put(definition_content, [(hashes[key], text) for key, text in sorted(kept.items())])
    transaction.put(definition, [(version.number, *key, hashes[key]) for key in sorted(kept)])
    transaction.put(definition_version, [tuple(version)])


def _moved_on(base: int, latest: Version) -> Conflict:
    return Conflict(
        f"Version {latest.number} was applied by {latest.viewer} since version {base}.",
        hint="Look with `cauce history`, then plan anew with `cauce plan`.",
        code="version_moved_on",
    )
