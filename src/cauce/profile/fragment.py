"""Fragments: what the events of one signature asserted about traits.

A fragment holds, for each trait and source, the first assertion and the newest
assertion of each of the last few distinct values. Both are extremes of a total
order (time, received, message id), so the order of arrival changes nothing.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from cauce.vocabulary.event import Event
from cauce.vocabulary.exact import decode_json, encode_json
from cauce.vocabulary.moment import Moment

KEPT_VALUES = 5
"""Distinct values kept for each trait and source of a signature, newest first."""


class Assertion(NamedTuple):
    """Some event said that a trait has a value; None means that it has none."""

    time: Moment
    received: Moment
    message_id: str
    source: str
    value: Any

    @property
    def order(self) -> tuple[int, int, str]:
        """The total order of assertions."""
        return self[:3]


class Cell(msgspec.Struct, array_like=True):
    """The assertions of one trait by one source: ``newest`` first, and the ``first`` value ever.

    An assertion is kept as ``[time, received, message id, value]``; ``first`` is
    None as long as only null was asserted.
    """

    first: list[Any] | None
    newest: list[list[Any]]


Fragment = dict[str, dict[str, Cell]]
"""Trait → source → cell."""


def assert_traits(fragment: Fragment, event: Event) -> set[str]:
    """Fold an identify event into its signature's fragment; the traits it touched."""
    touched = set()
    for trait, value in event.traits.items():
        assertion = [event.time, event.received, event.message_id, value]
        cells = fragment.setdefault(trait, {})
        cell = cells.get(event.source)
        if cell is None:
            cells[event.source] = Cell(first=_first(None, assertion), newest=[assertion])
            touched.add(trait)
        elif _place(cell, assertion):
            touched.add(trait)
    return touched


def _place(cell: Cell, assertion: list[Any]) -> bool:
    order = assertion[:3]
    first = _first(cell.first, assertion)
    changed = first is not cell.first
    cell.first = first
    for index, kept in enumerate(cell.newest):
        if _same(kept[3], assertion[3]):
            if order <= kept[:3]:
                return changed
            del cell.newest[index]
            break
    cell.newest.append(assertion)
    cell.newest.sort(key=_order, reverse=True)
    dropped = cell.newest[KEPT_VALUES:]
    del cell.newest[KEPT_VALUES:]
    return changed or not any(one is assertion for one in dropped)


def _first(known: list[Any] | None, assertion: list[Any]) -> list[Any] | None:
    if assertion[3] is None or (known is not None and known[:3] <= assertion[:3]):
        return known
    return assertion


def _order(kept: list[Any]) -> list[Any]:
    return kept[:3]


def _same(one: object, other: object) -> bool:
    """Equal and of one kind: JSON's ``1`` and ``true`` are two values, and so are texts and numbers."""
    return one == other and (one is other or encode_json(one) == encode_json(other))


def assertions(fragments: list[Fragment], trait: str) -> Iterator[Assertion]:
    """Every kept assertion of a trait, in no particular order; the first may appear twice."""
    for fragment in fragments:
        for source, cell in fragment.get(trait, {}).items():
            kept = cell.newest if cell.first is None else [cell.first, *cell.newest]
            for time, received, message_id, value in kept:
                yield Assertion(time, received, message_id, source, value)


def encode(fragment: Fragment) -> str:
    """A fragment as JSON text; traits and sources in the order of their names."""
    ordered = {trait: dict(sorted(fragment[trait].items())) for trait in sorted(fragment)}
    return encode_json(ordered).decode()


def decode(text: str) -> Fragment:
    """The fragment of a JSON text."""
    raw: Any = decode_json(text)
    return {
        trait: {source: Cell(first=cell[0], newest=cell[1]) for source, cell in cells.items()}
        for trait, cells in raw.items()
    }
