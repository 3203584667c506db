"""Definitions: what people write down about their sources, identity, traits, segments and destinations.

Each is written once, as YAML in the ``definitions`` folder of a space, and has an
owner. The sentences that describe the fields appear in the JSON Schemas for
editors and in the reference.
"""

from typing import Any

import msgspec

from cauce.vocabulary.definitions.destination import (
    AnyDestination,
    DestinationDef,
    DestinationKind,
    FieldDef,
    FieldType,
    FileDef,
    FileFormat,
    FileMode,
    SqlDef,
    TableMode,
    WebhookDef,
)
from cauce.vocabulary.definitions.identity import VIEW, IdentityDef
from cauce.vocabulary.definitions.naming import Name, Owner
from cauce.vocabulary.definitions.segment import SegmentDef
from cauce.vocabulary.definitions.source import SourceDef, SourceKind
from cauce.vocabulary.definitions.trait import Compared, SurvivorshipRule, TraitDef
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.language import ComputedTrait, compile_traits, nfc

__all__ = [
    "VIEW",
    "AnyDestination",
    "Compared",
    "Definitions",
    "DestinationDef",
    "DestinationKind",
    "FieldDef",
    "FieldType",
    "FileDef",
    "FileFormat",
    "FileMode",
    "IdentityDef",
    "Name",
    "Owner",
    "SegmentDef",
    "SourceDef",
    "SourceKind",
    "SqlDef",
    "SurvivorshipRule",
    "TableMode",
    "TraitDef",
    "WebhookDef",
]


class Definitions(msgspec.Struct, frozen=True, kw_only=True):
    """Every definition of a space, by name (segments by key), in the order of the names."""

    sources: dict[str, SourceDef] = {}
    identities: dict[str, IdentityDef] = {}
    traits: dict[str, TraitDef] = {}
    segments: dict[str, SegmentDef] = {}
    destinations: dict[str, AnyDestination] = {}

    def ruleset(self, identity: str) -> dict[str, Any]:
        """The raw rules of an identity view, completed by the strengths that the sources declare."""
        rules = self.identities[identity].rules
        declared = {source.name: source.strength for source in self.sources.values() if source.strength}
        return {**rules, "strength": {**declared, **rules.get("strength", {})}}

    def computed(self) -> dict[str, ComputedTrait]:
        """The computed traits, compiled; raises ``RuleError`` if an expression has no meaning."""
        texts = {nfc(name): trait.compute for name, trait in self.traits.items() if trait.compute}
        compiled = compile_traits(texts)
        for error in compiled.errors.values():
            raise error
        return compiled.traits

    def normalization(self, identity: str, source: str = "") -> Normalization:
        """How identifier values are normalized: kinds from the rules, region and alias from the source."""
        kinds = {
            one["type"]: one["normalize"]
            for one in self.identities[identity].rules.get("identifiers", [])
            if one.get("normalize")
        }
        if self.identities[identity].provider_addresses:
            kinds = {type_: "mailbox" if kind == "email" else kind for type_, kind in kinds.items()}
        known = self.sources.get(source)
        return Normalization(kinds, known.region, known.alias) if known else Normalization(kinds)
