"""From the text of a cell to a value: text, exact number, whole number, boolean, moment."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from cauce.collect.files.mapping.model import ColumnType, Kind
from cauce.collect.files.reasons import FileReason
from cauce.collect.files.time_format import time_parser
from cauce.collect.reasons import Reason
from cauce.vocabulary.moment import SECOND, Moment, from_datetime, to_datetime

Convert = Callable[[Any], Any]
"""From a cell to its value, None if it is empty; raises ``WrongValue``."""

MAX_DIGITS = 100
"""A number has at most so many digits, and its first is at most as many places from the point."""

_REMEMBERED = 1 << 16
_MILLISECOND = 1000
_HELD = {
    Kind.TEXT: "text",
    Kind.NUMBER: "a number",
    Kind.INTEGER: "a whole number",
    Kind.BOOLEAN: "true or false",
    Kind.TIME: "a time in the declared format",
    Kind.ANY: "a JSON value",
}


class WrongValue(Exception):
    """A cell does not hold what its column declares: a code, and a message without personal data."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class _NoZone(ValueError):
    """A time is written without zone, and the column declares none."""


def converter(name: str, type_: ColumnType, empty: frozenset[str], *, texts: bool) -> Convert:
    """How the cells of a column become values; ``empty`` holds the words that mean nothing.

    ``texts``: all cells are text, so that values can be remembered; cells of one
    column repeat. Text itself is not: it may be long.
    """
    convert = _KINDS[type_.kind](type_)

    def _read(cell: Any) -> Any:
        if cell is None or (type(cell) is str and cell.strip() in empty):
            if type_.required:
                raise WrongValue(FileReason.MISSING_VALUE, f"{name} is empty")
            return None
        try:
            return convert(cell)
        except _NoZone:
            raise WrongValue(
                FileReason.NO_ZONE, f"{name} has no time zone, and the mapping declares none"
            ) from None
        except (ValueError, TypeError, ArithmeticError, AttributeError):
            raise WrongValue(Reason.WRONG_TYPE, f"{name} does not hold {_HELD[type_.kind]}") from None

    if not texts:
        return _read
    if type_.kind in (Kind.TEXT, Kind.ANY):
        return _read if type_.required else lambda cell: None if cell.strip() in empty else cell
    return lru_cache(maxsize=_REMEMBERED)(_read)


def _text(_: ColumnType) -> Convert:
    def _read(cell: Any) -> str:
        if type(cell) is str:
            return cell
        if type(cell) is int or type(cell) is Decimal:
            return str(cell)
        raise ValueError

    return _read


def _any(_: ColumnType) -> Convert:
    return lambda cell: cell


def _number(type_: ColumnType) -> Convert:
    decimal, thousands = re.escape(type_.decimal), re.escape(type_.thousands)
    whole = rf"\d+|\d{{1,3}}(?:{thousands}\d{{3}})+" if thousands else r"\d+"
    pattern = re.compile(
        rf"[+-]?(?:(?:{whole})(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d{{1,3}})?", re.ASCII
    )

    def _read(cell: Any) -> Decimal:
        if type(cell) is str:
            text = cell.strip()
            if type_.unit:
                text = text.removesuffix(type_.unit).removeprefix(type_.unit).strip()
            if len(text) > MAX_DIGITS or not pattern.fullmatch(text):
                raise ValueError
            if type_.thousands:
                text = text.replace(type_.thousands, "")
            number = Decimal(text.replace(type_.decimal, "."))
        elif type(cell) is int or (type(cell) is Decimal and len(cell.as_tuple().digits) <= MAX_DIGITS):
            number = Decimal(cell)
        else:
            raise ValueError
        if abs(number.adjusted()) > MAX_DIGITS:
            raise ValueError
        return number

    return _read


def _integer(type_: ColumnType) -> Convert:
    number = _number(type_)

    def _read(cell: Any) -> int:
        if type(cell) is str and len(cell) < MAX_DIGITS and cell.isascii() and cell.isdecimal():
            return int(cell)  # the same, sooner
        value: Decimal = number(cell)
        if value != value.to_integral_value():
            raise ValueError
        return int(value)

    return _read


def _boolean(type_: ColumnType) -> Convert:
    words = dict.fromkeys(type_.true, True) | dict.fromkeys(type_.false, False)

    def _read(cell: Any) -> bool:
        if type(cell) is bool:
            return cell
        word = str(cell).strip().lower()
        if word not in words:
            raise ValueError
        return words[word]

    return _read


def _time(type_: ColumnType) -> Convert:
    """Moments. A local time that occurs twice a year is taken as the first of the two."""
    zone = ZoneInfo(type_.zone) if type_.zone else None
    reads = [_time_as(form, zone) for form in type_.formats]
    if len(reads) == 1:
        return reads[0]

    def _read(cell: Any) -> Moment:
        for read in reads[:-1]:
            with suppress(ValueError, TypeError, ArithmeticError, AttributeError):
                return read(cell)
        return reads[-1](cell)

    return _read


def _time_as(form: str, zone: ZoneInfo | None) -> Callable[[Any], Moment]:
    def _placed(when: datetime, *, date_only: bool) -> Moment:
        if when.tzinfo is None:
            if zone is None and not date_only:
                raise _NoZone
            when = when.replace(tzinfo=zone or UTC)
        return _in_calendar(from_datetime(when))

    def _read(cell: Any) -> Moment:
        if form.startswith("epoch"):
            unit = _MILLISECOND if form == "epoch_ms" else SECOND
            return _in_calendar(Moment(int(Decimal(cell) * unit)))
        text = cell.strip()
        if form == "iso":
            return _placed(datetime.fromisoformat(text), date_only=len(text) <= 10)
        return _placed(parse(text), date_only=date_only)

    parse = time_parser(form)
    date_only = "%H" not in form and "%I" not in form
    return _read


def _in_calendar(moment: Moment) -> Moment:
    """The same moment; ``OverflowError`` if it lies outside the years 1 to 9999."""
    to_datetime(moment)
    return moment


_KINDS: dict[Kind, Callable[[ColumnType], Convert]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.TIME: _time,
    Kind.ANY: _any,
}
