"""Computed traits: values of events that have a name, and stand in rules wherever the name does."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cauce.vocabulary.language.build import Builder
from cauce.vocabulary.language.closures import NEVER, NO_EVENT
from cauce.vocabulary.language.compile import reducing
from cauce.vocabulary.language.errors import Fault, RuleError
from cauce.vocabulary.language.explain import evidence_of, is_approximate, newest_ids
from cauce.vocabulary.language.mentions import Mentions, mentions_of, operands_of
from cauce.vocabulary.language.parser import read
from cauce.vocabulary.language.person import Person
from cauce.vocabulary.language.read import read as reader
from cauce.vocabulary.language.tree import Comparison, Condition, Not, Reduction
from cauce.vocabulary.language.values import CONVERT, tidy
from cauce.vocabulary.moment import Moment

MOST_EXPANDED = 500
"""The most comparisons of a rule once every computed trait is written out."""

MOST_NESTED = 8
"""How many computed traits may stand one inside the other."""


class Computation(NamedTuple):
    """The value of a computed trait at a moment, as decoded JSON, and where it comes from.

    ``until`` is when it may change without an event, ``evidence`` a sentence,
    ``message_ids`` the newest of the events it comes from (10 at most).
    ``approximate``: events that might count are no longer kept.
    """

    value: Any
    until: Moment | None
    evidence: str
    message_ids: tuple[str, ...]
    approximate: bool


class ComputedTrait:
    """One computed trait, compiled."""

    __slots__ = ("_read", "_reducing", "mentions", "name", "reduction")

    def __init__(self, name: str, reduction: Reduction) -> None:
        self.name = name
        self.reduction = reduction
        self.mentions: Mentions = mentions_of(reduction)
        self._reducing = reducing(reduction)
        self._read = reader(reduction, lambda _: self._reducing.value)

    def value(self, person: Person, at: Moment) -> Any:
        """The value for a person at a moment as decoded JSON; None if it has none."""
        return tidy(self._read(person, NO_EVENT, at))

    def converted(self, value: Any) -> Any:
        """What ``value`` gives where the reducer gives this: converted, without zeros at the end."""
        cast = self.reduction.cast
        return tidy(value if cast is None or value is None else CONVERT[cast](value))

    def compute(self, person: Person, at: Moment) -> Computation:
        """The value for a person at a moment, and where it comes from."""
        until = self._reducing.change(person, at)
        return Computation(
            self.value(person, at),
            None if until == NEVER else until,
            evidence_of(self.reduction, person, at),
            newest_ids(list(self._reducing.deciding(person, at))),
            is_approximate(operands_of(self.reduction), person, at),
        )

    def __str__(self) -> str:
        return str(self.reduction)


class Compiled(NamedTuple):
    """Computed traits by name, and what is wrong with those that could not be compiled."""

    traits: dict[str, ComputedTrait]
    errors: dict[str, RuleError]

    @property
    def expressions(self) -> dict[str, Reduction]:
        """What stands in rules in the place of each trait."""
        return {name: trait.reduction for name, trait in self.traits.items()}


def compile_traits(texts: Mapping[str, str]) -> Compiled:
    """Compile the expressions of computed traits, by names in NFC; they may mention each other."""
    resolving = _Resolving(texts)
    for name in texts:
        resolving.resolve(name)
    traits = {name: ComputedTrait(name, found) for name, found in sorted(resolving.done.items())}
    return Compiled(traits, resolving.errors)


class _Resolving(Mapping[str, Reduction]):
    """The expressions, each parsed when it is first asked for."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._open: list[str] = []
        self.done: dict[str, Reduction] = {}
        self.errors: dict[str, RuleError] = {}

    def __getitem__(self, name: str) -> Reduction:
        if name not in self._texts:
            raise KeyError(name)
        if name in self._open:
            way = " → ".join([*self._open[self._open.index(name) :], name])
            raise _Unresolved(
                f"The computed trait {name} is computed from itself: {way}.", "Break the circle."
            )
        self.resolve(name)
        if name not in self.done:
            raise _Unresolved(f"The computed trait {name} has an error of its own.", "Mend that one first.")
        return self.done[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def resolve(self, name: str) -> None:
        """Parse one expression, unless that is done."""
        if name in self.done or name in self.errors:
            return
        text = self._texts[name]
        self._open.append(name)
        try:
            found = Builder(self).value(read(text))
            _bound_reduction(found, len(text))
            self.done[name] = found
        except Fault as fault:
            self.errors[name] = RuleError(text, fault)
        finally:
            self._open.pop()


class _Unresolved(Fault):
    """A mention of a computed trait that has no meaning; the builder knows where it stands."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, None, hint=hint)


def bound(condition: Condition, position: int) -> None:
    """Raise ``Fault`` if a rule is too long or too deep with its computed traits written out."""
    if _deepest(condition) > MOST_NESTED:
        raise Fault(
            f"More than {MOST_NESTED} events stand one inside the other, with computed traits written out.",
            position,
            hint="Let fewer computed traits use each other.",
        )
    if _weight(condition) > MOST_EXPANDED:
        raise Fault(
            f"With computed traits written out there are more than {MOST_EXPANDED} comparisons.",
            position,
            hint="Use fewer computed traits, or such with shorter conditions.",
        )


def _bound_reduction(reduction: Reduction, position: int) -> None:
    if reduction.where is not None:
        bound(reduction.where, position)


def _deepest(condition: Condition) -> int:
    """How many reductions stand one inside the other."""
    if isinstance(condition, Comparison):
        inner = [o for o in (condition.left, *condition.right) if isinstance(o, Reduction)]
        return max((1 + (_deepest(o.where) if o.where else 0) for o in inner), default=0)
    if isinstance(condition, Not):
        return _deepest(condition.condition)
    return max(map(_deepest, condition.conditions))


def _weight(condition: Condition) -> int:
    """How many comparisons there are, with those inside reductions."""
    if isinstance(condition, Comparison):
        inner = [o for o in (condition.left, *condition.right) if isinstance(o, Reduction)]
        return 1 + sum(_weight(o.where) for o in inner if o.where)
    if isinstance(condition, Not):
        return _weight(condition.condition)
    return sum(map(_weight, condition.conditions))
