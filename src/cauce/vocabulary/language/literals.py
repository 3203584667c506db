"""Literals of a rule: texts, paths, numbers, lists and lengths of time."""

import re
from decimal import Decimal, InvalidOperation
from typing import cast

from lark import Token

from cauce.vocabulary.exact import Number, exact
from cauce.vocabulary.language.errors import NOT_YET, Fault
from cauce.vocabulary.language.parser import Raw
from cauce.vocabulary.language.paths import Path, nfc
from cauce.vocabulary.language.tree import UNITS, Duration, Literal, Value
from cauce.vocabulary.moment import DAY
from cauce.vocabulary.nearest import did_you_mean

LONGEST_DURATION = 36_525 * DAY
"""A hundred years, in microseconds."""

_PIECES = re.compile(r"\\.?|\[\*\]|[^\\]", re.DOTALL)
_ESCAPED = tuple(".[\\'\" ")


def place(node: Raw | Token) -> int:
    """Where a node begins in the rule's text."""
    return (node.start_pos if isinstance(node, Token) else node.meta.start_pos) or 0


def text_of(token: Token) -> str:
    """The text that a quoted token stands for; only ``\\'`` and ``\\\\`` are escapes."""
    pieces = token.value[1:-1].split("\\\\")
    return "\\".join(piece.replace("\\'", "'") for piece in pieces)


def path_of(token: Token) -> Path:
    """The path that a quoted token stands for, split at the dots that no backslash escapes."""
    names = [""]
    for piece in _PIECES.findall(nfc(text_of(token))):
        if piece == ".":
            names.append("")
        elif piece == "[*]":
            raise Fault(
                "Walking into lists by [*] is not supported yet.",
                place(token),
                hint="Use contains(…) on the whole list.",
                code=NOT_YET,
            )
        elif piece[0] == "\\" and piece[1:] not in _ESCAPED:
            raise Fault(
                "A backslash in a name escapes only a dot, a space, a quote, a bracket or a backslash.",
                place(token),
                hint="Write a backslash itself twice.",
            )
        else:
            names[-1] += piece.removeprefix("\\") or "\\"
    if "" in names:
        raise Fault("A name is missing here.", place(token), hint="Write at least one character.")
    return tuple(names)


def number_of(token: Token) -> Number:
    """The exact number, rounded half to even at the ninth decimal (``language.md`` rule 3)."""
    try:
        number = exact(Decimal(token.value))
    except InvalidOperation:
        number = None
    if number is None:
        raise Fault("This number has more than 38 digits.", place(token), hint="Write a smaller one.")
    whole = exact(int(number))
    return whole if whole is not None and whole == number else number


def literal(node: Raw) -> Literal:
    """The literal of a raw node."""
    return Literal(_value(node), position=place(node))


def _value(node: Raw) -> Value:
    match node.data:
        case "text":
            return nfc(text_of(cast(Token, node.children[0])))
        case "number":
            return number_of(cast(Token, node.children[0]))
        case "list":
            return tuple(_value(cast(Raw, child)) for child in node.children)
        case "null":
            raise Fault(
                "No value equals null.",
                place(node),
                hint="Write .absent() or .exists() instead of a comparison.",
            )
    return node.data == "true"


def duration(node: Raw) -> Duration:
    """A length of time such as ``7 days``."""
    number, unit = cast("list[Token]", node.children)
    length = UNITS.get(unit.value.removesuffix("s"))
    if length is None:
        known = [f"{name}s" for name in UNITS]
        raise Fault(
            f"There is no unit {unit.value}.",
            place(unit),
            hint=did_you_mean(unit.value, known),
            expected=tuple(known),
        )
    value = number_of(number)
    if not isinstance(value, int) or not 0 <= value * length <= LONGEST_DURATION:
        raise Fault(
            "A length of time is a whole number, at most a hundred years.",
            place(number),
            expected=("a whole number",),
        )
    return Duration(value * length, position=place(node))
