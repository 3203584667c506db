"""Computed traits among the golden ones: as of a moment, with the events they come from."""

from collections.abc import Mapping

from cauce.profile.golden import GoldenValue, TraitReason
from cauce.vocabulary.language import Computation, ComputedTrait
from cauce.vocabulary.moment import Moment

Computed = Mapping[str, tuple[ComputedTrait, Computation]]
"""Trait → how it is computed, and what came of it for one person."""


def with_computed(traits: dict[str, GoldenValue], computed: Computed, at: Moment) -> dict[str, GoldenValue]:
    """Golden values and computed ones by name; a computed trait hides what was asserted of that name."""
    values = {
        name: GoldenValue(
            value=found.value,
            source="",
            time=at,
            received=at,
            message_id=found.message_ids[0] if found.message_ids else "",
            approximate=found.approximate,
            computed=True,
        )
        for name, (_, found) in computed.items()
        if found.value is not None
    }
    asserted = {name: value for name, value in traits.items() if name not in computed}
    return dict(sorted((asserted | values).items()))


def with_reasons(reasons: dict[str, TraitReason], computed: Computed) -> dict[str, TraitReason]:
    """The reasons of golden values and of computed ones, by name."""
    found = {
        name: TraitReason(
            rule=str(trait),
            lost=[],
            evidence=one.evidence,
            message_ids=list(one.message_ids),
            until=one.until,
        )
        for name, (trait, one) in computed.items()
    }
    return dict(sorted((reasons | found).items()))
