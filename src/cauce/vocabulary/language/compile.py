"""From the syntax tree to closures: junctions, and which comparison compiles how."""

from cauce.vocabulary.language.closures import NEVER, Compiled, Look, Read, looking, timed
from cauce.vocabulary.language.compare import compare
from cauce.vocabulary.language.dates import RELATIVE, relative
from cauce.vocabulary.language.person import Entry, Person
from cauce.vocabulary.language.read import read_as
from cauce.vocabulary.language.tree import (
    Comparison,
    Condition,
    Count,
    Duration,
    Kind,
    Literal,
    Not,
    Or,
)
from cauce.vocabulary.language.values import number
from cauce.vocabulary.language.windows import THRESHOLDS, Counting, judge
from cauce.vocabulary.moment import Moment


def compile_condition(condition: Condition) -> Compiled:
    """The closures of a condition."""
    if isinstance(condition, Comparison):
        return _comparison(condition)
    if isinstance(condition, Not):
        return _negation(compile_condition(condition.condition))
    parts = [compile_condition(part) for part in condition.conditions]
    return _junction(parts, decisive=isinstance(condition, Or))


def counting(count: Count) -> Counting:
    """The compiled form of a count."""
    return Counting(count, compile_condition(count.where) if count.where is not None else None)


def _tally(count: Count) -> Read:
    return counting(count).number


def _comparison(comparison: Comparison) -> Compiled:
    left, operator, right = comparison.left, comparison.operator, comparison.right
    if operator in RELATIVE and isinstance(right[0], Duration):
        return timed(relative(operator, read_as(left, Kind.TIME, _tally), right[0].length))
    if isinstance(left, Count) and operator in THRESHOLDS and isinstance(right[0], Literal):
        limit = number(right[0].value)
        if limit is not None:
            return timed(counting(left).look(judge(operator, limit)))
    test = compare(comparison, _tally)
    counts = [counting(operand) for operand in (left, *right) if isinstance(operand, Count)]
    if not counts:
        return Compiled(test, None)

    def look(person: Person, entry: Entry, at: Moment) -> tuple[bool, Moment]:
        return test(person, entry, at), min(count.change(person, at) for count in counts)

    return timed(look)


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
