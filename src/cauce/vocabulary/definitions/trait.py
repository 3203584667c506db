"""The definition of a trait."""

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


class TraitDef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trait of people, and which of several asserted values survives."""

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
    description: Annotated[str, Meta(description="What the trait means, for people.")] = ""
