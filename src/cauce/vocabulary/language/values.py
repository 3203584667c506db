"""Values as rules see them: their kinds, conversions and equality (``language.md`` rules 1 to 6).

Values come in as decoded JSON (``exact.decode_json``). The functions named after
a kind give the comparable form of a value of that kind and None of any other.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from cauce.vocabulary.exact import Number, encode_json, exact
from cauce.vocabulary.language.paths import nfc
from cauce.vocabulary.language.tree import Kind, Value, number_text
from cauce.vocabulary.moment import Moment, parse_iso

JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
DEEPEST = 100
"""Lists and objects nested deeper than this equal nothing; the door lets in far less."""

INCOMPARABLE = "\x01"
"""Stands in a canonical text for what equals nothing: a number beyond 38 digits."""

number: Callable[[Any], Number | None] = exact


def text(value: Any) -> str | None:
    """A text in NFC."""
    return nfc(value) if type(value) is str else None


def boolean(value: Any) -> bool | None:
    """A boolean."""
    return value if type(value) is bool else None


def moment(value: Any) -> Moment | None:
    """The moment that a text with a zone names (rule 5)."""
    return parse_iso(value) if type(value) is str else None


def canonical(value: Any, depth: int = 0) -> str:
    """JSON text with exact numbers in plain digits, texts and names in NFC, names in order (rule 6).

    Equal texts, equal values, except where ``INCOMPARABLE`` occurs.
    """
    kind = type(value)
    if kind is str:
        return encode_json(nfc(value)).decode()
    if kind is int or kind is Decimal:
        exactly = exact(value)
        return INCOMPARABLE if exactly is None else number_text(exactly)
    if kind is list and depth < DEEPEST:
        return f"[{','.join(canonical(element, depth + 1) for element in value)}]"
    if kind is dict and depth < DEEPEST:
        inner = {nfc(key): canonical(item, depth + 1) for key, item in value.items() if item is not None}
        return f"{{{','.join(f'{canonical(key)}:{inner[key]}' for key in sorted(inner))}}}"
    if value is None:
        return "null"
    return {True: "true", False: "false"}[value] if kind is bool else INCOMPARABLE


def as_number(value: Any) -> Number | None:
    """``as number``: a number, or a text that is a JSON number."""
    if type(value) is str and JSON_NUMBER.fullmatch(value):
        try:
            return exact(Decimal(value))
        except InvalidOperation:  # the exponent is beyond what a Decimal can hold
            return None
    return exact(value)


def as_text(value: Any) -> str | None:
    """``as text``: a text, or a number in plain digits, or true or false."""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is str:
        return nfc(value)
    exactly = exact(value)
    return None if exactly is None else number_text(exactly)


def _whole(kind: type) -> Callable[[Any], str | None]:
    def read(value: Any) -> str | None:
        form = canonical(value) if type(value) is kind else INCOMPARABLE
        return None if INCOMPARABLE in form else form

    return read


READ_AS: dict[Kind, Callable[[Any], Any]] = {
    Kind.BOOLEAN: boolean,
    Kind.NUMBER: number,
    Kind.TEXT: text,
    Kind.TIME: moment,
    Kind.LIST: _whole(list),
    Kind.OBJECT: _whole(dict),
}
"""The comparable form of a value that is not converted, by kind."""

CONVERT: dict[Kind, Callable[[Any], Any]] = {
    Kind.NUMBER: as_number,
    Kind.TEXT: as_text,
    Kind.TIME: moment,
}
"""The conversions that ``as`` names."""


def kind_of(value: Any) -> Kind | None:
    """The kind of a decoded JSON value; None of null and of a number beyond 38 digits."""
    kind = _KINDS.get(type(value))
    return None if kind is Kind.NUMBER and exact(value) is None else kind


_KINDS = {
    bool: Kind.BOOLEAN,
    int: Kind.NUMBER,
    Decimal: Kind.NUMBER,
    str: Kind.TEXT,
    list: Kind.LIST,
    dict: Kind.OBJECT,
}


def scalar_order(value: Any) -> tuple[int, bool | Number | str] | None:
    """What orders booleans, numbers and texts among each other (rule 20); None of anything else.

    Equal orders, equal values: false before true, then numbers by value, then
    texts by code point.
    """
    kind = type(value)
    if kind is bool:
        return 0, value
    if kind is str:
        return 2, nfc(value)
    exactly = exact(value)
    return None if exactly is None else (1, exactly)


def tidy(value: Any) -> Any:
    """A number without zeros at the end, a list with such numbers; anything else as it is."""
    if type(value) is Decimal:
        text = number_text(value)
        return Decimal(text) if "." in text else int(text)
    return [tidy(element) for element in value] if type(value) is list else value


def plain(value: Value) -> Any:
    """A literal as decoded JSON: lists instead of tuples."""
    return [plain(element) for element in value] if isinstance(value, tuple) else value
