"""Conditions on times relative to the moment, as closures (``language.md``, points left open)."""

from cauce.vocabulary.language.closures import NEVER, Look, Read
from cauce.vocabulary.language.person import Entry, Person
from cauce.vocabulary.language.tree import Operator
from cauce.vocabulary.moment import Moment

_ALWAYS = Moment(-NEVER)

RELATIVE = frozenset({Operator.WITHIN_LAST, Operator.WITHIN_NEXT, Operator.BEFORE_LAST, Operator.AFTER_NEXT})
"""The comparisons that time alone can change."""


def relative(operator: Operator, time: Read, length: int) -> Look:
    """A look at a time t: the condition holds at moments T with begin(t) ≤ T < end(t)."""

    def look(person: Person, entry: Entry, at: Moment) -> tuple[bool, Moment]:
        when = time(person, entry, at)
        if when is None:
            return False, NEVER
        begin, end = _held(operator, when, length)
        if at < begin:
            return False, begin
        return (True, end) if at < end else (False, NEVER)

    return look


def _held(operator: Operator, time: Moment, length: int) -> tuple[Moment, Moment]:
    """From when to when (not included) the condition holds."""
    match operator:
        case Operator.WITHIN_LAST:
            return time, Moment(time + length)
        case Operator.WITHIN_NEXT:
            return Moment(time - length), time
        case Operator.BEFORE_LAST:
            return Moment(time + length), NEVER
    return _ALWAYS, Moment(time - length)
