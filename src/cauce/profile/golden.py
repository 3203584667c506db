"""Golden records: the surviving value of every trait, where it comes from, and what lost."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cauce.profile.fragment import Assertion, Fragment
from cauce.profile.replaced import Replacements
from cauce.profile.survivorship import Decision, Survivorship, decide, losers

_NEWEST = Survivorship()
_NOTHING: Replacements = {}


class GoldenValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value and where it comes from; ``time`` and ``received`` in µs since 1970 UTC.

    A union's source and event are those of its newest element. ``approximate``:
    more was asserted than is kept, and what was folded away might change the value.
    ``computed``: events were reduced to it; then source is empty, the times are the
    moment of computing, and the message id is that of the newest event it comes from.
    """

    value: Any
    source: str
    time: int
    received: int
    message_id: str
    approximate: bool = False
    computed: bool = False


class TraitReason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a trait has its value: the rule, and the values that lost, newest first.

    ``times``: how often the value was asserted, where that decided. ``parts``: the
    assertion of each element of a union, in their order. ``skipped``: how many
    assertions were of a kind that the rule does not take. Of a computed trait the
    rule is its expression, ``evidence`` a sentence, ``message_ids`` the newest of the
    events it comes from, and ``until`` when the value may change without an event.
    """

    rule: str
    lost: list[GoldenValue]
    times: int | None = None
    parts: list[GoldenValue] = []
    skipped: int = 0
    evidence: str = ""
    message_ids: list[str] = []
    until: int | None = None


def golden_record(
    fragments: Sequence[Fragment], rules: Mapping[str, Survivorship], replaced: Replacements = _NOTHING
) -> dict[str, GoldenValue]:
    """The golden value of every trait that has one, by name."""
    decided = _decided(fragments, rules, replaced)
    return {
        name: golden(decision.winner, decision.value, approximate=decision.approximate)
        for name, (_, decision) in decided.items()
        if decision.value is not None
    }


def reasons(
    fragments: Sequence[Fragment], rules: Mapping[str, Survivorship], replaced: Replacements = _NOTHING
) -> dict[str, TraitReason]:
    """Why every trait has its value, or none because of a null, by name."""
    return {
        name: TraitReason(
            rule=str(how),
            lost=[golden(one) for one in losers(fragments, name, how, decision)],
            times=decision.times,
            parts=[golden(one) for one in decision.parts],
            skipped=decision.skipped,
        )
        for name, (how, decision) in _decided(fragments, rules, replaced).items()
    }


def _decided(
    fragments: Sequence[Fragment], rules: Mapping[str, Survivorship], replaced: Replacements
) -> dict[str, tuple[Survivorship, Decision]]:
    names = sorted({*replaced, *(trait for fragment in fragments for trait in fragment)})
    found = {}
    for name in names:
        how = rules.get(name, _NEWEST)
        decision = decide(fragments, name, how, replaced.get(name, ()))
        if decision is not None:
            found[name] = how, decision
    return found


def golden(assertion: Assertion, value: Any = None, *, approximate: bool = False) -> GoldenValue:
    """An assertion as a golden value; ``value`` stands for its own where it was made of several."""
    return GoldenValue(
        value=assertion.value if value is None else value,
        source=assertion.source,
        time=assertion.time,
        received=assertion.received,
        message_id=assertion.message_id,
        approximate=approximate,
    )
