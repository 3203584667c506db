"""The revisions of a space's stores: found, brought to the newest, or back to an older one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection, select

from cauce.app.compose import Composition
from cauce.app.pipeline import ROUND
from cauce.app.process_lock import process_lock
from cauce.storage.migrations.run import BASE, found_revision, migrate
from cauce.storage.records import progress
from cauce.storage.revisions import NEWEST
from cauce.vocabulary.errors import Conflict


class Changed(NamedTuple):
    """A store that was brought from one revision to another."""

    store: str
    before: str
    after: str


def stored_revisions(composition: Composition) -> dict[str, str]:
    """The revision of each store that the space has."""
    found = {}
    for store in NEWEST:
        with composition.altered(store) as connection:
            revision = BASE if connection is None else found_revision(connection, store)
        if revision != BASE:
            found[store] = revision
    return found


def upgrade(composition: Composition) -> list[Changed]:
    """Bring every store to the newest revision; what was changed.

    Raises ``Conflict`` if the space is in use or a newer version made a store.
    """
    return _change(composition, NEWEST)


def downgrade(composition: Composition, target: str) -> list[Changed]:
    """Bring every store back to a revision.

    Raises ``Conflict`` if the space is in use, or was left while workers folded a round.
    """
    return _change(composition, dict.fromkeys(NEWEST, target))


def _change(composition: Composition, targets: dict[str, str]) -> list[Changed]:
    changed = []
    with _alone(composition):
        for store, target in targets.items():
            with composition.altered(store) as connection:
                if connection is None or (found := found_revision(connection, store)) in (BASE, target):
                    continue
                if found > NEWEST[store]:
                    raise Conflict(
                        f"The {store} store was made by another version of Cauce: its revision is {found}, "
                        f"this version knows {NEWEST[store]}.",
                        hint="Use that version.",
                        code="other_version",
                    )
                if found > target and store == "state":
                    _require_no_round(connection)
                migrate(connection, store, found, target)
                changed.append(Changed(store, found, target))
    return changed


def _require_no_round(connection: Connection) -> None:
    """Raise ``Conflict`` if workers stopped in a round: an older version would fold its events again."""
    if connection.execute(select(progress).where(progress.c.name == ROUND)).first() is not None:
        raise Conflict(
            "Workers were stopped in the middle of a round.",
            hint="Start `cauce serve` once with this version: it finishes the round.",
            code="open_round",
        )


@contextmanager
def _alone(composition: Composition) -> Iterator[None]:
    """Keep `cauce serve` and its worker off this space meanwhile."""
    space = composition.space
    with process_lock(space.serve_lock, "served"), process_lock(space.worker_lock, "folded"):
        yield
