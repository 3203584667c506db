"""What differs between two sets of definitions: definition by definition, field by field."""

from typing import Any

import msgspec

from cauce.app.plan.model import Act, DefinitionChange, FieldChange
from cauce.vocabulary.definitions import Definitions
from cauce.vocabulary.definitions.canonical import canonical, plain, written_fields
from cauce.vocabulary.definitions.kinds import KINDS


def differences(before: Definitions, after: Definitions) -> list[DefinitionChange]:
    """Every definition that differs, by kind and name; none if the two mean the same."""
    found = []
    for kind in KINDS:
        old, new = kind.of(before), kind.of(after)
        for name in sorted(old.keys() | new.keys()):
            change = _change(kind.folder, name, old.get(name), new.get(name))
            if change is not None:
                found.append(change)
    return found


def _change(
    kind: str, name: str, old: msgspec.Struct | None, new: msgspec.Struct | None
) -> DefinitionChange | None:
    if old is not None and new is not None and canonical(old) == canonical(new):
        return None
    act = Act.ADDED if old is None else Act.REMOVED if new is None else Act.CHANGED
    return DefinitionChange(kind, name, act, _fields(_plain_fields(old), _plain_fields(new)))


def _plain_fields(definition: msgspec.Struct | None) -> dict[str, Any]:
    if definition is None:
        return {}
    fields: dict[str, Any] = plain(written_fields(definition))
    return fields


def _fields(old: dict[str, Any], new: dict[str, Any]) -> list[FieldChange]:
    names = [*new, *(name for name in old if name not in new)]
    return [
        FieldChange(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)
    ]
