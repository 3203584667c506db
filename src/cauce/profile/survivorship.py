"""Survivorship: which of several asserted values becomes the golden one.

Every rule picks by a total order, so the answer depends on the set of assertions
alone. The order of ties is time, then received time, then message id
(``language.md``, points left open).
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from cauce.profile.alive import Alive, alive
from cauce.profile.fragment import Assertion, Fragment, assertions
from cauce.profile.kept import Keep
from cauce.profile.replaced import Replaced, stands
from cauce.vocabulary.definitions import SurvivorshipRule
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.language import scalar_order

COMPUTED = "computed: "
"""Begins the version of a computed trait."""


FORMAT = ""
"""Stands among the traits for the form of fragments and groups; a state without it knows no groups."""


ADDRESSES = "address events"
"""Stands among the traits for the events about addresses that timelines record."""


class Survivorship(NamedTuple):
    """The rule of one trait; ``sources`` ranks them for ``source_priority``, best first.

    Sources that are not ranked come after those that are, newest first. ``text``:
    whether a minimum or maximum compares texts instead of numbers.
    """

    rule: SurvivorshipRule = SurvivorshipRule.NEWEST
    sources: tuple[str, ...] = ()
    text: bool = False

    @property
    def keep(self) -> Keep | None:
        """What fragments keep for it beyond the newest values."""
        match self.rule:
            case SurvivorshipRule.MOST_FREQUENT:
                return Keep.ASSERTIONS
            case SurvivorshipRule.UNION:
                return Keep.UNION
            case SurvivorshipRule.MINIMUM:
                return Keep.SMALLEST_TEXT if self.text else Keep.SMALLEST
            case SurvivorshipRule.MAXIMUM:
                return Keep.GREATEST_TEXT if self.text else Keep.GREATEST
        return None

    def __str__(self) -> str:
        if self.text:
            return f"{self.rule}(text)"
        return f"{self.rule}({', '.join(self.sources)})" if self.sources else str(self.rule)


def kept_by(version: str) -> bool:
    """Whether a survivorship, written as text, has fragments keep more than the newest values."""
    rule = version.partition("(")[0]
    return rule in set(SurvivorshipRule) and Survivorship(SurvivorshipRule(rule)).keep is not None


class Decision(NamedTuple):
    """What survives of the assertions of one trait.

    ``winner`` is the assertion that ``value`` comes from; for a union the newest of
    ``parts``, one for each element. A winner with the value None removed the trait.
    ``times``: how often the winning value was asserted, where that decides.
    ``approximate``: the cap folded assertions away that might have counted.
    ``skipped``: assertions of a kind that the rule does not take.
    """

    winner: Assertion
    value: Any
    parts: Sequence[Assertion] = ()
    times: int | None = None
    approximate: bool = False
    skipped: int = 0


def decide(
    fragments: Sequence[Fragment], trait: str, how: Survivorship, replaced: Sequence[Replaced] = ()
) -> Decision | None:
    """What survives of everything that the fragments assert of a trait; None if nothing does.

    Addresses that were ``replaced`` take no part as far as a change overtook them; for
    the oldest value, and for a minimum or maximum, they do.
    """
    if how.rule not in _CURRENT:
        replaced = ()
    if how.keep is None:
        told = (*assertions(fragments, trait), *(one.by for one in replaced))
        winner = survivor((one for one in told if stands(trait, one.value, one.time, replaced)), how)
        return None if winner is None else Decision(winner, winner.value)
    found = alive(fragments, trait, how.keep, replaced)
    if not found.values:
        return _removed(fragments, trait, found)
    if how.rule is SurvivorshipRule.UNION:
        parts = [found.values[place].newest for place in sorted(found.values)]
        return _decision(max(parts, key=_order), found, parts=parts)
    if how.rule is SurvivorshipRule.MOST_FREQUENT:
        place = min(found.values, key=lambda place: (-found.values[place].times, place))
        return _decision(found.values[place].newest, found, times=found.values[place].times)
    best = max if how.keep.greatest else min
    return _decision(found.values[best(found.values)].newest, found)


_CURRENT = frozenset(
    {
        SurvivorshipRule.NEWEST,
        SurvivorshipRule.SOURCE_PRIORITY,
        SurvivorshipRule.MOST_FREQUENT,
        SurvivorshipRule.UNION,
    }
)
"""The rules that ask which values hold now."""


def _decision(
    winner: Assertion, found: Alive, *, parts: Sequence[Assertion] = (), times: int | None = None
) -> Decision:
    value = [part.value for part in parts] if parts else winner.value
    return Decision(winner, value, parts, times, found.approximate, found.skipped)


def _removed(fragments: Sequence[Fragment], trait: str, found: Alive) -> Decision | None:
    """A null is what is left if every value was withdrawn."""
    nulls = [a for a in assertions(fragments, trait) if a.value is None]
    newest = max(nulls, key=_order, default=None)
    if newest is None:
        return None
    return Decision(newest, None, approximate=found.approximate, skipped=found.skipped)


def survivor(assertions: Iterable[Assertion], how: Survivorship) -> Assertion | None:
    """The assertion whose value survives by the rules about time and source; None if there is none.

    An assertion of null removes the trait: it can survive, and the trait is then
    absent. Under ``source_priority`` a null lets the next source speak.
    """
    if how.rule is SurvivorshipRule.OLDEST:
        return min((a for a in assertions if a.value is not None), key=_order, default=None)
    if how.rule is SurvivorshipRule.NEWEST:
        return max(assertions, key=_order, default=None)
    newest: dict[str, Assertion] = {}
    for assertion in assertions:
        known = newest.get(assertion.source)
        if known is None or known.order < assertion.order:
            newest[assertion.source] = assertion
    speaking = [a for a in newest.values() if a.value is not None]
    return max(speaking, key=lambda a: (-_rank(a.source, how.sources), a.order), default=None)


def losers(
    fragments: Sequence[Fragment], trait: str, how: Survivorship, decision: Decision
) -> list[Assertion]:
    """The kept assertions that do not make the value, each value of each source once, newest first."""
    told = list(assertions(fragments, trait))
    if how.keep is not None:
        told += [one for value in alive(fragments, trait, how.keep).values.values() for one in value.all]
    winners = {(one.order, one.source) for one in (decision.winner, *decision.parts)}
    if how.keep is not None:
        values = {scalar_order(one.value) for one in (decision.parts or (decision.winner,))}
        told = [one for one in told if not _won(one.value, values)]
    lost: dict[tuple[str, bytes], Assertion] = {}
    for one in sorted(told, key=_order, reverse=True):
        if (one.order, one.source) not in winners:
            lost.setdefault((one.source, encode_json(one.value)), one)
    winner = decision.winner
    lost.pop((winner.source, encode_json(winner.value)), None)
    return list(lost.values())


def _won(value: Any, values: set[Any]) -> bool:
    """Whether a value, or every element of a list, is among those that survived."""
    if type(value) is list:
        return bool(value) and all(_won(element, values) for element in value)
    return value is not None and scalar_order(value) in values


def _order(assertion: Assertion) -> tuple[int, int, str]:
    return assertion.order


def _rank(source: str, ranked: Sequence[str]) -> int:
    return ranked.index(source) if source in ranked else len(ranked)
