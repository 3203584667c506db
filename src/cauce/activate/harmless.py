"""Harmless cells: text that a spreadsheet would run as a formula is kept from it.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a
formula, also behind white space, behind a tab or a carriage return, and in
full-width letters (OWASP, "CSV Injection"). Such a cell gets an apostrophe in
front: spreadsheets show it as text. A number such as ``-5`` or ``+34600000000`` is
left alone: it is not run.
"""

import re
import unicodedata
from datetime import datetime
from decimal import Decimal
from typing import Any

from cauce.activate.fields import ColumnType, fit
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.moment import from_datetime, to_iso

_FORMULA = frozenset("=+-@\t\r\n|%")
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}([.,][0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_QUOTED = re.compile(r'[",;\t\r\n|]|^ID$|^\s|\s$')
"""What makes a cell need quotes: also the separators that a spreadsheet may choose by itself."""


def harmless(text: str) -> str:
    """The text with an apostrophe in front, if a spreadsheet would run it."""
    if not text or _NUMBER.fullmatch(text):
        return text
    if text[0] in "\t\r\n" or _begins_formula(text):
        return f"'{text}"
    return text


def _begins_formula(text: str) -> bool:
    """Whether the first character that is not invisible begins a formula, in any width."""
    for character in text:
        if character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Zs"):
            continue
        return unicodedata.normalize("NFKC", character)[:1] in _FORMULA
    return False


def csv_cell(value: Any, type_: ColumnType) -> str:
    """A JSON value as a cell of RFC 4180: harmless, in quotes where it needs them, empty for null."""
    cell = value if type_ is ColumnType.ANY else fit(value, type_)
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case str():
            return _quoted(harmless(cell))
        case datetime():
            return to_iso(from_datetime(cell))
        case int():
            return str(cell)
        case Decimal():
            return f"{cell:f}"
        case _:
            return _quoted(harmless(encode_json(cell).decode()))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
