"""The change feed over a swap: what it moves, in the numbers of the rebuilt state.

Every identifier that is in another profile after a swap gets a row of ``identity_move``,
so that the feed from its first row on gives the people of the state in force. Where
identifiers have other numbers in the rebuilt state, what feeds said before is rewritten;
an identifier that is no more keeps a negative number of its own.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Table, func, select

from cauce.app.pipeline import LOG
from cauce.identity import records as identity
from cauce.identity.session import MOVES
from cauce.segment.records import membership_change
from cauce.storage.records import Reader, Transaction

NOBODY = 0
"""The profile that an identifier comes to which is in none any more."""

_CHUNK = 5_000


class Moved(NamedTuple):
    """An identifier of a view that is in another profile in the rebuilt state; None: in none."""

    view: int
    identifier: int
    old: int | None
    new: int | None


class Feeds(NamedTuple):
    """What a swap does to the feeds: what moved, and new numbers by old ones if there are any."""

    moved: Iterable[Moved]
    numbers: Mapping[int, int] | None

    def write(self, transaction: Transaction) -> None:
        """Bring the feeds that were carried over to the state they are now beside."""
        below = 0
        if self.numbers is not None:
            below = _least(transaction)
            for table, columns in _NUMBERED.items():
                _renumber(transaction, table, columns, _apart(self.numbers, below))
        _add(transaction, self.moved, below)


_NUMBERED = {
    identity.moves: (identity.moves.c.identifier, identity.moves.c.old, identity.moves.c.new),
    membership_change: (membership_change.c.profile,),
}
"""The columns of feeds that hold numbers of identifiers."""


def _least(reader: Reader) -> int:
    """The least number that a feed gives to an identifier that is no more; 0 if there is none."""
    least = reader.select(select(func.min(identity.moves.c.identifier)))[0][0]
    return min(least or 0, 0)


def _apart(numbers: Mapping[int, int], below: int) -> dict[int, int]:
    """The numbers, the negative ones below all that feeds have already."""
    return {old: new if new > 0 else new + below for old, new in numbers.items()}


def _renumber(
    transaction: Transaction, table: Table, columns: Iterable[object], numbers: Mapping[int, int]
) -> None:
    (key,) = table.primary_key
    names = list(table.columns)
    places = [place for place, column in enumerate(names) if any(column is one for one in columns)]
    reached = 0
    while True:
        found = transaction.select(select(table).where(key > reached).order_by(key).limit(_CHUNK))
        if not found:
            return
        rows = [list(row) for row in found]
        for row in rows:
            for place in places:
                row[place] = numbers.get(row[place], row[place])
        transaction.put(table, [tuple(row) for row in rows])
        reached = rows[-1][0]


def _add(transaction: Transaction, moved: Iterable[Moved], below: int) -> None:
    """Add the moves of a swap, which happens at the position that the state has reached."""
    position, sequence = transaction.progress(LOG), transaction.progress(MOVES)
    remaining = iter(moved)
    while chunk := list(islice(remaining, _CHUNK)):
        rows = [
            (
                number,
                one.view,
                _below(one.identifier, below),
                _below(one.old, below),
                one.new or NOBODY,
                position,
            )
            for number, one in enumerate(chunk, sequence + 1)
        ]
        transaction.put(identity.moves, rows)
        sequence += len(rows)
    transaction.advance(MOVES, sequence)


def _below(number: int | None, below: int) -> int | None:
    return number + below if number is not None and number < 0 else number
