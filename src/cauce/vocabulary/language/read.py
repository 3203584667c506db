"""Readers: closures that give the value of an operand."""

from collections.abc import Callable
from typing import Any

from cauce.vocabulary.language.closures import Read
from cauce.vocabulary.language.paths import Path, named, one_spelling, walk
from cauce.vocabulary.language.tree import Kind, Literal, Operand, Reduction, Trait
from cauce.vocabulary.language.values import CONVERT, READ_AS, as_text, moment, plain
from cauce.vocabulary.moment import Moment

Tally = Callable[[Reduction], Read]
"""Compiles a reduction into a reader of its value, before ``as``."""


def read(operand: Operand, tally: Tally) -> Read:
    """The value as decoded JSON, or as ``as`` converts it."""
    raw = _raw(operand, tally)
    if operand.cast is None:
        return raw
    return _then(raw, CONVERT[operand.cast])


def read_as(operand: Operand, kind: Kind, tally: Tally) -> Read:
    """The comparable form of a value of one kind; None if the value is absent or of another kind.

    A text is read as a time where TIME is asked for.
    """
    if isinstance(operand, Literal):
        constant = constant_as(operand, kind)
        return lambda _person, _entry, _at: constant
    return _then(*raw_and_form(operand, kind, tally))


def raw_and_form(operand: Operand, kind: Kind, tally: Tally) -> tuple[Read, Callable[[Any], Any]]:
    """The two steps of ``read_as``, for closures that take them at once."""
    return _raw(operand, tally), _conversion(operand.cast, kind)


def constant_as(literal: Literal, kind: Kind) -> Any:
    """The comparable form of a constant of one kind."""
    return _conversion(literal.cast, kind)(plain(literal.value))


def _conversion(cast: Kind | None, kind: Kind) -> Callable[[Any], Any]:
    if cast is None:
        return READ_AS[kind]
    if cast is Kind.TEXT and kind is Kind.TIME:
        return _moment_of_text
    return CONVERT[cast]  # the static check lets no other pair through


def _raw(operand: Operand, tally: Tally) -> Read:
    if isinstance(operand, Reduction):
        return tally(operand)
    if isinstance(operand, Literal):
        constant = plain(operand.value)
        return lambda _person, _entry, _at: constant
    if not isinstance(operand, Trait):
        return property_reader(operand.path)
    first, inner = operand.path[0], operand.path[1:]
    if not inner:
        return lambda person, _entry, _at: person.trait(first)
    return lambda person, _entry, _at: walk(person.trait(first), inner)


def property_reader(path: Path) -> Read:
    """The value of an event's property as decoded JSON."""
    first, inner = path[0], path[1:]
    if inner:
        return lambda _person, entry, _at: walk(entry.properties, path)
    if one_spelling(first):
        return lambda _person, entry, _at: entry.properties.get(first)
    return lambda _person, entry, _at: named(entry.properties, first)


def _then(raw: Read, convert: Callable[[Any], Any]) -> Read:
    return lambda person, entry, at: convert(raw(person, entry, at))


def _moment_of_text(value: Any) -> Moment | None:
    return moment(as_text(value))
