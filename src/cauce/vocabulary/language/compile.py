"""From the syntax tree to closures: junctions, and which comparison compiles how."""

from typing import TypeGuard

from cauce.vocabulary.language.closures import NEVER, Compiled, Look, Read, looking, timed
from cauce.vocabulary.language.compare import compare
from cauce.vocabulary.language.dates import RELATIVE, relative
from cauce.vocabulary.language.mentions import own_operands
from cauce.vocabulary.language.person import Entry, Person
from cauce.vocabulary.language.read import read_as
from cauce.vocabulary.language.tree import (
    Comparison,
    Condition,
    Duration,
    Kind,
    Literal,
    Not,
    Operand,
    Or,
    Reducer,
    Reduction,
)
from cauce.vocabulary.language.values import number
from cauce.vocabulary.language.windows import THRESHOLDS, Reducing, judge
from cauce.vocabulary.moment import Moment


def compile_condition(condition: Condition) -> Compiled:
    """The closures of a condition."""
    if isinstance(condition, Comparison):
        return _comparison(condition)
    if isinstance(condition, Not):
        return _negation(compile_condition(condition.condition))
    parts = [compile_condition(part) for part in condition.conditions]
    return _junction(parts, decisive=isinstance(condition, Or))


def reducing(reduction: Reduction) -> Reducing:
    """The compiled form of a reduction."""
    where = reduction.where
    if where is None:
        return Reducing(reduction, None)
    nested = any(isinstance(operand, Reduction) for operand in own_operands(where))
    return Reducing(reduction, compile_condition(where), nested=nested)


def _tally(reduction: Reduction) -> Read:
    return reducing(reduction).value


def _comparison(comparison: Comparison) -> Compiled:
    left, operator, right = comparison.left, comparison.operator, comparison.right
    if operator in RELATIVE and isinstance(right[0], Duration):
        return _relative(comparison, right[0].length)
    if _is_count(left) and operator in THRESHOLDS and isinstance(right[0], Literal):
        limit = number(right[0].value)
        if limit is not None:
            return timed(reducing(left).look(judge(operator, limit)))
    test = compare(comparison, _tally)
    reductions = [reducing(operand) for operand in (left, *right) if isinstance(operand, Reduction)]
    if not reductions:
        return Compiled(test, None)

    def look(person: Person, entry: Entry, at: Moment) -> tuple[bool, Moment]:
        return test(person, entry, at), min(one.change(person, at) for one in reductions)

    return timed(look)


def _relative(comparison: Comparison, length: int) -> Compiled:
    """A condition on a time; one that events give changes with them too."""
    left = comparison.left
    look = relative(comparison.operator, read_as(left, Kind.TIME, _tally), length)
    if not isinstance(left, Reduction):
        return timed(look)
    events = reducing(left)

    def look_both(person: Person, entry: Entry, at: Moment) -> tuple[bool, Moment]:
        holds, until = look(person, entry, at)
        return holds, min(until, events.change(person, at))

    return timed(look_both)


def _is_count(operand: Operand) -> TypeGuard[Reduction]:
    counts = isinstance(operand, Reduction) and operand.reducer is Reducer.COUNT
    return counts and operand.cast is None


def _negation(part: Compiled) -> Compiled:
    test, inner = part

    def opposite(person: Person, entry: Entry, at: Moment) -> bool:
        return not test(person, entry, at)

    if inner is None:
        return Compiled(opposite, None)
    positive = inner

    def look(person: Person, entry: Entry, at: Moment) -> tuple[bool, Moment]:
        holds, until = positive(person, entry, at)
        return not holds, until

    return Compiled(opposite, look)


def _junction(parts: list[Compiled], *, decisive: bool) -> Compiled:
    """AND and OR: one part that is ``decisive`` (false for AND, true for OR) decides alone."""
    tests = tuple(part.test for part in parts)

    def test(person: Person, entry: Entry, at: Moment) -> bool:
        for part in tests:
            if part(person, entry, at) is decisive:
                return decisive
        return not decisive

    if all(part.look is None for part in parts):
        return Compiled(test, None)
    steady_first = sorted(parts, key=lambda part: part.look is not None)
    return Compiled(test, _junction_look([looking(part) for part in steady_first], decisive))


def _junction_look(looks: list[Look], decisive: bool) -> Look:
    """The verdict stays at least as long as its longest decisive part, or else its shortest part."""

    def look(person: Person, entry: Entry, at: Moment) -> tuple[bool, Moment]:
        shortest, longest, decided = NEVER, at, False
        for part in looks:
            holds, until = part(person, entry, at)
            if holds is decisive:
                if until == NEVER:
                    return decisive, NEVER
                decided = True
                longest = max(longest, until)
            elif until < shortest:
                shortest = until
        return (decisive, longest) if decided else (not decisive, shortest)

    return look
