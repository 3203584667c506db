"""The definition of a destination."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from cauce.vocabulary.definitions.naming import Name, Owner


class DestinationKind(StrEnum):
    """How a destination is spoken to."""

    WEBHOOK = "webhook"


class DestinationDef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another system that is told what happens."""

    name: Annotated[Name, Meta(description="The name of the destination; segments refer to it.")]
    owner: Owner
    kind: Annotated[DestinationKind, Meta(description="How it is spoken to.")]
    url: Annotated[
        str,
        Meta(pattern=r"^https?://[^\s]+$", description="Where requests are sent."),
    ]
    secret: Annotated[
        str,
        Meta(
            pattern=r"^(env|file):.+$",
            description="Where the signing secret is kept: ``env:VARIABLE`` or ``file:PATH``; never itself.",
            examples=["env:CRM_WEBHOOK_SECRET"],
        ),
    ]
    description: Annotated[str, Meta(description="What the destination is, for people.")] = ""
    allow_private: Annotated[
        bool,
        Meta(description="Whether loopback and private addresses may be called; a safety net is off then."),
    ] = False
    rate: Annotated[int, Meta(ge=1, le=10_000, description="The most requests sent per second.")] = 50
    timeout: Annotated[int, Meta(ge=1, le=120, description="Seconds to wait for an answer.")] = 10
    purpose: Annotated[
        str, Meta(description="The purpose for which personal data goes there; declared in ``cauce.yaml``.")
    ] = "marketing"
