"""Fragments: what the events of one signature asserted about traits.

A fragment holds, for each trait and source, the first assertion and the newest
assertion of each of the last few distinct values. Both are extremes of a total
order (time, received, message id), so the order of arrival changes nothing.
Traits whose survivorship needs more keep more (``kept.py``).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from cauce.profile.kept import Keep, Kept, empty, keep
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
    None as long as only null was asserted. ``kept`` is there if the trait's
    survivorship asks for it.
    """

    first: list[Any] | None
    newest: list[list[Any]]
    kept: Kept | None = None


Fragment = dict[str, dict[str, Cell]]
"""Trait → source → cell."""

Keeps = Mapping[str, Keep]
"""What cells keep beyond the newest values, for the traits whose survivorship asks for it."""


def assert_traits(fragment: Fragment, event: Event, keeps: Keeps) -> set[str]:
    """Fold the traits that an event asserts into a fragment; the traits it touched."""
    touched = set()
    for trait, value in event.traits.items():
        assertion = [event.time, event.received, event.message_id, value]
        cells = fragment.setdefault(trait, {})
        cell = cells.get(event.source)
        if cell is None:
            cell = cells[event.source] = Cell(first=_first(None, assertion), newest=[assertion])
            touched.add(trait)
        elif _place(cell, assertion):
            touched.add(trait)
        how = keeps.get(trait)
        if how is not None:
            if cell.kept is None:
                cell.kept = empty()
            if keep(cell.kept, how, assertion):
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


def assertions(fragments: Iterable[Fragment], trait: str) -> Iterator[Assertion]:
    """Every kept assertion of a trait, in no particular order; the first may appear twice."""
    for fragment in fragments:
        for source, cell in fragment.get(trait, {}).items():
            kept = cell.newest if cell.first is None else [cell.first, *cell.newest]
            for time, received, message_id, value in kept:
                yield Assertion(time, received, message_id, source, value)


def encode(fragment: Fragment) -> str:
    """A fragment as JSON text; traits and sources in the order of their names."""
    ordered = {
        trait: {source: _stored(cell) for source, cell in sorted(fragment[trait].items())}
        for trait in sorted(fragment)
    }
    return encode_json(ordered).decode()


def _stored(cell: Cell) -> list[Any]:
    return [cell.first, cell.newest] if cell.kept is None else [cell.first, cell.newest, cell.kept]


def decode(text: str) -> Fragment:
    """The fragment of a JSON text."""
    raw: Any = decode_json(text)
    return {trait: {source: _cell(*cell) for source, cell in cells.items()} for trait, cells in raw.items()}


def _cell(first: list[Any] | None, newest: list[list[Any]], kept: list[Any] | None = None) -> Cell:
    return Cell(first=first, newest=newest, kept=None if kept is None else Kept(*kept))
