"""JSON Schemas for editors, made from the dataclasses of definitions and settings."""

from typing import Any, get_type_hints

import msgspec

from cauce.app.field_docs import field_sentences, first_sentence, own_fields_first
from cauce.app.settings import Settings
from cauce.collect.files.mapping.schema import mapping_schema
from cauce.identity.rules import Ruleset
from cauce.identity.scenarios import Scenario
from cauce.vocabulary.definitions import DestinationDef, IdentityDef, SegmentDef, SourceDef, TraitDef
from cauce.vocabulary.definitions.destination import MODELS as DESTINATIONS

KINDS: dict[str, type[msgspec.Struct]] = {
    "source": SourceDef,
    "identity": IdentityDef,
    "trait": TraitDef,
    "segment": SegmentDef,
    "destination": DestinationDef,
}
"""The kinds of definitions, by the name of their schema."""

_OTHERS: dict[str, type[msgspec.Struct]] = {"scenario": Scenario}
"""Further files of YAML that people write."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_files() -> dict[str, str]:
    """File name → the text of each schema."""
    schemas = {kind: _definition_schema(model) for kind, model in {**KINDS, **_OTHERS}.items()}
    schemas["settings"] = {"$schema": _DIALECT, "title": "cauce.yaml", **_section_schema(Settings)}
    schemas["mapping"] = mapping_schema()
    return {f"{name}.json": _text(schema) for name, schema in schemas.items()}


def _definition_schema(model: type[msgspec.Struct]) -> dict[str, Any]:
    """A file holds one definition, or a list of them."""
    kinds = list(DESTINATIONS.values()) if model is DestinationDef else [model]
    models = [*kinds, Ruleset] if model is IdentityDef else kinds
    _, components = msgspec.json.schema_components(models, ref_template="#/$defs/{name}")
    if model is IdentityDef:
        properties = components["IdentityDef"]["properties"]
        sentence = properties["rules"]["description"]
        properties["rules"] = {"description": sentence, "$ref": "#/$defs/Ruleset"}
    ones = [{"$ref": f"#/$defs/{kind.__name__}"} for kind in kinds]
    one = ones[0] if len(ones) == 1 else {"anyOf": ones}
    return {
        "$schema": _DIALECT,
        "title": model.__name__,
        "anyOf": [one, {"type": "array", "items": one}],
        "$defs": components,
    }


def _section_schema(section: type[Any]) -> dict[str, Any]:
    types = get_type_hints(section, include_extras=True)
    sentences = field_sentences(section)
    properties = {}
    for one in own_fields_first(section):
        default = getattr(section(), one.name)
        if hasattr(default, "__dataclass_fields__"):
            properties[one.name] = _section_schema(type(default))
        else:
            properties[one.name] = {
                **msgspec.json.schema(types[one.name]),
                "description": sentences.get(one.name, ""),
                "default": msgspec.to_builtins(default),
            }
    return {
        "description": first_sentence(section),
        "type": ["object", "null"],  # null: a section whose lines are all comments
        "additionalProperties": False,
        "properties": properties,
    }


def _text(schema: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
