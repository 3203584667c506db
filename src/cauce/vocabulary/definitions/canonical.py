"""Definitions as text that is equal where they mean the same: what versions keep and compare.

The text is JSON with sorted keys, without the fields that have their default, so
a field that a later version of Cauce adds changes no definition written before.
"""

from collections.abc import Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from cauce.vocabulary.definitions import Definitions
from cauce.vocabulary.definitions.kinds import KINDS, bundle
from cauce.vocabulary.errors import Unsupported
from cauce.vocabulary.exact import decode_json

_encoder = msgspec.json.Encoder(decimal_format="number", order="deterministic")


class Key(NamedTuple):
    """Which definition: the folder of its kind, and its name."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


Contents = Mapping[Key, str]
"""Every definition of a space as canonical text."""


def written_fields(definition: msgspec.Struct) -> dict[str, Any]:
    """The fields that differ from their defaults, in the order of the class, after the tag of its kind."""
    config = definition.__struct_config__
    found: dict[str, Any] = {config.tag_field: config.tag} if config.tag_field else {}
    for one in msgspec.structs.fields(type(definition)):
        value = getattr(definition, one.name)
        if one.required or value != _default(one):
            found[one.name] = value
    return found


def _default(field: Any) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return field.default_factory()


def canonical(definition: msgspec.Struct) -> str:
    """The canonical text of one definition."""
    return _encoder.encode(written_fields(definition)).decode()


def contents(definitions: Definitions) -> dict[Key, str]:
    """The canonical text of every definition."""
    return {
        Key(kind.folder, name): canonical(value)
        for kind in KINDS
        for name, value in kind.of(definitions).items()
    }


def read_contents(kept: Contents) -> Definitions:
    """The definitions of canonical texts.

    Raises ``Unsupported`` if another version of Cauce wrote what this one cannot read.
    """
    kinds = {kind.folder: kind for kind in KINDS}
    found = []
    for key, text in kept.items():
        try:
            value = msgspec.convert(decode_json(text), kinds[key.kind].type)
        except (msgspec.ValidationError, KeyError) as error:
            raise Unsupported(
                f"The applied definition {key} cannot be read by this version of Cauce.",
                hint="Use the version of Cauce that applied it.",
            ) from error
        found.append((key.name, value))
    return bundle(found)


def hash_of(text: str) -> str:
    """The name of a canonical text: equal texts have equal hashes."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def hash_of_all(kept: Contents) -> str:
    """The name of all definitions together."""
    return hash_of("\n".join(f"{key} {hash_of(text)}" for key, text in sorted(kept.items())))


def plain(value: Any) -> Any:
    """A field's value as plain dict, list, text and exact numbers, for printing and for files."""
    return msgspec.to_builtins(value, builtin_types=(Decimal,))
