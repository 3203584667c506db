"""Exact numbers and the decoding of JSON without binary floats.

A number in rules and in state is an integer of 64 bits or a decimal(38, 9),
made from the JSON text (``language.md`` rule 3), so that every engine agrees
to the last digit.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

import msgspec

Number = int | Decimal

_INT64 = range(-(2**63), 2**63)
_NINTH = Decimal("0.000000001")
_ROUNDING = Context(prec=60, rounding=ROUND_HALF_EVEN, Emax=999_999, Emin=-999_999)
_LIMIT = Decimal(10) ** 29

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def exact(value: object) -> Number | None:
    """The exact number of a decoded JSON value; None if it is not one.

    Rounds half to even at the ninth decimal. More than 38 digits in all
    (29 before the point) is not a number, and neither is a boolean.
    """
    if type(value) is int:
        return value if value in _INT64 else _decimal(Decimal(value))
    if type(value) is Decimal:
        return _decimal(value)
    return None


def _decimal(value: Decimal) -> Number | None:
    if not value.is_finite() or (value and value.adjusted() > 38):
        return None
    try:
        rounded = value.quantize(_NINTH, context=_ROUNDING)
    except InvalidOperation:
        return None
    return rounded if rounded.copy_abs() < _LIMIT else None  # abs() would round to 28 digits


def nanos(number: Number) -> int:
    """An exact number in billionths, as a whole number of any size: sums of these lose nothing."""
    return number * 10**9 if isinstance(number, int) else int(_ROUNDING.scaleb(number, 9))


def from_nanos(billionths: int) -> Number | None:
    """The exact number of so many billionths; None beyond 38 digits in all."""
    if abs(billionths) >= 10**38:
        return None
    whole, rest = divmod(billionths, 10**9)
    if rest == 0 and whole in _INT64:
        return whole
    return _ROUNDING.scaleb(Decimal(billionths), -9)


def decode_json(data: bytes | str) -> object:
    """Decode JSON; numbers with a point or an exponent become ``Decimal``.

    Raises ``msgspec.DecodeError`` on malformed JSON.
    """
    return _decoder.decode(data)


def encode_json(value: object) -> bytes:
    """Encode to compact JSON; ``Decimal`` is written as a JSON number."""
    return _encoder.encode(value)
