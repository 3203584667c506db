"""Reading what an event's field is made of: a column, a constant, a text with columns in it, a total.

A plain word names a column. Everything else is an object with one of the keys
``column``, ``constant``, ``text``, ``sum``, ``count``, ``items``; ``unless``
beside it names a column that must be empty for the value to be there. ``sum``,
``count`` and ``items`` go over the lines of the event.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from cauce.collect.files.mapping.entry import Entry
from cauce.collect.files.mapping.model import (
    Column,
    Constant,
    Count,
    Fields,
    Items,
    Path,
    Sum,
    Template,
    Unless,
    Value,
)

VALUE_KEYS = ("column", "constant", "text", "sum", "count", "items")
LIST_KEYS = ("sum", "count", "items")
MAX_STEPS = 32

_STEP = re.compile(r"((?:[^.\\]|\\.)*)(\.|$)", re.DOTALL)
_PART = re.compile(r"\{([^{}]*)\}")


def read_fields(entry: Entry, *, several: bool) -> Fields:
    """The fields of an object; a dot in a key leads into an inner object, unless a backslash is before it."""
    fields: dict[Path, Value] = {}
    for key, value in entry.entries():
        path = split_path(key)
        if not path or not all(path):
            raise value.error(f"the path {key} has an empty name.")
        if len(path) > MAX_STEPS:
            raise value.error(f"a path leads through {MAX_STEPS} objects at most.")
        for other in fields:
            shorter = min(len(path), len(other))
            if path[:shorter] == other[:shorter]:
                raise value.error(f"{key} and {'.'.join(other)} cannot both be set.")
        fields[path] = read_value(value, several=several)
    return fields


def read_value(entry: Entry, *, several: bool, literal: bool = False) -> Value:
    """One value.

    ``several``: the lines of the event are at hand. ``literal``: a plain word is
    the text itself, not a column.
    """
    if not isinstance(entry.value, dict):
        if isinstance(entry.value, str):
            return Constant(entry.text()) if literal else Column(entry.text())
        raise entry.error("a plain value names a column, as text.", "Write {constant: …} for a fixed value.")
    entry.only((*VALUE_KEYS, "times", "unless"))
    kinds = [key for key in VALUE_KEYS if key in entry]
    if len(kinds) != 1:
        raise entry.error(f"expected exactly one of {', '.join(VALUE_KEYS)}.")
    (kind,) = kinds
    if kind in LIST_KEYS and not several:
        raise entry.error(f"{kind} is a value of properties, traits or context only.")
    if "times" in entry and kind != "sum":
        raise entry.error("times goes with sum only.")
    value = _read(kind, entry)
    unless = entry.get("unless")
    return Unless(value, unless.text()) if unless else value


def _read(kind: str, entry: Entry) -> Value:
    inner = Entry(entry.document, entry.value[kind], (*entry.steps, kind))
    if kind == "constant":
        return Constant(_constant(inner))
    if kind == "text":
        return _template(inner)
    if kind == "sum":
        times = entry.get("times")
        return Sum(inner.text(), times.text() if times else None)
    if kind == "items":
        return Items(read_fields(inner, several=False))
    if kind == "count":
        if inner.value != "lines":
            raise inner.error("count counts lines.", "Write {count: lines}.")
        return Count()
    return Column(inner.text())


def _constant(entry: Entry) -> str | int | bool | Decimal:
    if not isinstance(entry.value, str | int | bool | Decimal):
        raise entry.error("a constant is a text, a number, true or false.")
    return entry.value


def _template(entry: Entry) -> Template:
    parts: list[str | Column] = []
    for index, part in enumerate(_PART.split(entry.text())):
        if index % 2:
            parts.append(Column(part))
        elif part:
            parts.append(part)
    if any(isinstance(part, str) and ("{" in part or "}" in part) for part in parts) or Column("") in parts:
        raise entry.error("the braces do not name columns.", "Write columns as {Name}.")
    return Template(tuple(parts))


def split_path(text: str) -> Path:
    """The names of a path, e.g. ``page.url``; a backslash takes the next character as it is."""
    return tuple(re.sub(r"\\(.)", r"\1", part) for part in _steps(text))


def _steps(text: str) -> Iterator[str]:
    start = 0
    while found := _STEP.match(text, start):
        yield found[1]
        if not found[2]:
            return
        start = found.end()


def columns_of(value: Value) -> list[str]:
    """The columns that a value is made of."""
    if isinstance(value, Column):
        return [value.name]
    if isinstance(value, Template):
        return [part.name for part in value.parts if isinstance(part, Column)]
    if isinstance(value, Unless):
        return [*columns_of(value.value), value.column]
    if isinstance(value, Sum):
        return [value.column] if value.times is None else [value.column, value.times]
    if isinstance(value, Items):
        return [name for field in value.fields.values() for name in columns_of(field)]
    return []
