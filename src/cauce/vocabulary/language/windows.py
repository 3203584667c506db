"""Counting events in windows, and when a count can change (``language.md`` rules 10 to 15)."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import ceil, floor
from operator import itemgetter
from typing import NamedTuple

from cauce.vocabulary.exact import Number
from cauce.vocabulary.language.closures import NEVER, Compiled, Look, Test
from cauce.vocabulary.language.person import Entry, Person
from cauce.vocabulary.language.tree import Count, Operator
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


class Counting:
    """One compiled ``event(…)…count()``."""

    def __init__(self, count: Count, where: Compiled | None) -> None:
        self._event = count.event
        self._youngest = count.window.start if count.window else 0
        self._oldest = count.window.end if count.window else None
        self._where = where
        self._passes = _passes(frozenset(count.excluded), where)

    def number(self, person: Person, entry: Entry, at: Moment) -> int:
        """How many events count at ``at``."""
        del entry
        _, first, end = self._inside(person, at)
        return end - first

    def change(self, person: Person, at: Moment) -> Moment:
        """A moment after ``at`` up to which the number certainly stays."""
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
            return judge(self.number(person, entry, at)).holds, self.change(person, at)

        return look if self._where is None or self._where.look is None else look_around

    def counted(self, person: Person, at: Moment) -> Sequence[Entry]:
        """The events that count at ``at``, oldest first."""
        entries, first, end = self._inside(person, at)
        return entries[first:end]

    def _inside(self, person: Person, at: Moment) -> Inside:
        entries = person.events(self._event)
        first = 0 if self._oldest is None else bisect_right(entries, at - self._oldest, key=_TIME)
        end = bisect_right(entries, at - self._youngest, key=_TIME)
        passes = self._passes
        if passes is None:
            return entries, first, end
        passed = [entry for entry in entries[first:end] if passes(person, entry, at)]
        end_passed = len(passed)
        if end < len(entries):
            passed += [entry for entry in entries[end:] if passes(person, entry, at)]
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
        return min((look(person, entry, at)[1] for entry in person.events(self._event)), default=NEVER)


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
