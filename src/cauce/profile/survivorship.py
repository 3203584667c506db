"""Survivorship: which of several asserted values becomes the golden one.

Every rule picks by a total order, so the answer depends on the set of assertions
alone. The order of ties is time, then received time, then message id
(``language.md``, points left open).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cauce.profile.fragment import Assertion
from cauce.vocabulary.definitions import SurvivorshipRule


class Survivorship(NamedTuple):
    """The rule of one trait; ``sources`` ranks them for ``source_priority``, best first.

    Sources that are not ranked come after those that are, newest first.
    """

    rule: SurvivorshipRule = SurvivorshipRule.NEWEST
    sources: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.rule}({', '.join(self.sources)})" if self.sources else str(self.rule)


def survivor(assertions: Iterable[Assertion], how: Survivorship) -> Assertion | None:
    """The assertion whose value survives; None if there is none.

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


def losers(assertions: Iterable[Assertion], winner: Assertion) -> list[Assertion]:
    """The other assertions, each value of each source once, newest first."""
    ordered = sorted(set_of(assertions), key=_order, reverse=True)
    return [a for a in ordered if a.order != winner.order]


def set_of(assertions: Iterable[Assertion]) -> list[Assertion]:
    """The assertions without repeats of the same event."""
    return list({(a.order, a.source): a for a in assertions}.values())


def _order(assertion: Assertion) -> tuple[int, int, str]:
    return assertion.order


def _rank(source: str, ranked: Sequence[str]) -> int:
    return ranked.index(source) if source in ranked else len(ranked)
