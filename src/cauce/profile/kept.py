"""What survivorship by frequency, size or union needs beyond the newest values of a fragment's cell.

Everything here is a function of the set of assertions alone: newest and smallest
are extremes of total orders, and counts are sums. So the order of arrival changes
nothing, and what a cap folds away is counted.
"""

from bisect import bisect_left, insort
from enum import StrEnum
from typing import Any

import msgspec

from cauce.vocabulary.language import scalar_order

MOST_ASSERTIONS = 1_000
"""The newest assertions of a trait by one source of a signature that frequency is counted in."""

MOST_VALUES = 1_000
"""The distinct values kept for a union; those first in order."""

MOST_EXTREMES = 20
"""The distinct values kept for a minimum or a maximum: what is left if a null withdraws the first."""


class Keep(StrEnum):
    """What a cell keeps for its trait's survivorship."""

    ASSERTIONS = "assertions"
    UNION = "union"
    SMALLEST = "smallest"
    GREATEST = "greatest"
    SMALLEST_TEXT = "smallest_text"
    GREATEST_TEXT = "greatest_text"

    @property
    def greatest(self) -> bool:
        """Whether the greatest values are kept."""
        return self in (Keep.GREATEST, Keep.GREATEST_TEXT)

    @property
    def most(self) -> int:
        """The most items of a cell."""
        if self is Keep.ASSERTIONS:
            return MOST_ASSERTIONS
        return MOST_VALUES if self is Keep.UNION else MOST_EXTREMES

    def takes(self, value: Any) -> bool:
        """Whether a value takes part; lists and objects have no order and no place in a count."""
        order = scalar_order(value)
        if order is None or self in (Keep.ASSERTIONS, Keep.UNION):
            return order is not None
        return order[0] == (_TEXT if self in (Keep.SMALLEST_TEXT, Keep.GREATEST_TEXT) else _NUMBER)


_NUMBER, _TEXT = 1, 2  # places of the kinds in ``scalar_order``


class Kept(msgspec.Struct, array_like=True):
    """What a cell keeps; stored as a list of these four.

    ``removed`` is the order of the source's newest null, ``[time, received, message id]``:
    what it said before is withdrawn. ``folded`` counts assertions that are in no item
    because of the cap, ``skipped`` those of a kind that the rule does not take.

    ``items`` of ``assertions``: the newest ones, ``[time, received, message id, value]``,
    oldest first. Otherwise: the newest assertion of each distinct value and how often
    it was asserted, ``[time, received, message id, value, times]``, ascending by value.
    """

    removed: list[Any] | None
    folded: int
    skipped: int
    items: list[list[Any]]


def empty() -> Kept:
    """What is kept before the first assertion."""
    return Kept(None, 0, 0, [])


def keep(kept: Kept, how: Keep, assertion: list[Any]) -> bool:
    """Take an assertion ``[time, received, message id, value]``; whether anything changed."""
    order, value = assertion[:3], assertion[3]
    if value is None:
        if kept.removed is not None and order <= kept.removed:
            return False
        kept.removed = order
        return True
    if how is Keep.UNION and type(value) is list:
        changed = [_one(kept, how, [*order, element]) for element in value if element is not None]
        return any(changed)
    return _one(kept, how, assertion)


def _one(kept: Kept, how: Keep, assertion: list[Any]) -> bool:
    if not how.takes(assertion[3]):
        kept.skipped += 1
    elif how is Keep.ASSERTIONS:
        insort(kept.items, assertion, key=_order)
        if len(kept.items) > how.most:
            del kept.items[0]
            kept.folded += 1
    else:
        _distinct(kept, how, assertion)
    return True


def _distinct(kept: Kept, how: Keep, assertion: list[Any]) -> None:
    items, place = kept.items, scalar_order(assertion[3])
    index = bisect_left(items, place, key=_place)
    if index < len(items) and _place(items[index]) == place:
        times = items[index][4] + 1
        newest = max(items[index][:4], assertion, key=_order)
        items[index] = [*newest, times]
        return
    items.insert(index, [*assertion, 1])
    if len(items) > how.most:
        kept.folded += items.pop(0 if how.greatest else -1)[4]


def _order(item: list[Any]) -> list[Any]:
    return item[:3]


def _place(item: list[Any]) -> Any:
    return scalar_order(item[3])
