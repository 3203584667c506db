"""What a rule reads: traits, events, and the properties and times of those events."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cauce.vocabulary.language.paths import Path
from cauce.vocabulary.language.tree import Comparison, Condition, Not, Operand, Property, Reduction, Trait


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
    return _mentions(operands(condition))


def mentions_of(reduction: Reduction) -> Mentions:
    """What the value of a reduction depends on."""
    return _mentions(operands_of(reduction))


def _mentions(found: Iterable[Operand]) -> Mentions:
    traits: set[str] = set()
    events: dict[str, frozenset[Path]] = {}
    reach: dict[str, int | None] = {}
    for operand in found:
        if isinstance(operand, Trait):
            traits.add(operand.path[0])
        elif isinstance(operand, Reduction):
            name, end = operand.event, operand.window.end if operand.window else None
            known = reach.get(name, 0)
            events[name] = events.get(name, frozenset()) | _paths(operand)
            reach[name] = None if known is None or end is None else max(known, end)
    return Mentions(frozenset(traits), events, reach)


def _paths(reduction: Reduction) -> frozenset[Path]:
    """The properties that a reduction reads of its own events."""
    own = own_operands(reduction.where) if reduction.where else ()
    read = [o.path for o in own if isinstance(o, Property)]
    return frozenset([*read, reduction.path] if reduction.path else read)


def operands(condition: Condition) -> Iterator[Operand]:
    """All operands, from left to right; after a reduction those of its ``where``."""
    for operand in own_operands(condition):
        yield from operands_of(operand)


def operands_of(operand: Operand) -> Iterator[Operand]:
    """An operand, and those inside it."""
    yield operand
    if isinstance(operand, Reduction) and operand.where is not None:
        yield from operands(operand.where)


def own_operands(condition: Condition) -> Iterator[Operand]:
    """The operands of a condition itself but constants, from left to right; not those of a ``where``."""
    if isinstance(condition, Comparison):
        for operand in (condition.left, *condition.right):
            if isinstance(operand, Trait | Property | Reduction):
                yield operand
    elif isinstance(condition, Not):
        yield from own_operands(condition.condition)
    else:
        for part in condition.conditions:
            yield from own_operands(part)
