"""The values of a trait that no null withdrew, over all fragments of a person or group."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cauce.profile.fragment import Assertion, Cell, Fragment
from cauce.profile.kept import Keep, Kept, empty, keep
from cauce.profile.replaced import Replaced, stands
from cauce.vocabulary.language import scalar_order


class AliveValue(NamedTuple):
    """One value: how often it was asserted, and its newest assertion by each source that did."""

    times: int
    all: tuple[Assertion, ...]

    @property
    def newest(self) -> Assertion:
        """The newest assertion of the value."""
        return max(self.all, key=lambda one: one.order)


class Alive(NamedTuple):
    """The values in force by ``scalar_order``; ``approximate`` and ``skipped`` as in ``Decision``."""

    values: dict[Any, AliveValue]
    approximate: bool
    skipped: int


def alive(fragments: Sequence[Fragment], trait: str, how: Keep, replaced: Sequence[Replaced] = ()) -> Alive:
    """The values of a trait in force: a null withdraws what its source asserted before it.

    So does a change of an address: its new value is in force, its old one if asserted later.
    """
    cells = [
        (source, _kept(cell, how), cell.kept is None)
        for fragment in fragments
        for source, cell in fragment.get(trait, {}).items()
    ]
    removed = _removed(cells)
    values: dict[Any, AliveValue] = {}
    approximate = False
    for source, kept, poor in cells:
        since = removed.get(source)
        items = [item for item in kept.items if since is None or item[:3] > since]
        approximate |= poor or (kept.folded > 0 and _may_miss(kept, items, how))
        for assertion, times in _told(items, source):
            _add(values, trait, assertion, times, replaced)
    for one in replaced:
        _add(values, trait, one.by, 1, replaced)
    return Alive(values, approximate, sum(kept.skipped for _, kept, _ in cells))


def _add(
    values: dict[Any, AliveValue], trait: str, one: Assertion, times: int, replaced: Sequence[Replaced]
) -> None:
    """Count an assertion among the values in force, unless a change overtook it."""
    if not stands(trait, one.value, one.time, replaced):
        return
    place = scalar_order(one.value)
    known = values.get(place)
    if known is None:
        values[place] = AliveValue(times, (one,))
    else:
        values[place] = AliveValue(known.times + times, _newest_each(known.all, one))


def _removed(cells: Sequence[tuple[str, Kept, bool]]) -> dict[str, list[Any]]:
    """The order of each source's newest null, whichever signature it came with."""
    found: dict[str, list[Any]] = {}
    for source, kept, _ in cells:
        if kept.removed is not None and kept.removed > found.get(source, [-(2**63)]):
            found[source] = kept.removed
    return found


def _may_miss(kept: Kept, items: list[list[Any]], how: Keep) -> bool:
    """Whether something that was folded away might be in force and change the value.

    Folded assertions are older than every kept one, and folded values come after
    every kept one in their order.
    """
    if how is Keep.ASSERTIONS:
        return len(items) == len(kept.items)
    return how is Keep.UNION or not items


def _told(items: list[list[Any]], source: str) -> Iterator[tuple[Assertion, int]]:
    for time, received, message_id, value, *times in items:
        yield Assertion(time, received, message_id, source, value), times[0] if times else 1


def _newest_each(known: tuple[Assertion, ...], one: Assertion) -> tuple[Assertion, ...]:
    same = [other for other in known if other.source == one.source]
    if same and same[0].order > one.order:
        return known
    return (*(other for other in known if other.source != one.source), one)


def _kept(cell: Cell, how: Keep) -> Kept:
    """What the cell keeps; from its newest values if the definition is newer than the state."""
    if cell.kept is not None:
        return cell.kept
    kept = empty()
    for assertion in cell.newest:
        keep(kept, how, assertion)
    return kept
