"""Static checks: comparisons that could never hold are refused on save (``language.md`` rule 30)."""

from cauce.vocabulary.language.errors import Fault
from cauce.vocabulary.language.tree import (
    Comparison,
    Duration,
    Kind,
    Literal,
    Operand,
    Operator,
    Reducer,
    Reduction,
)
from cauce.vocabulary.moment import parse_iso

ORDERED = frozenset({Kind.BOOLEAN, Kind.NUMBER, Kind.TEXT, Kind.TIME})
"""The kinds whose values have an order: false before true, text by code point."""

STORED = frozenset(Kind) - {Kind.TIME}
"""The kinds of JSON values; a time is a text until ``as time`` or a condition on dates reads it as one."""

_DATES = frozenset({Kind.TEXT, Kind.TIME})
_LEFT: dict[Operator, frozenset[Kind]] = {
    **dict.fromkeys(
        (Operator.GREATER_THAN, Operator.AT_LEAST, Operator.LESS_THAN, Operator.AT_MOST), ORDERED
    ),
    **dict.fromkeys((Operator.CONTAINS, Operator.OMITS), frozenset({Kind.TEXT, Kind.LIST})),
    **dict.fromkeys((Operator.STARTS_WITH, Operator.ENDS_WITH), frozenset({Kind.TEXT})),
    **dict.fromkeys((Operator.BEFORE_DATE, Operator.AFTER_DATE), _DATES),
    **dict.fromkeys((Operator.WITHIN_LAST, Operator.WITHIN_NEXT), _DATES),
    **dict.fromkeys((Operator.BEFORE_LAST, Operator.AFTER_NEXT), _DATES),
}
_NEVER_IN_ZERO = (Operator.WITHIN_LAST, Operator.WITHIN_NEXT)


def kinds(operand: Operand) -> frozenset[Kind]:
    """The kinds that an operand's value can have."""
    if operand.cast is not None:
        return frozenset({operand.cast})
    if isinstance(operand, Reduction):
        return frozenset({Kind.TEXT}) if operand.of is Kind.TEXT else _REDUCED.get(operand.reducer, STORED)
    if isinstance(operand, Literal):
        return frozenset({_literal_kind(operand)})
    return STORED


_REDUCED = {
    **dict.fromkeys((Reducer.COUNT, Reducer.SUM, Reducer.AVG), frozenset({Kind.NUMBER})),
    **dict.fromkeys((Reducer.MIN, Reducer.MAX), frozenset({Kind.NUMBER})),
    Reducer.MODE: frozenset({Kind.BOOLEAN, Kind.NUMBER, Kind.TEXT}),
    Reducer.UNIQUE: frozenset({Kind.LIST}),
}
_CONVERTED = {
    Kind.NUMBER: frozenset({Kind.TEXT}),
    Kind.TEXT: frozenset({Kind.NUMBER, Kind.BOOLEAN}),
    Kind.TIME: frozenset({Kind.TEXT}),
}
"""What each conversion makes something else of."""


def check_conversion(reduction: Reduction, kind: Kind, position: int) -> None:
    """Raise ``Fault`` if ``as`` could not change anything, or could not give a value."""
    if not kinds(reduction) & _CONVERTED[kind]:
        found = _names(kinds(reduction))
        if kinds(reduction) == frozenset({kind}):
            raise Fault("This value needs no conversion.", position, hint=f"Take out: as {kind}.")
        raise Fault(
            f"This value is {found} and never becomes a {kind}.", position, hint=f"Take out: as {kind}."
        )


def _literal_kind(literal: Literal) -> Kind:
    if isinstance(literal.value, bool):
        return Kind.BOOLEAN
    if isinstance(literal.value, str):
        return Kind.TEXT
    return Kind.LIST if isinstance(literal.value, tuple) else Kind.NUMBER


def check(comparison: Comparison, position: int) -> None:
    """Raise ``Fault`` if no values could make the comparison true, or differ in kind always."""
    operator = comparison.operator
    left = kinds(comparison.left) & _LEFT.get(operator, frozenset(Kind))
    if not left:
        raise Fault(
            f"{operator} never holds on {_names(kinds(comparison.left))}.",
            position,
            hint=f"It takes {_names(_LEFT[operator])} on its left.",
            expected=tuple(sorted(_LEFT[operator])),
        )
    for operand in comparison.right:
        if isinstance(operand, Duration):
            if operand.length == 0 and operator in _NEVER_IN_ZERO:
                raise Fault("No time is ever within this.", operand.position, hint="Write 1 second or more.")
        else:
            _check_right(operator, left, operand)


def _check_right(operator: Operator, left: frozenset[Kind], operand: Operand) -> None:
    wanted = _wanted(operator, left)
    found = kinds(operand)
    if not wanted & found:
        hint = f"Expected {_names(wanted)}."
        if Kind.TIME in found | wanted and Kind.TEXT in found | wanted:
            hint += " Convert a text by as time."
        raise Fault(
            f"By {operator}, {_names(found)} can never stand against {_names(wanted)}.",
            operand.position,
            hint=hint,
            expected=tuple(sorted(wanted)),
        )
    if wanted == _DATES and isinstance(operand, Literal) and parse_iso(str(operand.value)) is None:
        raise Fault(
            "This is no time.",
            operand.position,
            hint="Write a date, or a time with its zone: '2026-03-01' or '2026-03-01T08:00:00Z'.",
            expected=("an ISO 8601 time with a zone",),
        )


def _wanted(operator: Operator, left: frozenset[Kind]) -> frozenset[Kind]:
    if operator in (Operator.STARTS_WITH, Operator.ENDS_WITH):
        return frozenset({Kind.TEXT})
    if operator in (Operator.CONTAINS, Operator.OMITS):
        return STORED if Kind.LIST in left else frozenset({Kind.TEXT})
    if operator in (Operator.BEFORE_DATE, Operator.AFTER_DATE):
        return _DATES
    return left


def _names(kinds: frozenset[Kind]) -> str:
    return "any kind" if len(kinds) > 3 else " or ".join(f"a {kind}" for kind in sorted(kinds))
