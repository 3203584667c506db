"""The definition of a trait: its survivorship, or the expression that computes it."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from cauce.vocabulary.definitions.naming import Owner


class SurvivorshipRule(StrEnum):
    """How a golden value is chosen among several asserted ones."""

    NEWEST = "newest"
    OLDEST = "oldest"
    SOURCE_PRIORITY = "source_priority"
    MOST_FREQUENT = "most_frequent"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    UNION = "union"


class Compared(StrEnum):
    """What a minimum or a maximum compares; values of another kind do not take part."""

    NUMBER = "number"
    TEXT = "text"


class TraitDef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trait of people or groups: which of several asserted values survives, or how it is computed."""

    name: Annotated[
        str, Meta(min_length=1, max_length=200, description="The name of the trait as events carry it.")
    ]
    owner: Owner
    survivorship: Annotated[
        SurvivorshipRule, Meta(description="How the golden value is chosen among the asserted ones.")
    ] = SurvivorshipRule.NEWEST
    sources: Annotated[
        tuple[str, ...],
        Meta(
            description="For ``source_priority``: the sources, best first; others come after, newest first."
        ),
    ] = ()
    values: Annotated[
        Compared,
        Meta(description="For ``minimum`` and ``maximum``: the values that take part; text by code point."),
    ] = Compared.NUMBER
    compute: Annotated[
        str,
        Meta(
            description="Computed instead of asserted: a value in the rule language. Rules that name the "
            "trait mean this value.",
            examples=["event('Order Completed').within(90 days).sum('total')"],
        ),
    ] = ""
    description: Annotated[str, Meta(description="What the trait means, for people.")] = ""
