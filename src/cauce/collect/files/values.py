"""From the mapping's values to functions over the lines of an event.

A line is the list of its converted cells. An event has one line, or those of
its group: there a column is the first of them that is not empty. Sums are exact.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, Inexact, Rounded
from functools import lru_cache
from operator import itemgetter
from typing import Any

from cauce.collect.files.mapping.model import (
    Column,
    ColumnType,
    Constant,
    Count,
    Fields,
    Items,
    Kind,
    Path,
    Sum,
    Template,
    Unless,
    Value,
)
from cauce.vocabulary.moment import to_iso

iso = lru_cache(maxsize=1 << 16)(to_iso)
"""``to_iso``, remembering: the times of a file repeat."""

Line = list[Any]
OfLine = Callable[[Line], Any]
OfLines = Callable[[Sequence[Line]], Any]

_EXACT = Context(prec=1_000, traps=[Inexact, Rounded])
"""Numbers have at most 100 digits within 200 places of the point (``convert``): sums of products fit."""


class Columns:
    """The mapping's columns: where each stands in a line, and how its value is written in JSON."""

    def __init__(self, columns: Mapping[str, ColumnType]) -> None:
        self._index = {name: index for index, name in enumerate(columns)}
        self._times = {name for name, type_ in columns.items() if type_.kind is Kind.TIME}

    def index(self, name: str) -> int:
        """Where a column stands in a line."""
        return self._index[name]

    def of_line(self, value: Value) -> OfLine:
        """The value for one line."""
        if isinstance(value, Constant):
            constant = value.value
            return lambda _: constant
        if isinstance(value, Template):
            return self._template(value)
        if isinstance(value, Unless):
            inner, other = self.of_line(value.value), self.index(value.column)
            return lambda line: inner(line) if line[other] is None else None
        if isinstance(value, Column):
            index = self.index(value.name)
            if value.name in self._times:
                return lambda line: None if line[index] is None else iso(line[index])
            return itemgetter(index)
        several = self.of_lines(value)
        return lambda line: several([line])

    def of_lines(self, value: Value) -> OfLines:
        """The value for the lines of one event."""
        if isinstance(value, Sum):
            return self._sum(value)
        if isinstance(value, Count):
            return len
        if isinstance(value, Items):
            item = self.object_of_line(value.fields)
            return lambda lines: [item(line) for line in lines]
        if isinstance(value, Unless):
            inner, other = self.of_lines(value.value), _first_of(itemgetter(self.index(value.column)))
            return lambda lines: inner(lines) if other(lines) is None else None
        return _first_of(self.of_line(value))

    def object_of_line(self, fields: Fields) -> OfLine:
        """An object for one line, without the fields that are empty."""
        return _object([(path, self.of_line(value)) for path, value in fields.items()])

    def object_of_lines(self, fields: Fields) -> OfLines:
        """An object for the lines of one event, without the fields that are empty."""
        return _object([(path, self.of_lines(value)) for path, value in fields.items()])

    def _template(self, template: Template) -> OfLine:
        parts = [part if isinstance(part, str) else self.of_line(part) for part in template.parts]

        def _build(line: Line) -> str | None:
            texts = [part if isinstance(part, str) else as_text(part(line)) for part in parts]
            return None if None in texts else "".join(text for text in texts if text is not None)

        return _build

    def _sum(self, value: Sum) -> OfLines:
        left = self.index(value.column)
        right = None if value.times is None else self.index(value.times)

        def _total(lines: Sequence[Line]) -> Decimal:
            result = Decimal(0)
            for line in lines:
                number, factor = line[left], 1 if right is None else line[right]
                if number is not None and factor is not None:
                    result = _EXACT.add(result, _EXACT.multiply(Decimal(number), factor))
            return result

        return _total


def as_text(value: Any) -> str | None:
    """A value as the text of an identifier; None if it is empty or no text can stand for it."""
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if type(value) is int else None


def _first_of(make: OfLine) -> OfLines:
    def _find(lines: Sequence[Line]) -> Any:
        for line in lines:
            value = make(line)
            if value is not None:
                return value
        return None

    return _find


def _object(makers: list[tuple[Path, Callable[[Any], Any]]]) -> Callable[[Any], dict[str, Any]]:
    """How to make an object; its inner objects stand behind its own fields."""
    flat = [(path[0], make) for path, make in makers if len(path) == 1]
    deep = [(path, make) for path, make in makers if len(path) > 1]

    def _build(lines: Any) -> dict[str, Any]:
        result = {name: value for name, make in flat if (value := make(lines)) is not None}
        for path, make in deep:
            value = make(lines)
            if value is not None:
                inner = result
                for name in path[:-1]:
                    inner = inner.setdefault(name, {})
                inner[path[-1]] = value
        return result

    return _build
