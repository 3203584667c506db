"""The definition of an identity view."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cauce.vocabulary.definitions.naming import Name, Owner

VIEW = "person"
"""The identity view that profiles and segments use; the only one yet."""


class IdentityDef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An identity view: the rules that say which identifiers are one person."""

    name: Annotated[Name, Meta(description="The name of the identity view.")]
    owner: Owner
    rules: Annotated[
        dict[str, Any],
        Meta(description="The ruleset: identifiers, blocked, strength, purpose, max_ids_per_event."),
    ]
    description: Annotated[str, Meta(description="What the view is for, for people.")] = ""
    provider_addresses: Annotated[
        bool,
        Meta(
            description="Read addresses of public mail providers by their rules: without tags after +, "
            "without dots where these do not count."
        ),
    ] = False
