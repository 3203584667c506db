"""Cheap tests of JSON text for what some engine cannot represent: numbers, NUL, UTF-8, nesting.

They answer "perhaps" or "no", and never "no" wrongly. A batch is tested as a
whole, because a test costs little per byte and much per call; above a few
kilobytes NumPy looks at all bytes at once.
"""

import re

import numpy as np

from cauce.collect.numbers import LONG_RUN

_LONG_TEXT = 4_096
_NUL = b"\\u0000"
_STRIDE = 20
_SAMPLES = LONG_RUN // _STRIDE
_RUN = re.compile(rb"[0-9]{%d}" % _SAMPLES).search

_EXPONENT = rb"(?=[-+0-9])[-+]?[0-9]{3,}[,}\]\s]"
_SMALL_E = re.compile(rb"e" + _EXPONENT).search
_CAPITAL_E = re.compile(rb"E" + _EXPONENT).search
_ANY_E = re.compile(rb"[eE]" + _EXPONENT).match
# Two patterns to search with, because each begins with one letter that a fast search finds. A number ends
# with a comma, a bracket or white space, which sets it apart from the hexadecimal digits of ids. What it
# looks ahead to spares most letters the rest.

_LOWER = 0x20  # of a letter; of brackets it makes braces
_ZERO, _E, _OPENING = ord("0"), ord("e"), ord("{")


def may_be_hazardous(text: bytes, longest: int, max_nesting: int) -> bool:
    """Whether an event in ``text`` may hold what some engine cannot; false only if none does.

    ``longest`` is the length of the longest event in it. A NUL can only stand
    there as the escape ``\\u0000``. A number is beyond a double only with an
    exponent of three digits, or with 200 digits before it. Nesting needs as many
    opening brackets within the length of one event.
    """
    look = _long_text if len(text) > _LONG_TEXT else _short_text
    return (
        look(text, longest, max_nesting)
        or (b"\\" in text and _NUL in text)
        or not (text.isascii() or _is_utf8(text))
    )


def _short_text(text: bytes, _: int, max_nesting: int) -> bool:
    return (
        text.count(b"{") + text.count(b"[") > max_nesting
        or _SMALL_E(text) is not None
        or _CAPITAL_E(text) is not None
        or (len(text) > LONG_RUN and _RUN(text[::_STRIDE]) is not None)
    )


def _long_text(text: bytes, longest: int, max_nesting: int) -> bool:
    codes = np.frombuffer(text, np.uint8)
    lower = codes | _LOWER
    opening = np.flatnonzero(lower == _OPENING)
    if len(opening) > max_nesting and (opening[max_nesting:] - opening[:-max_nesting]).min() < longest:
        return True
    digit = (codes - _ZERO) < 10  # unsigned: what is below zero is far above nine
    run, length = digit[::_STRIDE], 1  # of samples, each the first of so many digits
    while length < _SAMPLES:
        more = min(length, _SAMPLES - length)
        run, length = run[:-more] & run[more:], length + more
    if run.any():
        return True
    exponent = digit[:-4] & (lower[1:-3] == _E) & digit[3:-1] & digit[4:]
    return any(_ANY_E(text, at + 1) for at in np.flatnonzero(exponent).tolist())


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
