"""The syntax tree of a rule: frozen nodes that compare by meaning and print as rule text.

Printing and parsing are inverse: ``parse(str(tree)).tree == tree``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from cauce.vocabulary.exact import Number
from cauce.vocabulary.language.paths import Path
from cauce.vocabulary.moment import DAY, HOUR, SECOND

Value = bool | Number | str | tuple["Value", ...]
"""A literal: text in NFC, numbers exact, lists as tuples."""


class Kind(StrEnum):
    """The kinds of values; two values of different kinds are never equal (``language.md`` rule 2)."""

    BOOLEAN = "boolean"
    NUMBER = "number"
    TEXT = "text"
    TIME = "time"
    LIST = "list"
    OBJECT = "object"


class Operator(StrEnum):
    """The comparisons, by the names they have as functions (``field.md`` 2.10)."""

    EQUALS = "equals"
    DIFFERS = "differs"
    GREATER_THAN = "greater_than"
    AT_LEAST = "at_least"
    LESS_THAN = "less_than"
    AT_MOST = "at_most"
    ABSENT = "absent"
    EXISTS = "exists"
    CONTAINS = "contains"
    OMITS = "omits"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    ONE_OF = "one_of"
    NONE_OF = "none_of"
    BEFORE_DATE = "before_date"
    AFTER_DATE = "after_date"
    WITHIN_LAST = "within_last"
    WITHIN_NEXT = "within_next"
    BEFORE_LAST = "before_last"
    AFTER_NEXT = "after_next"


SYMBOLS = {
    Operator.EQUALS: "=",
    Operator.DIFFERS: "!=",
    Operator.GREATER_THAN: ">",
    Operator.AT_LEAST: ">=",
    Operator.LESS_THAN: "<",
    Operator.AT_MOST: "<=",
}
UNITS = {"day": DAY, "hour": HOUR, "minute": 60 * SECOND, "second": SECOND}


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; ``cast`` is TIME for a text that stands for a time, otherwise None."""

    value: Value
    cast: Kind | None = None
    position: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        return _cast(literal_text(self.value), self.cast)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in microseconds, whole seconds."""

    length: int
    position: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        unit = next(unit for unit, length in UNITS.items() if self.length % length == 0)
        number = self.length // UNITS[unit]
        return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


@dataclass(frozen=True, slots=True)
class Trait:
    """A trait of the person: the first name of the path; the others walk into its value."""

    path: Path
    cast: Kind | None = None
    position: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        return _cast(f"trait({path_text(self.path)})", self.cast)


@dataclass(frozen=True, slots=True)
class Property:
    """A property of the event that the surrounding ``where`` looks at."""

    path: Path
    cast: Kind | None = None
    position: int = field(default=0, compare=False, repr=False)

    def __str__(self) -> str:
        return _cast(f"property({path_text(self.path)})", self.cast)


@dataclass(frozen=True, slots=True)
class Window:
    """The ages at which an event counts, in microseconds: ``start`` ≤ age < ``end`` (rule 12)."""

    start: int
    end: int

    def __str__(self) -> str:
        if self.start == 0:
            return f".within({Duration(self.end)})"
        return f".between({Duration(self.start)}, {Duration(self.end)})"


class Reducer(StrEnum):
    """What a chain on events comes down to (``language.md`` rules 17 to 21)."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    MODE = "mode"
    UNIQUE = "unique"


LEAST = 2
"""How often ``mode`` must see a value if nothing else is said."""


@dataclass(frozen=True, slots=True)
class Reduction:
    """One value of the events of a name.

    The events pass ``where``, come from none of ``excluded``, and are in ``window``.
    ``path`` is the property that the reducer reads; empty for ``count``. ``of`` is
    NUMBER where its values are converted (``as number``), TEXT where a minimum or
    maximum takes texts (``as string``). ``trait`` is the computed trait that the
    value stands for, if the rule names one.
    """

    event: str
    where: "Condition | None" = None
    excluded: tuple[str, ...] = ()
    window: Window | None = None
    reducer: Reducer = Reducer.COUNT
    path: Path = ()
    of: Kind | None = None
    least: int = LEAST
    cast: Kind | None = None
    position: int = field(default=0, compare=False, repr=False)
    trait: str = field(default="", compare=False)

    def __str__(self) -> str:
        where = "" if self.where is None else f".where({self.where})"
        sources = f".sources({{exclude: {literal_text(self.excluded)}}})" if self.excluded else ""
        chain = f"event({quoted(self.event)}){where}{sources}{self.window or ''}"
        return _cast(f"{chain}.{self.reducer}({self._arguments()})", self.cast)

    def _arguments(self) -> str:
        if not self.path:
            return ""
        read = f"property({path_text(self.path)})"
        if self.of is not None:
            read += " as string" if self.of is Kind.TEXT else f" as {self.of}"
        return f"{read}, {self.least}" if self.reducer is Reducer.MODE and self.least != LEAST else read


Operand = Literal | Trait | Property | Reduction


@dataclass(frozen=True, slots=True)
class Comparison:
    """An operand compared with others: none, one or several, as the operator asks."""

    left: Trait | Property | Reduction
    operator: Operator
    right: tuple[Operand | Duration, ...] = ()

    def __str__(self) -> str:
        symbol = SYMBOLS.get(self.operator)
        if symbol is not None:
            return f"{self.left} {symbol} {self.right[0]}"
        left = str(self.left) if self.left.cast is None else f"({self.left})"
        return f"{left}.{self.operator}({', '.join(map(_argument, self.right))})"


@dataclass(frozen=True, slots=True)
class And:
    """All of the conditions hold."""

    conditions: tuple["Condition", ...]

    def __str__(self) -> str:
        return " AND ".join(_part(c, And, Or) for c in self.conditions)


@dataclass(frozen=True, slots=True)
class Or:
    """One of the conditions holds at least."""

    conditions: tuple["Condition", ...]

    def __str__(self) -> str:
        return " OR ".join(_part(c, Or) for c in self.conditions)


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold."""

    condition: "Condition"

    def __str__(self) -> str:
        return f"NOT ({self.condition})"


Condition = Comparison | And | Or | Not


def quoted(text: str) -> str:
    """A text literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def path_text(path: Path) -> str:
    """A path as the argument of ``trait`` or ``property``."""
    names = (name.replace("\\", "\\\\").replace(".", "\\.").replace("[", "\\[") for name in path)
    return quoted(".".join(names))


def literal_text(value: Value | Sequence[Value]) -> str:
    """A literal as rule text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, int | Decimal):
        return number_text(value)
    return f"[{', '.join(map(literal_text, value))}]"


def number_text(number: Number) -> str:
    """A number in plain digits, without an exponent and without zeros at the end."""
    text = str(number) if isinstance(number, int) else f"{number:f}"  # ":f" takes an int for a float
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _cast(text: str, cast: Kind | None) -> str:
    return text if cast is None else f"{text} as {cast}"


def _argument(operand: Operand | Duration) -> str:
    """An argument of a comparison; a list stands in another, as one list means several values."""
    nested = isinstance(operand, Literal) and isinstance(operand.value, tuple)
    return f"[{operand}]" if nested else str(operand)


def _part(condition: Condition, *weaker: type) -> str:
    return f"({condition})" if isinstance(condition, weaker) else str(condition)
