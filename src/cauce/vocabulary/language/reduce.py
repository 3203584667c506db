"""One value of many: what each reducer makes of the values of a property (``language.md`` rules 17 to 21)."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cauce.vocabulary.exact import Number, exact, from_nanos, nanos
from cauce.vocabulary.language.paths import nfc
from cauce.vocabulary.language.tree import Kind, Reducer, Reduction
from cauce.vocabulary.language.values import as_number, scalar_order

Reduce = Callable[[Iterable[Any]], Any]
"""Gives one value of the values of events in their order; None among them where the property is absent."""


def reduce_of(reduction: Reduction) -> Reduce:
    """The function of a reducer that reads a property; its result is decoded JSON, None if absent."""
    match reduction.reducer:
        case Reducer.SUM:
            return lambda values: from_nanos(sum(map(nanos, numbers(reduction, values))))
        case Reducer.AVG:
            return lambda values: _average(list(map(nanos, numbers(reduction, values))))
        case Reducer.MIN:
            return lambda values: min(_ordered(reduction, values), default=None)
        case Reducer.MAX:
            return lambda values: max(_ordered(reduction, values), default=None)
        case Reducer.FIRST | Reducer.LAST:
            return _first if reduction.reducer is Reducer.FIRST else _last
        case Reducer.MODE:
            return lambda values: mode(values, reduction.least)
    return unique


def numbers(reduction: Reduction, values: Iterable[Any]) -> Iterator[Number]:
    """The numbers among the values, converted where the rule says so; the others are skipped."""
    read = as_number if reduction.of is Kind.NUMBER else exact
    return (number for value in values if (number := read(value)) is not None)


def _ordered(reduction: Reduction, values: Iterable[Any]) -> Iterator[Any]:
    if reduction.of is Kind.TEXT:
        return (nfc(value) for value in values if type(value) is str)
    return numbers(reduction, values)


def taken(reduction: Reduction, values: Iterable[Any]) -> int:
    """How many of the values the reducer takes; absent ones are none."""
    match reduction.reducer:
        case Reducer.SUM | Reducer.AVG | Reducer.MIN | Reducer.MAX:
            return sum(1 for _ in _ordered(reduction, values))
        case Reducer.MODE:
            return sum(1 for value in values if scalar_order(value) is not None)
        case Reducer.UNIQUE:
            return sum(1 for value in values if type(value) is list or scalar_order(value) is not None)
    return sum(1 for value in values if value is not None)


def _average(billionths: list[int]) -> Number | None:
    """Sum by count, half to even at the ninth decimal; absent where the sum is beyond 38 digits."""
    total = sum(billionths)
    if not billionths or from_nanos(total) is None:
        return None
    quotient, rest = divmod(total, len(billionths))
    twice = 2 * rest
    if twice > len(billionths) or (twice == len(billionths) and quotient % 2):
        quotient += 1
    return from_nanos(quotient)


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)


def _last(values: Iterable[Any]) -> Any:
    return _first(reversed(list(values)))


def mode(values: Iterable[Any], least: int) -> Any:
    """The boolean, number or text seen most often, at least ``least`` times; of several the first."""
    times: dict[tuple[int, Any], int] = {}
    for value in values:
        order = scalar_order(value)
        if order is not None:
            times[order] = times.get(order, 0) + 1
    best = min(times, key=lambda order: (-times[order], order), default=None)
    return best[1] if best is not None and times[best] >= least else None


def unique(values: Iterable[Any]) -> list[Any]:
    """The distinct booleans, numbers and texts in order; elements of a list count one by one."""
    found = set()
    for value in values:
        for element in value if type(value) is list else (value,):
            order = scalar_order(element)
            if order is not None:
                found.add(order)
    return [value for _, value in sorted(found)]
