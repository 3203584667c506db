"""Records whose cells have types already: what Parquet and Excel give, as JSON values."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

import msgspec

from cauce.collect.files.record import Record
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.nearest import did_you_mean

_canonical = msgspec.json.Encoder(decimal_format="number", order="sorted")


def plain(value: Any) -> Any:
    """A value as JSON has it: exact numbers, times in ISO 8601; None if it is no value (NaN).

    Raises ``ValueError`` if no JSON value can stand for it.
    """
    if value is None or isinstance(value, str | bool | int | Decimal):
        return value if not isinstance(value, Decimal) or value.is_finite() else None
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return Decimal(value // timedelta(microseconds=1)).scaleb(-6)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return value.decode()
    raise ValueError(type(value).__name__)


def _number(value: float) -> int | Decimal | None:
    """The shortest decimal number that is this binary one; a whole one as an integer."""
    if not isfinite(value):
        return None
    return int(value) if value.is_integer() else Decimal(repr(value))


def typed_records(
    rows: Iterator[tuple[int, Sequence[Any]]], header: Sequence[str], wanted: Sequence[str]
) -> Iterator[Record]:
    """The records of rows, each with its number; ``header`` names the cells of a row."""
    picks = [header.index(name) for name in wanted]
    for number, cells in rows:
        try:
            values = [plain(cell) for cell in cells]
        except (ValueError, OverflowError):
            yield Record(
                number, b"", reason="wrong_type", detail="A cell holds what no JSON value can stand for."
            )
            continue
        content = _canonical.encode(values).decode()
        raw = encode_json(dict(zip(header, values, strict=True)))
        yield Record(number, raw, (content,), [values[pick] for pick in picks])


def check_header(file: str, header: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise ``InvalidInput`` unless every wanted column is in the header, once."""
    for name in wanted:
        if name not in header:
            shown = ", ".join(header[:20]) + (" …" if len(header) > 20 else "")
            raise InvalidInput(
                f"{file} has no column {name}. Its columns ({len(header)}): {shown}",
                hint=did_you_mean(name, header),
            )
        if list(header).count(name) > 1:
            raise InvalidInput(f"{file} has the column {name} {list(header).count(name)} times.")
