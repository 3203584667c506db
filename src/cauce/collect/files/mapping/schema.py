"""The JSON Schema of mapping files: what editors complete and check, and what the reference prints."""

from typing import Any

from cauce.collect.files.mapping.layout import COLUMN_KEYS
from cauce.collect.files.mapping.model import Comparison, FileType, Kind, Person
from cauce.collect.files.mapping.reading import CALLS, EVENT_KEYS, FILE_KEYS, SOURCE_NAME
from cauce.collect.files.mapping.values import LIST_KEYS, VALUE_KEYS

FILE_SENTENCES = {
    "owner": "Who answers for this mapping: a person, a team or an address.",
    "description": "What the file is, for people.",
    "source": "The source that the events belong to.",
    "format": "How the file is written: csv, jsonl, parquet, excel, or an object with the details.",
    "columns": "The types of columns. In CSV a column without type is text, elsewhere what it is.",
    "empty": "The words that stand for nothing in a cell; the empty text if not given.",
    "group_by": "Columns; all lines that are equal in them make one event.",
    "repeated_lines": (
        "duplicate (default): a line equal in all columns to an earlier one counts once. "
        "keep: it counts again."
    ),
    "events": "The events that lines may make; each line makes the first whose conditions it fulfils.",
}
EVENT_SENTENCES = {
    "call": "The call of the tracking API that a line stands for.",
    "event": "The name of the event of a track call, as text or as a value.",
    "name": "The name of the page or screen.",
    "person": (
        "required (default): an event without identifier is refused. "
        "optional: it may have none. none: user_id, anonymous_id and external_ids are left out."
    ),
    "user_id": "The user id.",
    "anonymous_id": "The anonymous id.",
    "external_ids": "Identifiers of further types: type → value.",
    "group_id": "The group id of a group call.",
    "time": (
        "The column with the time of the event, of a group the earliest; or a constant. "
        "{column: …, otherwise: …}: a constant for lines whose column is empty."
    ),
    "message_id": "The message id, if the file has one that is unique in the whole space.",
    "unique_by": "The columns that tell events of this source apart; otherwise the whole line, or group_by.",
    "properties": "The properties of a track, page or screen call: path → value.",
    "traits": "The traits of an identify or group call: path → value.",
    "context": "The context: path → value.",
}
VALUE_SENTENCES = {
    "column": "The value of a column; of a group that of its first line that has one.",
    "constant": "A fixed value.",
    "text": "Text with columns in braces, e.g. order:{number}; absent if one of them is empty.",
    "sum": "The exact sum of a column of numbers over the lines of the event.",
    "count": "lines: the number of lines of the event.",
    "items": "A list with an object for each line of the event.",
    "times": "Beside sum: the column to multiply with, line by line.",
    "unless": "Beside any: a column that must be empty for the value to be there.",
}

_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_TEXTS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_WORDS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_SINGLE = {"$ref": "#/$defs/single"}
_VALUE = {"$ref": "#/$defs/value"}
_FIELDS = {"type": "object", "additionalProperties": _VALUE}
_PLAIN = {"type": ["string", "number", "boolean"]}
_PLAINS = {"anyOf": [_PLAIN, {"type": "array", "items": _PLAIN}]}
_NOTHING = {"type": "null"}

