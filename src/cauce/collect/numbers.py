"""Numbers that some engine could not represent: found at the door, so that none is ever stored.

A number is good if it is finite as a double, if ``Decimal`` can read it, and if
Python may convert it: that is what ``decode_json`` and the engines need.
"""

import math
from decimal import Decimal, InvalidOperation

MAX_DIGITS = 308
"""A whole number has at most so many digits; the range of a double ends there."""

TOO_LARGE = 10**MAX_DIGITS

LONG_RUN = 200
"""A number with fewer digits before its point and an exponent below 100 is finite."""


class NotFinite(ValueError):
    """A number is beyond what a double or ``Decimal`` can hold."""


def check_float(text: str) -> float:
    """Raise ``NotFinite`` unless the number in ``text`` is good; the value itself is not needed: 0.

    Made as ``float_hook`` of a decoder, which calls it for every number with a
    point or an exponent.
    """
    if len(text) > LONG_RUN or "e" in text or "E" in text:
        _check_exactly(text)
    return 0.0


def _check_exactly(text: str) -> None:
    try:
        good = math.isfinite(float(text)) and Decimal(text).is_finite()
    except InvalidOperation:
        good = False
    if not good:
        raise NotFinite


def check_integer(text: str) -> int:
    """Raise ``NotFinite`` if a whole number is beyond a double; made as ``parse_int`` of ``json``."""
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise NotFinite
    return int(text)
