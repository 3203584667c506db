"""What a mapping says: how a file is written, what its columns hold, which events its lines make.

These are the values after reading (``reading``): every name is resolved,
every default filled in.
"""

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cauce.vocabulary.event import Call

WITH_TRAITS = (Call.IDENTIFY, Call.GROUP)
"""The calls that say something of a person or a group; the others have properties."""

Path = tuple[str, ...]
"""A way into an object of the event, e.g. ``("page", "url")``."""


class FileType(StrEnum):
    """The formats that can be imported."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    EXCEL = "excel"


class Kind(StrEnum):
    """What the cells of a column are converted to; ``any`` leaves a JSON value as it is."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "time"
    ANY = "any"


class Comparison(StrEnum):
    """How a condition compares a column."""

    EQUALS = "equals"
    STARTS_WITH = "starts_with"
    BELOW = "below"
    ABOVE = "above"
    EMPTY = "empty"


class Person(StrEnum):
    """Whether an event must carry an identifier, may do so, or never does."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """How the file is written.

    ``header`` is true for a header line, or the names of the columns.
    ``by_spaces``: cells are separated by any number of spaces and tabs.
    ``fallback``: encodings to try, in order, for a line that is not ``encoding``.
    ``sheet``: of a workbook; the first one if empty.
    """

    type: FileType
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    header: bool | tuple[str, ...] = True
    skip_spaces: bool = False
    by_spaces: bool = False
    fallback: tuple[str, ...] = ()
    sheet: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnType:
    """What a column holds, and how its text is read.

    ``formats`` (times), the first that fits: ``iso``, ``epoch`` (seconds),
    ``epoch_ms`` or a strptime pattern. ``zone`` (times): the IANA zone of times written without one; empty
    if such times are errors. ``decimal`` and ``thousands`` (numbers): the marks;
    ``unit``: what stands before or after them, such as ``€`` or ``EUR``, and may be missing.
    ``true`` and ``false`` (booleans): the words, in lower case.
    """

    kind: Kind
    formats: tuple[str, ...] = ("iso",)
    zone: str = ""
    decimal: str = "."
    thousands: str = ""
    unit: str = ""
    true: tuple[str, ...] = ("true", "yes", "y", "1")
    false: tuple[str, ...] = ("false", "no", "n", "0")
    required: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """The value of a column; in a group, that of its first line that has one."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A fixed value."""

    value: Any


@dataclass(frozen=True, slots=True)
class Timed:
    """The time in a column, or a fixed one for lines where it is empty."""

    column: Column
    otherwise: Constant


@dataclass(frozen=True, slots=True)
class Template:
    """Text with columns in it; absent if one of them is empty."""

    parts: tuple[str | Column, ...]


@dataclass(frozen=True, slots=True)
class Unless:
    """A value that is absent where a column is filled."""

    value: "Value"
    column: str


@dataclass(frozen=True, slots=True)
class Sum:
    """The exact sum of a column over the lines of an event, or of its product with a second column."""

    column: str
    times: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """The number of lines of an event."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list with an object for each line of an event."""

    fields: "Fields"


Value = Column | Constant | Template | Unless | Sum | Count | Items
Fields = MappingOf[Path, Value]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on one column; ``against`` is a tuple of values, or a bool for ``empty``."""

    column: str
    test: Comparison
    against: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRule:
    """The event that a line or a group makes if all of ``when`` holds.

    ``title`` is the event of a track call, the name of a page or screen.
    ``external_ids`` are identifiers of further types, by type.
    Without ``message_id`` and ``unique_by`` the id is derived from the whole
    line, or from the columns that a group is made by.
    """

    call: Call
    when: tuple[Condition, ...] = ()
    title: Value | None = None
    person: Person = Person.REQUIRED
    user_id: Value | None = None
    anonymous_id: Value | None = None
    external_ids: MappingOf[str, Value] = field(default_factory=dict)
    group_id: Value | None = None
    time: Column | Constant | Timed
    message_id: Value | None = None
    unique_by: tuple[str, ...] = ()
    properties: Fields = field(default_factory=dict)
    traits: Fields = field(default_factory=dict)
    context: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A whole mapping. ``columns`` has every column that is used, with its type."""

    file: str
    owner: str
    source: str
    format: FileFormat
    columns: MappingOf[str, ColumnType]
    empty: frozenset[str]
    group_by: tuple[str, ...]
    keep_repeated: bool
    events: tuple[EventRule, ...]
