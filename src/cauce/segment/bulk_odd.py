"""Odd values in bulk: what SQL would read otherwise than the rule language, read in Python.

SQL reads plain values itself (``bulk_fields``). Numbers of many digits, repeated
or escaped names, texts outside the common scripts, lists and objects come here,
to the same functions that evaluate a rule on one person.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

import duckdb
import msgspec
import pyarrow as pa
from duckdb.func import ARROW, SPECIAL

from cauce.vocabulary.event import Call
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.language.paths import Path, nfc, walk
from cauce.vocabulary.language.reduce import mode, unique
from cauce.vocabulary.language.tree import number_text
from cauce.vocabulary.language.values import INCOMPARABLE, as_number, canonical
from cauce.vocabulary.moment import parse_iso

BETWEEN = "\x02"
"""Stands around every element of a list, and nowhere else in a leaf."""

TEXT = "s"
"""Stands before a text that is no JSON text but the text itself, in NFC."""


def leaf(value: Any) -> str | None:
    """A value as ``bulk_fields`` reads it: equal leaves, equal values; None if absent.

    Numbers in plain digits, lists with ``BETWEEN`` around their elements,
    objects canonical, ``INCOMPARABLE`` for a number beyond 38 digits.
    """
    if value is None:
        return None
    if type(value) is str:
        return TEXT + nfc(value)
    if type(value) is list:
        return f"[{BETWEEN}{''.join(canonical(element) + BETWEEN for element in value)}]"
    return canonical(value)


def leaf_of_event(body: str, call: str, path: str) -> str | None:
    """The leaf of an event's property; the properties are those of ``event.read_event``."""
    decoded = _decoded(body)
    if type(decoded) is not dict:
        return None
    properties = decoded.get("properties")
    names = _path(path)
    name = decoded.get("name")
    if call in (Call.PAGE, Call.SCREEN) and names[0] == f"{call}_name" and type(name) is str:
        return leaf(name) if len(names) == 1 else None
    return leaf(walk(properties, names))


def leaf_of_trait(value: str, path: str) -> str | None:
    """The leaf of a trait's value, or of what a path leads to in it."""
    return leaf(walk(_decoded(value), _path(path)))


def leaf_of_json(text: str) -> str | None:
    """The leaf of a value as JSON text."""
    return leaf(_decoded(text))


def digits(text: str) -> str | None:
    """The plain digits of a text that is a number."""
    number = as_number(text)
    return None if number is None else number_text(number)


def element(form: str) -> str:
    """The canonical text of a leaf, as it stands in a list that has the value as an element."""
    if form.startswith("["):
        return f"[{form[2:-2].replace(BETWEEN, ',')}]"
    if form.startswith(TEXT):
        return canonical(form[1:])
    return form if form.startswith(("{", INCOMPARABLE)) else canonical(_decoded(form))


def mode_of(leaves: str, least: str) -> str | None:
    """The leaf of the value seen most often among those of a JSON list of leaves."""
    return leaf(mode(map(value_of, _listed(leaves)), int(least)))


def unique_of(leaves: str) -> str | None:
    """The leaf of the list of distinct values among those of a JSON list of leaves."""
    return leaf(unique(map(value_of, _listed(leaves))))


def _listed(leaves: str) -> list[str]:
    return cast("list[str]", decode_json(leaves))


def value_of(form: str) -> Any:
    """The value of a leaf as decoded JSON; None of a number beyond 38 digits."""
    if form.startswith(TEXT):
        return form[1:]
    if form.startswith("["):
        return [_decoded(part) for part in form[1:-1].split(BETWEEN) if part]
    return _decoded(form)


def _decoded(text: str) -> Any:
    try:
        return decode_json(text)
    except (msgspec.DecodeError, ArithmeticError):  # the door lets no such text in
        return None


@lru_cache(maxsize=200)
def _path(text: str) -> Path:
    return tuple(cast("list[str]", decode_json(text)))


_FUNCTIONS: dict[str, tuple[Callable[..., Any], int, str]] = {
    "cauce_event_leaf": (leaf_of_event, 3, "VARCHAR"),
    "cauce_trait_leaf": (leaf_of_trait, 2, "VARCHAR"),
    "cauce_json_leaf": (leaf_of_json, 1, "VARCHAR"),
    "cauce_moment": (parse_iso, 1, "BIGINT"),
    "cauce_digits": (digits, 1, "VARCHAR"),
    "cauce_element": (element, 1, "VARCHAR"),
    "cauce_nfc": (nfc, 1, "VARCHAR"),
    "cauce_mode": (mode_of, 2, "VARCHAR"),
    "cauce_unique": (unique_of, 1, "VARCHAR"),
}
_ARROW = {"VARCHAR": pa.string(), "BIGINT": pa.int64()}


@contextmanager
def odd_functions(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """The functions above in SQL, as long as the context lasts."""
    for name, (function, arity, result) in _FUNCTIONS.items():
        connection.create_function(
            name,
            _by_column(function, arity, _ARROW[result]),
            ["VARCHAR"] * arity,
            result,
            type=ARROW,
            null_handling=SPECIAL,
        )
    try:
        yield
    finally:
        for name in _FUNCTIONS:
            connection.remove_function(name)


def _by_column(function: Callable[..., Any], arity: int, result: pa.DataType) -> Callable[..., pa.Array]:
    """A function of rows as one of columns; DuckDB counts the parameters in its signature."""

    def call(*columns: Any) -> pa.Array:
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        return pa.array([None if None in row else function(*row) for row in rows], result)

    if arity == 1:
        return lambda one: call(one)
    return (lambda one, two: call(one, two)) if arity == 2 else lambda one, two, three: call(one, two, three)
