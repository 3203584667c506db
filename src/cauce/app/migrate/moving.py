"""A move: copy all, compare all, mark the source, let the target become valid, mark the source for good.

Until the last tables are compared nothing has changed anywhere: a kill leaves the source
as it was. Then the source is marked with the number of the move and takes no more events,
the target becomes valid in one step together with that number, and the source is marked
as left. A kill between these leaves a source that refuses to be served; the same command
given again sees by the number whether the target became valid, and ends the move or
begins anew.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Protocol

from cauce.app.compose import Composition, postgres_extra
from cauce.app.migrate.rows import Copied, Source, Told, copy, sums
from cauce.app.migrate.sqlite_side import SqlitePlace, make_files
from cauce.app.pipeline import ROUND
from cauce.app.process_lock import process_lock
from cauce.eventlog.moved import MOVED, MOVING, refuse_if_moved
from cauce.storage.records import progress
from cauce.storage.settings import StoreSettings
from cauce.vocabulary.errors import CauceError, Conflict, InvalidInput
from cauce.vocabulary.moment import Clock, Moment

_BITS = 62


class Place(Protocol):
    """Where a space can be: SQLite files, or a schema of PostgreSQL."""

    name: str

    def marks(self) -> Mapping[str, int]:
        """The marks of earlier moves."""

    def is_taken(self) -> bool:
        """Whether a space is here."""

    def held(self) -> AbstractContextManager[Any]:
        """The space as it is, while nobody can write to it: a ``Source``."""

    def receiving(self, number: int, *, discard: bool) -> AbstractContextManager[Any]:
        """A ``Target``, which becomes valid with the number of the move when the block ends well."""

    def mark_moving(self, held: Any, number: int) -> None:
        """Say that the space may be gone from now on, and take no event any more; ends the hold."""

    def mark_moved(self, now: Moment) -> None:
        """Say that the space is gone."""

    def unmark(self) -> None:
        """Say that the space never went."""

    def finish(self, number: int) -> bool:
        """Whether the move of that number has arrived here, after ending what it left to do."""

    def discard(self) -> None:
        """Remove what a move left that was cut short before."""


def migrate(
    composition: Composition, to: StoreSettings, *, clock: Clock, rng: Random, discard: bool, told: Told
) -> dict[str, Copied]:
    """Move a space to another engine; what was moved of each table, empty if an earlier move was ended.

    ``discard`` lets it come to a place that it, or another space, was moved away from.
    Raises ``Conflict`` if the space is in use, if it was moved away already, or if the
    place is taken; ``InvalidInput`` if it is there already.
    """
    here = composition.settings.store
    if bool(here.url) == bool(to.url):
        raise InvalidInput(
            f"The space is in {'PostgreSQL' if here.url else 'SQLite files'} already.",
            hint="`cauce migrate` moves from SQLite files to PostgreSQL or back; within PostgreSQL, "
            "use pg_dump.",
        )
    source, target = _place(composition, here), _place(composition, to)
    with _alone(composition):
        if MOVING in (marks := source.marks()):
            if target.finish(marks[MOVING]):
                source.mark_moved(clock())
                return {}
            source.unmark()
            marks = {}
        refuse_if_moved(marks, source.name)
        _refuse_if_taken(target, discard=discard)
        target.discard()
        return _moved(composition, source, target, clock, rng, discard=discard, told=told)


def _moved(
    composition: Composition,
    source: Place,
    target: Place,
    clock: Clock,
    rng: Random,
    *,
    discard: bool,
    told: Told,
) -> dict[str, Copied]:
    number = rng.getrandbits(_BITS)
    _make_what_is_missing(kept_at(composition, composition.settings.store))
    with (
        closing(composition.sealable()) as sealing,
        sealing.alone(),
        source.held() as held,
        target.receiving(number, discard=discard) as taken,
    ):
        _refuse_within_a_round(held)
        found = copy(held, taken, told)
        _compare(found, sums(taken))
        source.mark_moving(held, number)
    if not target.finish(number):
        raise CauceError(f"The move to {target.name} did not arrive.", hint="Give the command again.")
    source.mark_moved(clock())
    return found


def copy_to_files(composition: Composition, folder: Path, told: Told) -> dict[str, Copied]:
    """Copy a space on PostgreSQL into new SQLite files in a folder, as of one moment; the space stays.

    Who writes to it waits meanwhile.
    """
    source = _place(composition, composition.settings.store)
    with source.held() as held, make_files(folder) as files:
        found = copy(held, files, told)
        _compare(found, sums(files))
    return found


def _place(composition: Composition, store: StoreSettings) -> Place:
    if not store.url:
        return SqlitePlace(composition.space)
    with postgres_extra():
        from cauce.app.migrate.postgres_side import PostgresPlace  # noqa: PLC0415  an extra
    return PostgresPlace(kept_at(composition, store))


def kept_at(composition: Composition, store: StoreSettings) -> Composition:
    """The space with its stores at a place, none of them open yet."""
    kept = Composition(composition.space.root)
    settings = replace(composition.settings, store=store)
    kept.__dict__["loaded"] = composition.loaded._replace(settings=settings)
    return kept


def _make_what_is_missing(composition: Composition) -> None:
    """A space that was never served has no log and no state yet."""
    with closing(composition.log) as log, closing(composition.control), closing(composition.state):
        log.head()


@contextmanager
def _alone(composition: Composition) -> Iterator[None]:
    space = composition.space
    with process_lock(space.serve_lock, "served"), process_lock(space.worker_lock, "folded"):
        yield


def _refuse_if_taken(target: Place, *, discard: bool) -> None:
    if not target.is_taken():
        return
    if MOVED not in target.marks():
        raise Conflict(
            f"There is a space in {target.name} already.",
            hint="Name another schema, or move that one away.",
            code="place_taken",
        )
    if not discard:
        raise Conflict(
            f"In {target.name} there is what a move left there.",
            hint="With --replace it is removed.",
            code="place_taken",
        )


def _refuse_within_a_round(held: Source) -> None:
    """Raise ``Conflict`` if workers of PostgreSQL were stopped in the middle of what they fold together."""
    for lot in held.rows("state", progress):
        if any(name == ROUND and value > 0 for name, value in lot):
            raise Conflict(
                "The workers were stopped in the middle of a round of folding.",
                hint="Serve the space until they have caught up, stop, and give the command again.",
                code="round_open",
            )


def _compare(read: Mapping[str, Copied], written: Mapping[str, Copied]) -> None:
    """Raise ``CauceError`` unless both places hold the same rows."""
    unequal = sorted(name for name in read if read[name] != written[name])
    if unequal:
        raise CauceError(
            f"The copy is not what it was made from: {', '.join(unequal)}.",
            hint="Nothing was changed. Please report this with the versions of both engines.",
            code="unequal_copy",
        )
