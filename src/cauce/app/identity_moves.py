"""The change feed of identity: which identifier moved from which profile to which, read page by page."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import select

from cauce.app.compose import Composition
from cauce.app.rebuild.moves import NOBODY
from cauce.identity import records
from cauce.identity.naming import Names
from cauce.storage.records import Reader
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.identifier import Identifier, parse_identifier


class Move(NamedTuple):
    """An identifier came from one profile to another, because of what was folded up to a position.

    ``identifier`` is None if definitions in force since then know it no more.
    ``former`` is None for an identifier that was in no profile, ``present`` for one that is in none.
    """

    sequence: int
    view: str
    identifier: Identifier | None
    former: str | None
    present: str | None
    position: int


def read_moves(
    composition: Composition, *, after: int, limit: int, purpose: Purpose, viewer: Viewer
) -> Sequence[Move]:
    """Up to ``limit`` moves above a sequence number, in order.

    Raises ``NotAllowed`` if the viewer may not read for this purpose.
    """
    composition.access.require(viewer, "read", purpose)
    with composition.state.read() as reader:
        return moves_after(reader, after, limit)


def moves_after(reader: Reader, after: int, limit: int) -> list[Move]:
    """Up to ``limit`` moves above a sequence number, in order."""
    table = records.moves
    rows = reader.select(select(table).where(table.c.seq > after).order_by(table.c.seq).limit(limit))
    views = {row[0]: row[1] for row in reader.select(select(records.views.c.id, records.views.c.name))}
    keys = _keys(reader, {number for row in rows for number in row[2:5] if number is not None and number > 0})
    names = {view: Names(name) for view, name in views.items()}

    def profile(view: int, number: int | None) -> str | None:
        key = None if number is None or number == NOBODY else keys.get(number)
        return None if key is None else names[view].profile_id(key)

    return [
        Move(
            sequence, views[view], _identifier(keys, number), profile(view, old), profile(view, new), position
        )
        for sequence, view, number, old, new, position in rows
    ]


def _identifier(keys: Mapping[int, str], number: int) -> Identifier | None:
    key = keys.get(number)
    return None if key is None else parse_identifier(key)


def _keys(reader: Reader, numbers: Collection[int]) -> dict[int, str]:
    return {row[0]: row[2] for row in reader.rows(records.identifiers, "id", numbers)}
