"""What a rule reads: traits, events, and the properties and times of those events."""

from collections.abc import Iterator
from typing import NamedTuple

from cauce.vocabulary.language.paths import Path
from cauce.vocabulary.language.tree import Comparison, Condition, Count, Not, Operand, Property, Trait


class Mentions(NamedTuple):
    """All that a rule depends on. Names are in Unicode NFC.

    ``traits`` are trait names; ``events`` maps event names to the property paths
    read of them; ``reach`` maps event names to the greatest age in microseconds
    at which they still count, None for ever.
    """

    traits: frozenset[str]
    events: dict[str, frozenset[Path]]
    reach: dict[str, int | None]


def mentions(condition: Condition) -> Mentions:
    """What a condition reads."""
    traits: set[str] = set()
    events: dict[str, frozenset[Path]] = {}
    reach: dict[str, int | None] = {}
    for operand in operands(condition):
        if isinstance(operand, Trait):
            traits.add(operand.path[0])
        elif isinstance(operand, Count):
            inner = operands(operand.where) if operand.where else ()
            paths = frozenset(o.path for o in inner if isinstance(o, Property))
            name, end = operand.event, operand.window.end if operand.window else None
            known = reach.get(name, 0)
            events[name] = events.get(name, frozenset()) | paths
            reach[name] = None if known is None or end is None else max(known, end)
    return Mentions(frozenset(traits), events, reach)


def operands(condition: Condition) -> Iterator[Operand]:
    """All operands, from left to right; after a count those of its ``where``."""
    if isinstance(condition, Comparison):
        for operand in (condition.left, *condition.right):
            if isinstance(operand, Trait | Property):
                yield operand
            elif isinstance(operand, Count):
                yield operand
                if operand.where is not None:
                    yield from operands(operand.where)
    elif isinstance(condition, Not):
        yield from operands(condition.condition)
    else:
        for part in condition.conditions:
            yield from operands(part)
