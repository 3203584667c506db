"""Fields: what a destination gets of a person and a change, by name and type."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from cauce.vocabulary.definitions import DestinationDef, FieldDef, SqlDef, TableMode
from cauce.vocabulary.exact import Number, encode_json, exact
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment, iso_or_none, parse_iso, to_datetime, to_iso

Trait = Callable[[str], Any]
"""Gives the golden value of a trait as decoded JSON; None if she has none."""


class ColumnType(StrEnum):
    """What the values of a column are; ``any``: what they are in JSON, text where a format needs one type."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "time"
    ANY = "any"


_NATURAL = {
    "profile_id": ColumnType.TEXT,
    "segment": ColumnType.TEXT,
    "change": ColumnType.TEXT,
    "member": ColumnType.BOOLEAN,
    "at": ColumnType.TIME,
    "since": ColumnType.TIME,
    "sequence": ColumnType.INTEGER,
    "identifier": ColumnType.TEXT,
    "identifiers": ColumnType.ANY,
    "trait": ColumnType.ANY,
}
"""The types of values where a definition asks for none."""


class Column(NamedTuple):
    """A field ready to be filled: its name over there, where it is taken from, and its type."""

    name: str
    value: str
    type: ColumnType


def columns_of(definition: DestinationDef) -> tuple[Column, ...]:
    """The fields of a destination, in their order."""
    return tuple(map(column_of, definition.chosen()))


def table_columns(definition: SqlDef) -> tuple[Column, ...]:
    """The columns of a table: what every table needs, unless chosen under another name, then the fields."""
    chosen = columns_of(definition)
    needed = ["profile_id", "segment", "at", "sequence"]
    if definition.mode is TableMode.UPSERT:
        needed.insert(2, "member")
    there = {column.value for column in chosen}
    return (*(column_of(FieldDef(value=one)) for one in needed if one not in there), *chosen)


def column_of(field: FieldDef) -> Column:
    """One field, with its natural type where none is asked for."""
    natural = _NATURAL[field.value.partition(".")[0]]
    return Column(field.column, field.value, ColumnType(str(field.type)) if field.type else natural)


def about_person(
    columns: Sequence[Column], identifiers: Sequence[Identifier], trait: Trait
) -> dict[str, Any]:
    """What identifiers and traits say, by column; the columns about the change are left out."""
    found: dict[str, Any] = {}
    for column in columns:
        kind, _, name = column.value.partition(".")
        values = [one.value for one in identifiers if one.type == name]
        match kind:
            case "identifier":
                found[column.name] = values[0] if values else None
            case "identifiers":
                found[column.name] = values
            case "trait":
                found[column.name] = trait(name)
    return found


class Change(NamedTuple):
    """What a row says beside the person: ``since`` is None for somebody who left."""

    profile_id: str
    segment: str
    entered: bool
    at: Moment
    since: Moment | None
    sequence: int


def row_of(columns: Sequence[Column], change: Change, person: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON values by column."""
    facts = {
        "profile_id": change.profile_id,
        "segment": change.segment,
        "change": "entered" if change.entered else "left",
        "member": change.entered,
        "at": to_iso(change.at),
        "since": iso_or_none(change.since),
        "sequence": change.sequence,
    }
    return {
        column.name: facts[column.value] if column.value in facts else person.get(column.name)
        for column in columns
    }


Cell = str | Number | bool | datetime | None
"""A value in a column that has one type."""


def fit(value: Any, type_: ColumnType) -> Cell:
    """A JSON value as the type of its column; None where it does not fit.

    Text takes any value, written as JSON if it is no text. Text that is an ISO
    8601 time with a zone fits a time; nothing else is converted.
    """
    match type_:
        case ColumnType.TEXT | ColumnType.ANY:
            return value if value is None or isinstance(value, str) else encode_json(value).decode()
        case ColumnType.NUMBER | ColumnType.INTEGER:
            return exact(value)
        case ColumnType.BOOLEAN:
            return value if isinstance(value, bool) else None
        case ColumnType.TIME:
            moment = parse_iso(value) if isinstance(value, str) else None
            return None if moment is None else to_datetime(moment)
