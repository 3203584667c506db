"""Reducing events in windows, and when the value can change (``language.md`` rules 10 to 15)."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import ceil, floor
from operator import itemgetter
from typing import Any, NamedTuple

from cauce.vocabulary.exact import Number
from cauce.vocabulary.language.closures import NEVER, NO_EVENT, Compiled, Look, Test
from cauce.vocabulary.language.person import Entry, Person
from cauce.vocabulary.language.read import property_reader
from cauce.vocabulary.language.reduce import reduce_of, taken
from cauce.vocabulary.language.tree import Operator, Reducer, Reduction
from cauce.vocabulary.moment import Moment

_TIME = itemgetter(0)  # Entry.time, read without a call into Python
_NEVER_FEWER = -1
_NEVER_MORE = 2**63


class Judged(NamedTuple):
    """A verdict on a number of events, and the nearest numbers below and above with the other one."""

    holds: bool
    below: int = _NEVER_FEWER
    above: int = _NEVER_MORE


Judge = Callable[[int], Judged]


Inside = tuple[Sequence[Entry], int, int]
"""Entries, first and end: ``entries[first:end]`` count now, ``entries[end:]`` will."""


class OnePass:
    """A person while a ``where`` looks at her events one by one: reductions inside it are computed once."""

    __slots__ = ("events", "memo", "person", "trait")

    def __init__(self, person: Person) -> None:
        self.person = person
        self.trait = person.trait
        self.events = person.events
        self.memo: dict[tuple[int, str], Any] = {}


class Reducing:
    """One compiled reduction; ``nested``: whether its ``where`` holds reductions."""

    def __init__(self, reduction: Reduction, where: Compiled | None, *, nested: bool = False) -> None:
        self._reduction = reduction
        self._event = reduction.event
        self._youngest = reduction.window.start if reduction.window else 0
        self._oldest = reduction.window.end if reduction.window else None
        self._where = where
        self._passes = _passes(frozenset(reduction.excluded), where)
        self._nested = nested
        self._read = property_reader(reduction.path) if reduction.path else None
        self._reduce = None if reduction.reducer is Reducer.COUNT else reduce_of(reduction)

    def value(self, person: Person, entry: Entry, at: Moment) -> Any:
        """The value at ``at`` as decoded JSON; None if absent."""
        del entry
        if type(person) is OnePass:
            key = (id(self), "value")
            if key not in person.memo:
                person.memo[key] = self._value(person, at)
            return person.memo[key]
        return self._value(person, at)

    def _value(self, person: Person, at: Moment) -> Any:
        entries, first, end = self._inside(person, at)
        if self._reduce is None:
            return end - first
        return self._reduce(self._values(person, entries[first:end], at))

    def _values(self, person: Person, entries: Sequence[Entry], at: Moment) -> list[Any]:
        read = self._read
        return [] if read is None else [read(person, entry, at) for entry in entries]

    def change(self, person: Person, at: Moment) -> Moment:
        """A moment after ``at`` up to which the value certainly stays."""
        inside = self._inside(person, at)
        number = inside[2] - inside[1]
        return min(self._until(inside, Judged(True, number - 1, number + 1)), self._where_changes(person, at))

    def look(self, judge: Judge) -> Look:
        """A look at what ``judge`` says of the number."""

        def look(person: Person, entry: Entry, at: Moment) -> tuple[bool, Moment]:
            del entry
            inside = self._inside(person, at)
            judged = judge(inside[2] - inside[1])
            return judged.holds, self._until(inside, judged)

        def look_around(person: Person, entry: Entry, at: Moment) -> tuple[bool, Moment]:
            return judge(self.value(person, entry, at)).holds, self.change(person, at)

        return look if self._where is None or self._where.look is None else look_around

    def counted(self, person: Person, at: Moment) -> Sequence[Entry]:
        """The events that are reduced at ``at``, oldest first."""
        entries, first, end = self._inside(person, at)
        return entries[first:end]

    def deciding(self, person: Person, at: Moment) -> Sequence[Entry]:
        """Of those the events that the value comes from, oldest first."""
        entries = self.counted(person, at)
        if self._read is None:
            return entries
        values = self._values(person, entries, at)
        if self._reduction.reducer in (Reducer.FIRST, Reducer.LAST, Reducer.MIN, Reducer.MAX):
            chosen = self.value(person, NO_EVENT, at)
            found = [e for e, v in zip(entries, values, strict=True) if self._gives(v, chosen)]
            return found[-1:] if self._reduction.reducer is Reducer.LAST else found[:1]
        return [e for e, v in zip(entries, values, strict=True) if taken(self._reduction, [v])]

    def _gives(self, value: Any, chosen: Any) -> bool:
        return value is not None and self._reduce is not None and self._reduce([value]) == chosen

    def skipped(self, person: Person, at: Moment) -> int:
        """How many values are of a kind that the reducer does not take."""
        values = self._values(person, self.counted(person, at), at)
        present = [value for value in values if value is not None]
        return len(present) - taken(self._reduction, present)

    def _inside(self, person: Person, at: Moment) -> Inside:
        if type(person) is OnePass:
            key = (id(self), "inside")
            if key not in person.memo:
                person.memo[key] = self._find_inside(person.person, at)
            found: Inside = person.memo[key]
            return found
        return self._find_inside(person, at)

    def _find_inside(self, person: Person, at: Moment) -> Inside:
        entries = person.events(self._event)
        first = 0 if self._oldest is None else bisect_right(entries, at - self._oldest, key=_TIME)
        end = bisect_right(entries, at - self._youngest, key=_TIME)
        passes = self._passes
        if passes is None:
            return entries, first, end
        whom = OnePass(person) if self._nested else person
        passed = [entry for entry in entries[first:end] if passes(whom, entry, at)]
        end_passed = len(passed)
        if end < len(entries):
            passed += [entry for entry in entries[end:] if passes(whom, entry, at)]
        return passed, 0, end_passed

    def _until(self, inside: Inside, judged: Judged) -> Moment:
        """When enough events can have left or come for another verdict."""
        entries, first, end = inside
        until = NEVER
        if judged.below >= 0 and self._oldest is not None:
            until = Moment(entries[end - judged.below - 1].time + self._oldest)
        awaited = first + judged.above - 1
        if awaited < len(entries):
            until = min(until, Moment(entries[awaited].time + self._youngest))
        return until

    def _where_changes(self, person: Person, at: Moment) -> Moment:
        """Up to when ``where`` certainly says of every event what it says now."""
        look = self._where.look if self._where else None
        if look is None:
            return NEVER
        whom = OnePass(person) if self._nested and type(person) is not OnePass else person
        return min((look(whom, entry, at)[1] for entry in person.events(self._event)), default=NEVER)


def _passes(excluded: frozenset[str], where: Compiled | None) -> Test | None:
    test = where.test if where else None
    if not excluded:
        return test
    if test is None:
        return lambda _person, entry, _at: entry.source not in excluded
    also = test
    return lambda person, entry, at: entry.source not in excluded and also(person, entry, at)


def judge(operator: Operator, limit: Number) -> Judge:
    """What a comparison with a constant says of a number of events."""
    if operator in (Operator.EQUALS, Operator.DIFFERS):
        return _exactly(limit, operator is Operator.EQUALS)
    enough = floor(limit) + 1 if operator in (Operator.GREATER_THAN, Operator.AT_MOST) else ceil(limit)
    return _at_least(enough, operator in (Operator.GREATER_THAN, Operator.AT_LEAST))


def _at_least(enough: int, wanted: bool) -> Judge:
    if enough <= 0:
        always = Judged(wanted)
        return lambda _number: always
    yes, no = Judged(wanted, below=enough - 1), Judged(not wanted, above=enough)
    return lambda number: yes if number >= enough else no


def _exactly(limit: Number, wanted: bool) -> Judge:
    if limit < 0 or limit != floor(limit):
        never = Judged(not wanted)
        return lambda _number: never
    exact = int(limit)
    here = Judged(wanted, exact - 1, exact + 1)
    fewer, more = Judged(not wanted, above=exact), Judged(not wanted, below=exact)
    return lambda number: here if number == exact else fewer if number < exact else more


THRESHOLDS = frozenset(
    {
        *(Operator.EQUALS, Operator.DIFFERS),
        *(Operator.GREATER_THAN, Operator.AT_LEAST, Operator.LESS_THAN, Operator.AT_MOST),
    }
)
"""The comparisons that ``judge`` knows."""
