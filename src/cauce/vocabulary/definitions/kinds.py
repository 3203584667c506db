"""The kinds of definitions: which folder holds each, its class, and the field that names one."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple, get_args, get_type_hints

import msgspec

from cauce.vocabulary.definitions import (
    Definitions,
    DestinationDef,
    IdentityDef,
    SegmentDef,
    SourceDef,
    TraitDef,
)


class Kind(NamedTuple):
    """A kind of definition: its folder, its class, and the field that names one.

    ``field`` is that of ``Definitions`` which holds this kind.
    """

    folder: str
    model: type[msgspec.Struct]
    key: str
    field: str

    @property
    def type(self) -> Any:
        """What a definition of this kind is decoded as: its class, or the union of several."""
        return _types()[self.field]

    @property
    def models(self) -> Mapping[str, Any]:
        """The classes by the value of the key ``kind``; empty where there is one class only."""
        return {str(one.__struct_config__.tag): one for one in get_args(self.type)}

    def of(self, definitions: Definitions) -> Mapping[str, Any]:
        """The definitions of this kind, by name."""
        found: Mapping[str, Any] = getattr(definitions, self.field)
        return found


@cache
def _types() -> dict[str, Any]:
    return {field: get_args(type_)[1] for field, type_ in get_type_hints(Definitions).items()}


KINDS = (
    Kind("sources", SourceDef, "name", "sources"),
    Kind("identity", IdentityDef, "name", "identities"),
    Kind("traits", TraitDef, "name", "traits"),
    Kind("segments", SegmentDef, "key", "segments"),
    Kind("destinations", DestinationDef, "name", "destinations"),
)


def bundle(named: Iterable[tuple[str, Any]]) -> Definitions:
    """Definitions of all kinds with their names, as one whole in the order of the names."""
    by_field: dict[str, dict[str, Any]] = {kind.field: {} for kind in KINDS}
    for name, value in sorted(named, key=lambda one: one[0]):
        kind = next(kind for kind in KINDS if isinstance(value, kind.model))
        by_field[kind.field][name] = value
    return Definitions(**by_field)
