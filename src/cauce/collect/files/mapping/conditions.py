"""Reading the conditions by which a line chooses its event."""

from collections.abc import Callable, Iterator

from cauce.collect.files.mapping.entry import Entry
from cauce.collect.files.mapping.model import Comparison, Condition, Kind

KindOf = Callable[[str], Kind]
"""The kind of a column by its name."""

_NUMBERS = (Kind.NUMBER, Kind.INTEGER)


def read_conditions(when: Entry, kind_of: KindOf) -> tuple[Condition, ...]:
    """All conditions of a ``when``, each of which must hold."""
    return tuple(
        condition
        for column, entry in when.entries()
        for condition in _of_column(column, entry, kind_of(column))
    )


def _of_column(column: str, entry: Entry, kind: Kind) -> Iterator[Condition]:
    if not isinstance(entry.value, dict):
        yield Condition(column, Comparison.EQUALS, _alternatives(entry, column, kind))
        return
    for word, against in entry.only(Comparison).entries():
        yield Condition(column, Comparison(word), _against(Comparison(word), against, column, kind))


def _against(test: Comparison, entry: Entry, column: str, kind: Kind) -> object:
    if test is Comparison.EMPTY:
        return entry.boolean()
    if test is Comparison.EQUALS:
        return _alternatives(entry, column, kind)
    if test is Comparison.STARTS_WITH:
        if kind not in (Kind.TEXT, Kind.ANY):
            raise entry.error(f"starts_with needs a column of text, {column} is one of type {kind}.")
        return entry.texts()
    if kind not in _NUMBERS:
        raise entry.error(
            f"{test} needs a column of numbers.", f"Declare it under columns, e.g. {column}: number."
        )
    return entry.number()


def _alternatives(entry: Entry, column: str, kind: Kind) -> tuple[object, ...]:
    values = tuple(item.value for item in entry.items())
    if any(isinstance(value, dict | list) or value is None for value in values):
        raise entry.error("expected a value or a list of values.")
    if kind is Kind.TEXT and not all(isinstance(value, str) for value in values):
        raise entry.error(f"{column} holds text.", "Put the value in quotes, or declare the column's type.")
    if kind in _NUMBERS and any(isinstance(value, str | bool) for value in values):
        raise entry.error(f"{column} holds numbers.", "Write the value without quotes.")
    if kind is Kind.BOOLEAN and not all(isinstance(value, bool) for value in values):
        raise entry.error(f"{column} holds true or false.", "Write true or false without quotes.")
    if kind is Kind.TIME:
        raise entry.error("times cannot be compared here.", "Declare the column as text to compare its text.")
    return values
