"""Definitions: what people write down about their sources, identity, traits, segments and destinations.

Each is written once, as YAML in the ``definitions`` folder of a space, and has an
owner. The sentences that describe the fields appear in the JSON Schemas for
editors and in the reference.
"""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from cauce.vocabulary.identifier import Normalization

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$", examples=["web"])]
Owner = Annotated[
    str,
    Meta(
        min_length=1,
        description="Who answers for this definition: a person, a team or an address.",
        examples=["data@example.org"],
    ),
]


class SourceKind(StrEnum):
    """Where the events of a source are made, which decides how far they are trusted."""

    WEB = "web"
    MOBILE = "mobile"
    SERVER = "server"
    FILE = "file"


class SurvivorshipRule(StrEnum):
    """How a golden value is chosen among several asserted ones."""

    NEWEST = "newest"
    OLDEST = "oldest"
    SOURCE_PRIORITY = "source_priority"


class DestinationKind(StrEnum):
    """How a destination is spoken to."""

    WEBHOOK = "webhook"


class SourceDef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A system that sends events: a web site, an app, a server, a file."""

    name: Annotated[Name, Meta(description="The name of the source; write keys and mappings refer to it.")]
    owner: Owner
    kind: Annotated[SourceKind, Meta(description="Where its events are made.")]
    description: Annotated[str, Meta(description="What the source is, for people.")] = ""
    region: Annotated[
        str,
        Meta(
            pattern=r"^([A-Z]{2})?$",
            description="Region (ISO 3166, two letters) of phone numbers written without a country code.",
            examples=["ES"],
        ),
    ] = ""
    strength: Annotated[
        int,
        Meta(description="How far identity trusts its links; higher is trusted more."),
    ] = 0


class IdentityDef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An identity view: the rules that say which identifiers are one person."""

    name: Annotated[Name, Meta(description="The name of the identity view.")]
    owner: Owner
    rules: Annotated[
        dict[str, Any],
        Meta(description="The ruleset: identifiers, blocked, strength, purpose, max_ids_per_event."),
    ]
    description: Annotated[str, Meta(description="What the view is for, for people.")] = ""


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


VIEW = "person"
"""The identity view that profiles and segments use; the only one yet."""


class Definitions(msgspec.Struct, frozen=True, kw_only=True):
    """Every definition of a space, by name (segments by key), in the order of the names."""

    sources: dict[str, SourceDef] = {}
    identities: dict[str, IdentityDef] = {}
    traits: dict[str, TraitDef] = {}
    segments: dict[str, SegmentDef] = {}
    destinations: dict[str, DestinationDef] = {}

    def ruleset(self, identity: str) -> dict[str, Any]:
        """The raw rules of an identity view, completed by the strengths that the sources declare."""
        rules = self.identities[identity].rules
        declared = {source.name: source.strength for source in self.sources.values() if source.strength}
        return {**rules, "strength": {**declared, **rules.get("strength", {})}}

    def normalization(self, identity: str, source: str = "") -> Normalization:
        """How identifier values are normalized: kinds from the rules, the region from the source."""
        kinds = {
            one["type"]: one["normalize"]
            for one in self.identities[identity].rules.get("identifiers", [])
            if one.get("normalize")
        }
        known = self.sources.get(source)
        return Normalization(kinds, known.region if known else "")
