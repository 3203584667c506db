"""The definition of a segment."""

from typing import Annotated

import msgspec
from msgspec import Meta

from cauce.vocabulary.definitions.naming import Name, Owner


class SegmentDef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of people, defined by a rule."""

    key: Annotated[Name, Meta(description="The stable key by which programs name the segment.")]
    owner: Owner
    rule: Annotated[
        str,
        Meta(
            min_length=1,
            description="The condition in the rule language.",
            examples=["event('Order Completed').within(30 days).count() >= 1"],
        ),
    ]
    name: Annotated[str, Meta(description="The name that people read; the key if empty.")] = ""
    description: Annotated[str, Meta(description="Whom the segment is meant to hold, for people.")] = ""
    anonymous: Annotated[
        bool, Meta(description="Whether people known only by an anonymous id can be members.")
    ] = False
    destinations: Annotated[
        tuple[str, ...], Meta(description="The destinations told when somebody enters or leaves.")
    ] = ()
