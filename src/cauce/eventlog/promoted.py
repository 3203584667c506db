"""Promoted columns: the values at one path of many bodies, typed, exactly as the rule language reads them.

A path leads from the event's ``properties`` or ``traits`` (``("properties", "total")``)
and has a column for each kind: ``properties.total:number`` and so on. A value
stands in the column of its kind and every other column is null; a text that
names a moment stands in ``:time`` too. What is of no such kind (a list, an
object, a number beyond 38 digits) stands in ``:json`` as JSON text, so the five
columns together hold everything that a rule can ask of the path.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from cauce.vocabulary.exact import encode_json, exact
from cauce.vocabulary.language.paths import Path, nfc, one_spelling, walk
from cauce.vocabulary.moment import parse_iso

PROPERTIES, TRAITS = "properties", "traits"
"""The first name of a promoted path."""


class Column(StrEnum):
    """The columns of a path."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    TIME = "time"
    JSON = "json"


TYPES = {
    Column.NUMBER: pa.decimal128(38, 9),
    Column.TEXT: pa.string(),
    Column.BOOLEAN: pa.bool_(),
    Column.TIME: pa.timestamp("us", tz="UTC"),
    Column.JSON: pa.string(),
}
"""Texts are in Unicode NFC; numbers are rounded half to even at the ninth decimal."""

_NUMBERS = (int, Decimal)
DEEPEST = 3
"""So many names of a path are observed; what lies deeper counts as an object."""
_ESCAPED = ("\\", ".", ":")


def column_name(path: Path, column: Column) -> str:
    """``properties.total:number``; a dot, colon or backslash within a name has a backslash before it."""
    return f"{path_name(path)}:{column.value}"


def path_name(path: Path) -> str:
    """The names of a path joined by dots."""
    escaped = []
    for name in path:
        for mark in _ESCAPED:
            name = name.replace(mark, f"\\{mark}")
        escaped.append(name)
    return ".".join(escaped)


class Found(NamedTuple):
    """What objects hold under one name: in which of them, and the values there (never null)."""

    places: list[int]
    values: list[Any]


Gathered = dict[str, Found]
"""By name as written."""


def gather(objects: Iterable[Any]) -> Gathered:
    """The values of every name in these objects; what is no object has none."""
    found: Gathered = {}
    for place, one in enumerate(objects):
        if type(one) is not dict:
            continue
        for name, value in one.items():
            if value is None:
                continue
            entry = found.get(name)
            if entry is None:
                entry = found[name] = Found([], [])
            entry.places.append(place)
            entry.values.append(value)
    return found


def values_at(gathered: Gathered, objects: Sequence[Any], path: Path) -> Found:
    """The values at a path below ``properties`` or ``traits``; absent ones are left out."""
    name = path[0]
    if not one_spelling(name):
        walked = [(place, walk(one, path)) for place, one in enumerate(objects)]
        return _present(walked)
    found = gathered.get(name, Found([], []))
    if len(path) == 1:
        return found
    return _present((place, walk(value, path[1:])) for place, value in zip(*found, strict=True))


def _present(found: Iterable[tuple[int, Any]]) -> Found:
    kept = [(place, value) for place, value in found if value is not None]
    return Found([place for place, _ in kept], [value for _, value in kept])


def spread(columns: dict[Column, pa.Array], places: Sequence[int], count: int) -> dict[Column, pa.Array]:
    """Columns of values with a row for each of ``count`` objects, null where there was no value."""
    if len(places) == count:
        return columns
    at = np.full(count, -1, dtype=np.int64)
    at[places] = np.arange(len(places))
    index = pa.array(at, mask=at < 0)
    return {column: array.take(index) for column, array in columns.items()}


def typed(values: Sequence[Any]) -> dict[Column, pa.Array]:
    """Decoded JSON values as columns, those alone that hold anything."""
    kinds = set(map(type, values))
    kinds.discard(type(None))
    found: dict[Column, pa.Array] = {}
    if kinds & {int, Decimal}:
        found[Column.NUMBER] = _numbers(values, kinds)
    if str in kinds:
        texts = [nfc(one) if type(one) is str else None for one in values]
        found[Column.TEXT] = pa.array(texts, TYPES[Column.TEXT])
        found[Column.TIME] = _times(texts)
    if bool in kinds:
        booleans = [one if type(one) is bool else None for one in values]
        found[Column.BOOLEAN] = pa.array(booleans, TYPES[Column.BOOLEAN])
    rest = _rest(values, kinds, found.get(Column.NUMBER))
    if rest is not None:
        found[Column.JSON] = rest
    return {column: array for column, array in found.items() if array.null_count < len(array)}


def _numbers(values: Sequence[Any], kinds: set[type]) -> pa.Array:
    plain = values if kinds <= {int, Decimal} else [o if type(o) in _NUMBERS else None for o in values]
    try:
        return pa.array(plain, TYPES[Column.NUMBER])  # exact, or refused
    except (pa.ArrowInvalid, OverflowError, ArithmeticError, ValueError):
        return pa.array([exact(one) for one in plain], TYPES[Column.NUMBER])


def _times(texts: Sequence[str | None]) -> pa.Array:
    moments = [parse_iso(text) if text and text[:4].isdigit() else None for text in texts]
    return pa.array(moments, pa.int64()).cast(TYPES[Column.TIME])  # also a year beyond 9999


def _rest(values: Sequence[Any], kinds: set[type], numbers: pa.Array | None) -> pa.Array | None:
    """What has no column of its own, as JSON text."""
    wanted: Iterable[int] = ()
    if kinds & {list, dict}:
        wanted = (at for at, one in enumerate(values) if type(one) in (list, dict))
    if numbers is not None and numbers.null_count:
        missing = numbers.is_null().to_pylist()
        beyond = [at for at, one in enumerate(values) if missing[at] and type(one) in _NUMBERS]
        wanted = [*wanted, *beyond]
    texts: list[str | None] = [None] * len(values)
    for at in wanted:
        texts[at] = encode_json(values[at]).decode()
    return pa.array(texts, TYPES[Column.JSON])


Observed = Counter[tuple[Path, str]]
"""How often a path held a value of a kind; kinds by their JSON names."""

_KINDS: dict[type, str] = {
    int: "number",
    Decimal: "number",
    str: "text",
    bool: "boolean",
    list: "list",
    dict: "object",
}


def observe(gathered: Gathered, root: str) -> Observed:
    """The paths and kinds in objects that hang below ``root``; nulls are not counted."""
    found: Observed = Counter()
    _observe(gathered, (root,), found)
    return found


def _observe(gathered: Gathered, above: Path, found: Observed) -> None:
    for name, (_, values) in gathered.items():
        path = (*above, nfc(name))
        kinds = Counter(map(type, values))
        for kind, count in kinds.items():
            found[path, _KINDS[kind]] += count
        if dict in kinds and len(path) < DEEPEST:
            _observe(gather(values), path, found)


def often(observed: Observed, rows: int, *, at_most: int, share: float) -> list[Path]:
    """The paths that at least this share of the rows hold a plain value at, most frequent first."""
    counts: Counter[Path] = Counter()
    for (path, kind), count in observed.items():
        if kind in ("number", "text", "boolean"):
            counts[path] += count
    wanted = [(count, path) for path, count in counts.items() if count >= share * rows and len(path) <= 3]
    wanted.sort(key=lambda one: (-one[0], one[1]))
    return [path for _, path in wanted[:at_most]]
