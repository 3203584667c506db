"""What the validator says about a value that does not fit its type, in words for who wrote it."""

import re
from typing import Any, NamedTuple

import msgspec

from cauce.vocabulary.nearest import did_you_mean
from cauce.vocabulary.yaml_lines import Steps

_STEP = re.compile(r"\[(?:(\d+)|(\.\.\.))\]|\.([^.\[`]+)")
_UNKNOWN = re.compile(r"unknown field `(.+)`")


class Misfit(NamedTuple):
    """What is wrong, the way from the value to it, and what to write instead."""

    message: str
    way: Steps
    hint: str


def explain_misfit(error: msgspec.ValidationError, value: object, type_: Any) -> Misfit:
    """The place, the nearest valid name, and what the field is for."""
    message, _, path = str(error).partition(" - at `$")
    way = _way(path, value, type_)
    schema = _schema_at(type_, way)
    if unknown := _UNKNOWN.search(message):
        name = unknown.group(1)
        known = schema.get("properties", {})
        return Misfit("unknown key.", (*way, name), did_you_mean(name, known))
    hint = schema.get("description", "")
    written = _value_at(value, way)
    if "enum" in schema and isinstance(written, str):
        hint = did_you_mean(written, map(str, schema["enum"]))
    return Misfit(f"{message[0].lower()}{message[1:].rstrip('.')}.", way, hint)


def _way(path: str, value: object, type_: Any) -> Steps:
    """The way that the validator names; where it says that some value of an object is wrong, to which."""
    way: Steps = ()
    for index, some, name in _STEP.findall(path):
        step = _wrong_key(value, way, type_) if some else int(index) if index else name
        if step is None:
            break
        way = (*way, step)
    return way


def _wrong_key(value: Any, way: Steps, type_: Any) -> str | None:
    """The first key of the object at ``way`` whose value does not fit if it is alone there."""
    found = _value_at(value, way)
    for key, inner in found.items() if isinstance(found, dict) else ():
        try:
            msgspec.convert(_with(value, way, {key: inner}), type_)
        except msgspec.ValidationError:
            return str(key)
    return None


def _with(value: Any, way: Steps, inner: object) -> Any:
    """The value with another one at ``way``."""
    if not way:
        return inner
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[way[0]] = _with(value[way[0]], way[1:], inner)
    return copy


def _schema_at(type_: Any, way: Steps) -> dict[str, Any]:
    root = msgspec.json.schema(type_)
    schema = _resolve(root, root)
    for step in way:
        values = schema.get("additionalProperties")
        named = schema.get("properties", {}).get(step, values if isinstance(values, dict) else None)
        inner = schema.get("items") if isinstance(step, int) else named
        schema = _resolve(root, inner or {})
    return schema


def _resolve(root: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference, and the first choice that is not null."""
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            return _resolve(root, {**choice, **{k: v for k, v in schema.items() if k != "anyOf"}})
    if "$ref" in schema:
        behind = root["$defs"][schema["$ref"].rpartition("/")[2]]
        return {**behind, **{k: v for k, v in schema.items() if k in ("description", "default")}}
    return schema


def _value_at(value: Any, way: Steps) -> object:
    for step in way:
        value = value[step]
    return value
