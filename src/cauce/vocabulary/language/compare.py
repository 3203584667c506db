"""Comparisons of values as closures (``language.md`` rules 2 to 8)."""

import operator as op
from collections.abc import Callable
from typing import Any

from cauce.vocabulary.language.check import ORDERED, kinds
from cauce.vocabulary.language.closures import Read, Test
from cauce.vocabulary.language.paths import nfc
from cauce.vocabulary.language.person import Entry, Person
from cauce.vocabulary.language.read import Tally, constant_as, raw_and_form, read, read_as
from cauce.vocabulary.language.tree import Comparison, Kind, Literal, Operand, Operator
from cauce.vocabulary.language.values import INCOMPARABLE, READ_AS, canonical, kind_of, plain
from cauce.vocabulary.moment import Moment

Relation = Callable[[Any, Any], bool]
"""How two comparable forms of one kind must stand to each other."""

_RELATIONS: dict[Operator, Relation] = {
    Operator.EQUALS: op.eq,
    Operator.GREATER_THAN: op.gt,
    Operator.AT_LEAST: op.ge,
    Operator.LESS_THAN: op.lt,
    Operator.AT_MOST: op.le,
}
_DATES: dict[Operator, Relation] = {Operator.BEFORE_DATE: op.lt, Operator.AFTER_DATE: op.gt}


def compare(comparison: Comparison, tally: Tally) -> Test:
    """The test of a comparison; conditions that count back from the moment are in ``windows.py``."""
    left, operator, right = comparison.left, comparison.operator, comparison.right
    values = [operand for operand in right if isinstance(operand, Operand)]
    present = _present(read(left, tally))
    if operator is Operator.EXISTS:
        return present
    if operator is Operator.ABSENT:
        return _none_of([present])
    if operator in _RELATIONS:
        return _related(left, _RELATIONS[operator], values[0], tally)
    if operator in _DATES:
        times = read_as(left, Kind.TIME, tally), read_as(values[0], Kind.TIME, tally)
        return _both(_DATES[operator], *times)
    if operator in (Operator.CONTAINS, Operator.OMITS):
        return _containing(left, values, tally, operator is Operator.CONTAINS)
    if operator in (Operator.STARTS_WITH, Operator.ENDS_WITH):
        method = str.startswith if operator is Operator.STARTS_WITH else str.endswith
        text_of = read_as(left, Kind.TEXT, tally)
        return _any([_both(method, text_of, read_as(value, Kind.TEXT, tally)) for value in values])
    equal = [_related(left, op.eq, value, tally) for value in values]
    if operator is Operator.ONE_OF:
        return _any(equal)
    others = [present, _none_of(equal)]
    if operator is Operator.DIFFERS:
        others.insert(1, _present(read(values[0], tally)))
    return _all(others)


def _related(left: Operand, relation: Relation, right: Operand, tally: Tally) -> Test:
    shared = kinds(left) & kinds(right)
    if relation is not op.eq:
        shared &= ORDERED
    if len(shared) > 1:
        return _same_kind(relation, read(left, tally), read(right, tally), shared)
    (kind,) = shared
    if isinstance(right, Literal):
        return _with_constant(relation, *raw_and_form(left, kind, tally), constant_as(right, kind))
    return _both(relation, read_as(left, kind, tally), read_as(right, kind, tally))


def _with_constant(relation: Relation, raw: Read, form: Callable[[Any], Any], constant: Any) -> Test:
    if relation is op.eq:
        return lambda person, entry, at: form(raw(person, entry, at)) == constant

    def test(person: Person, entry: Entry, at: Moment) -> bool:
        found = form(raw(person, entry, at))
        return found is not None and relation(found, constant)

    return test


def _both(relation: Relation, left: Read, right: Read) -> Test:
    def test(person: Person, entry: Entry, at: Moment) -> bool:
        one = left(person, entry, at)
        if one is None:
            return False
        other = right(person, entry, at)
        return other is not None and relation(one, other)

    return test


def _same_kind(relation: Relation, left: Read, right: Read, shared: frozenset[Kind]) -> Test:
    def test(person: Person, entry: Entry, at: Moment) -> bool:
        one, other = left(person, entry, at), right(person, entry, at)
        kind = kind_of(one)
        if kind is None or kind not in shared or kind_of(other) is not kind:
            return False
        form, another = READ_AS[kind](one), READ_AS[kind](other)
        return form is not None and another is not None and relation(form, another)

    return test


def _containing(left: Operand, values: list[Operand], tally: Tally, wanted: bool) -> Test:
    value = read(left, tally)
    constants = [plain(operand.value) for operand in values if isinstance(operand, Literal)]
    texts = [constant for constant in constants if type(constant) is str]
    known = {canonical(constant) for constant in constants}
    readers = [read(operand, tally) for operand in values if not isinstance(operand, Literal)]

    def test(person: Person, entry: Entry, at: Moment) -> bool:
        whole = value(person, entry, at)
        others = [o for r in readers if (o := r(person, entry, at)) is not None] if readers else []
        if type(whole) is str:
            full = nfc(whole)
            needles = texts + [nfc(other) for other in others if type(other) is str] if others else texts
            for needle in needles:
                if needle in full:
                    return wanted
            return not wanted
        if type(whole) is list:
            elements = {form for element in whole if INCOMPARABLE not in (form := canonical(element))}
            return (not elements.isdisjoint(known) or any(canonical(o) in elements for o in others)) is wanted
        return False

    return test


def _present(value: Read) -> Test:
    return lambda person, entry, at: value(person, entry, at) is not None


def _any(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda person, entry, at: any(test(person, entry, at) for test in tests)


def _all(tests: list[Test]) -> Test:
    return lambda person, entry, at: all(test(person, entry, at) for test in tests)


def _none_of(tests: list[Test]) -> Test:
    return lambda person, entry, at: not any(test(person, entry, at) for test in tests)
