"""The page about definitions."""

from collections.abc import Sequence
from typing import Any

import msgspec

from cauce.app.reference.markdown import code, page, table
from cauce.app.space import TEMPLATE
from cauce.identity.rules import Blocked, Ruleset, TypeRule
from cauce.vocabulary.definitions import DestinationDef, FieldDef, IdentityDef
from cauce.vocabulary.definitions.kinds import KINDS, Kind

_HEAD = """\
# Definitions

Definitions are YAML files in the `definitions` folder of a space, with one folder for each kind. A file
holds one definition or a list of them, and every definition has an owner. `cauce definitions check` tells
everything that is wrong, with file, line and column; `cauce plan` what applying them would change, and
`cauce apply` brings them into force, [without a restart](../how-to/change-definitions.md).
"""


def definitions_reference() -> str:
    """Every kind of definition, its keys and an example."""
    return page(_HEAD, *(block for kind in KINDS for block in _kind(kind)))


def _kind(kind: Kind) -> list[str]:
    title = f"## {kind.folder}\n\n{_sentence(kind.model)}"
    blocks = [title, *_models(kind)]
    if kind.model is DestinationDef:
        blocks += [f"### {code('fields')}\n\n{_sentence(FieldDef)}", _keys(FieldDef)]
    if kind.model is IdentityDef:
        for name, model in (
            ("rules", Ruleset),
            ("rules.identifiers", TypeRule),
            ("rules.blocked", Blocked),
        ):
            blocks += [f"### {code(name)}\n\n{_sentence(model)}", _keys(model)]
    examples = sorted((TEMPLATE / kind.folder).glob("*.yaml"))
    return [*blocks, *(f"```yaml\n{file.read_text(encoding='utf-8').strip()}\n```" for file in examples)]


def _models(kind: Kind) -> list[str]:
    """The keys of a kind; where it has several classes, those of each."""
    if not kind.models:
        return [_keys(kind.model)]
    shared = [one.name for one in msgspec.structs.fields(kind.model)]
    first = next(iter(kind.models.values()))
    own = [one.name for one in msgspec.structs.fields(first) if one.name not in shared]
    blocks = ["Keys of every kind, beside `kind` itself:", _keys(first, without=own)]
    for name, model in kind.models.items():
        blocks += [f"### {code(f'kind: {name}')}\n\n{_sentence(model)}", _keys(model, without=shared)]
    return blocks


def _sentence(model: type[Any]) -> str:
    return (model.__doc__ or "").partition("\n")[0]


def _keys(model: type[msgspec.Struct], without: Sequence[str] = ()) -> str:
    _, components = msgspec.json.schema_components([model], ref_template="{name}")
    described = components[model.__name__]["properties"]
    rows = []
    for field in msgspec.structs.fields(model):
        if field.name in without:
            continue
        schema = described[field.encode_name]
        default = "required" if field.required else _default(field)
        rows.append((code(field.name), _type(schema, components), default, schema.get("description", "")))
    return table(("key", "value", "default", "meaning"), rows)


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    return "" if value in ("", None, (), {}) else code(msgspec.json.encode(value).decode().strip('"'))


def _type(schema: dict[str, Any], components: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _type(components[schema["$ref"]], components)
    if "enum" in schema:
        return ", ".join(code(str(word)) for word in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(one, components) for one in schema["anyOf"] if one.get("type") != "null")
    kind = str(schema.get("type", "any"))
    return {"array": "list", "string": "text", "object": "mapping"}.get(kind, kind)