_EVENT: dict[str, Any] = {
    "call": {"enum": list(CALLS)},
    "event": _SINGLE,
    "name": _SINGLE,
    "person": {"enum": list(Person)},
    "user_id": _SINGLE,
    "anonymous_id": _SINGLE,
    "external_ids": {"type": "object", "additionalProperties": _SINGLE},
    "group_id": _SINGLE,
    "time": {"anyOf": [_SINGLE, {"$ref": "#/$defs/timed"}]},
    "message_id": _SINGLE,
    "unique_by": _TEXTS,
    "properties": _FIELDS,
    "traits": _FIELDS,
    "context": _FIELDS,
}
_FORMAT = {
    "type": {"enum": list(FileType)},
    "delimiter": {**_TEXT, "description": "One character, tab, or spaces for any number of them."},
    "quote": {"type": "string", "maxLength": 1, "description": "Empty if cells are never quoted."},
    "encoding": {
        **_TEXTS,
        "default": "utf-8",
        "description": "One, or several to be tried in order for each line.",
    },
    "sheet": {**_TEXT, "description": "The sheet of a workbook; the first if not given."},
    "header": {
        "anyOf": [{"const": True}, {"type": "array", "items": _TEXT}],
        "description": "The names of the columns, if the file does not begin with them.",
    },
    "skip_spaces": {"type": "boolean", "description": "Whether spaces after a delimiter do not count."},
}
_COLUMN = {
    "required": {"type": "boolean", "description": "Whether a line without it is refused."},
    "format": {
        **_TEXTS,
        "description": (
            "iso (default), epoch, epoch_ms, or a pattern such as %d/%m/%Y %H:%M; "
            "of several the first that fits."
        ),
    },
    "zone": {**_TEXT, "description": "The IANA time zone of times written without one."},
    "decimal": {**_TEXT, "maxLength": 1, "default": "."},
    "thousands": {**_TEXT, "maxLength": 1},
    "unit": {**_TEXT, "description": "What may stand before or after a number, such as € or EUR."},
    "true": _TEXTS,
    "false": _TEXTS,
}


def mapping_schema() -> dict[str, Any]:
    """The schema of a mapping file, in JSON Schema draft 2020-12."""
    event = {key: _or_nothing(_EVENT[key], EVENT_SENTENCES[key]) for key in EVENT_KEYS}
    parts: dict[str, Any] = {
        "owner": _TEXT,
        "description": {"type": "string"},
        "source": {"type": "string", "pattern": f"^{SOURCE_NAME.pattern}$"},
        "format": {"anyOf": [{"enum": list(FileType)}, _object(_FORMAT, ["type"])]},
        "columns": {"type": "object", "additionalProperties": {"anyOf": [{"enum": list(Kind)}, *_columns()]}},
        "empty": _WORDS,
        "group_by": _TEXTS,
        "repeated_lines": {"enum": ["duplicate", "keep"]},
    }
    top = {key: {**parts[key], "description": FILE_SENTENCES[key]} for key in FILE_KEYS}
    when = {"type": "object", "additionalProperties": {"anyOf": [_PLAINS, _object(_tests(), [])]}}
    one = _object({"when": when, **event}, [])
    top["events"] = {
        "anyOf": [one, {"type": "array", "items": one, "minItems": 1}],
        "description": FILE_SENTENCES["events"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mapping",
        **_object({**top, **event}, ["owner", "source"]),
        "$defs": {
            "timed": _object({"column": _TEXT, "otherwise": _TEXT}, ["column", "otherwise"]),
            "single": _value([key for key in VALUE_KEYS if key not in LIST_KEYS]),
            "value": _value(VALUE_KEYS),
        },
    }


def _value(keys: list[str] | tuple[str, ...]) -> dict[str, Any]:
    kinds: dict[str, Any] = {
        "column": _TEXT,
        "constant": _PLAIN,
        "text": _TEXT,
        "sum": _TEXT,
        "count": {"const": "lines"},
        "items": {"type": "object", "additionalProperties": _SINGLE},
    }
    further: dict[str, Any] = {"unless": _TEXT} | ({"times": _TEXT} if "sum" in keys else {})
    known = {key: kinds[key] for key in keys} | further
    described = {key: {**schema, "description": VALUE_SENTENCES[key]} for key, schema in known.items()}
    exactly_one = {"oneOf": [{"required": [key]} for key in keys]}
    return {"anyOf": [_TEXT, {**_object(described, []), **exactly_one}]}


def _columns() -> list[dict[str, Any]]:
    return [
        _object(
            {"type": {"const": kind}, **{key: _COLUMN[key] for key in ("required", *keys)}},
            ["type"],
        )
        for kind, keys in COLUMN_KEYS.items()
    ]


def _tests() -> dict[str, Any]:
    return {
        Comparison.EQUALS: _PLAINS,
        Comparison.STARTS_WITH: _TEXTS,
        Comparison.BELOW: {"type": "number"},
        Comparison.ABOVE: {"type": "number"},
        Comparison.EMPTY: {"type": "boolean"},
    }


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": required,
    }


def _or_nothing(schema: dict[str, Any], sentence: str) -> dict[str, Any]:
    """Null is allowed: it takes back what the top level says for all events."""
    return {"anyOf": [schema, _NOTHING], "description": sentence}
