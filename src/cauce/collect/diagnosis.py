"""The slow, exact look at an event: taken only where a cheap test or the decoder says that it may be bad."""

import json
from typing import Any, NoReturn

from cauce.collect.numbers import TOO_LARGE, NotFinite, check_float, check_integer
from cauce.collect.reasons import Problem, Reason
from cauce.collect.scan import is_deeper

_NOT_FINITE = Problem(Reason.NUMBER_NOT_FINITE, "A number is beyond the range of a double, or not a number.")
_NUL_FOUND = Problem(Reason.NUL_CHARACTER, "A text holds the NUL character.")
_SURROGATE = Problem(Reason.LONE_SURROGATE, "A text holds half of a surrogate pair.")
_NOT_UTF8 = Problem(Reason.INVALID_UTF8, "The text is not UTF-8.")


def hazard(item: bytes, value: object, max_nesting: int) -> Problem | None:
    """What some engine could not represent in ``item``, decoded as ``value``; None if all is well."""
    if is_deeper(item, max_nesting):
        return too_deep(max_nesting)
    waiting: list[Any] = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting.extend(part)
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, str):
            if "\0" in part:
                return _NUL_FOUND
            if not part.isascii() and any("\ud800" <= character <= "\udfff" for character in part):
                return _SURROGATE
        elif isinstance(part, int) and abs(part) >= TOO_LARGE:
            return _NOT_FINITE
    return None


def too_deep(max_nesting: int) -> Problem:
    """The problem of an event that is nested more than ``max_nesting`` deep."""
    return Problem(Reason.NESTED_TOO_DEEP, f"Objects and lists are nested more than {max_nesting} deep.")


def why_malformed(text: bytes, max_nesting: int) -> Problem:
    """Why the decoder refused ``text``."""
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        return _NOT_UTF8
    if is_deeper(text, max_nesting):
        return too_deep(max_nesting)
    if "\0" in decoded:
        return _NUL_FOUND
    try:
        value = _plain.decode(decoded)
    except NotFinite:
        return _NOT_FINITE
    except json.JSONDecodeError as error:
        return Problem(Reason.MALFORMED_JSON, f"{error.msg} at character {error.pos}.")
    return hazard(text, value, max_nesting) or Problem(Reason.MALFORMED_JSON, "The JSON is malformed.")


def _no_constant(_: str) -> NoReturn:
    """``NaN`` and ``Infinity``, which some encoders write, are no JSON."""
    raise NotFinite


_plain = json.JSONDecoder(parse_constant=_no_constant, parse_float=check_float, parse_int=check_integer)
"""Slower than msgspec, and it says where the text is wrong."""
