"""Reading a mapping from YAML; every error names file, line and the nearest valid name."""

import re
from collections.abc import Iterator
from pathlib import Path as FilePath

from cauce.collect.files.mapping.conditions import read_conditions
from cauce.collect.files.mapping.entry import Entry
from cauce.collect.files.mapping.layout import read_columns, read_format
from cauce.collect.files.mapping.model import (
    WITH_TRAITS,
    Column,
    ColumnType,
    Constant,
    EventRule,
    Fields,
    FileFormat,
    FileType,
    Kind,
    Mapping,
    Person,
    Sum,
    Timed,
    Unless,
    Value,
)
from cauce.collect.files.mapping.values import columns_of, read_fields, read_value
from cauce.vocabulary.event import Call
from cauce.vocabulary.moment import parse_iso
from cauce.vocabulary.nearest import did_you_mean
from cauce.vocabulary.yaml_lines import Document, Steps, load_yaml

EVENT_KEYS = (
    "call", "event", "name", "person", "user_id", "anonymous_id", "external_ids", "group_id", "time",
    "message_id", "unique_by", "properties", "traits", "context",
)  # fmt: skip
"""What an event of ``events`` may say, and the top level for all of them."""

FILE_KEYS = ("owner", "description", "source", "format", "columns", "empty", "group_by", "repeated_lines")

_NO_COLUMNS = frozenset(
    ("owner", "description", "source", "format", "call", "event", "person", "constant", "type")
)
CALLS = (Call.IDENTIFY, Call.TRACK, Call.PAGE, Call.SCREEN, Call.GROUP)
SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")


def load_mapping(path: FilePath) -> Mapping:
    """Read a mapping file; raises ``BadSettings``."""
    return read_mapping(load_yaml(path))


def read_mapping(document: Document) -> Mapping:
    """The mapping that a YAML document holds; raises ``BadSettings``."""
    top = Entry(document, document.value).only((*FILE_KEYS, "events", *EVENT_KEYS))
    return _Reading(top).mapping()


class _Reading:
    """The reading of one mapping: what its parts need to know of each other."""

    def __init__(self, top: Entry) -> None:
        self.top = top
        self.format = read_format(top.get("format"))
        self.declared = read_columns(top)
        group = top.get("group_by")
        self.group_by = group.texts() if group else ()

    def mapping(self) -> Mapping:
        """The whole mapping."""
        events = self._events()
        used = dict.fromkeys((*self.declared, *self.group_by, *_used(events)))
        columns = {name: self.declared.get(name) or self._default(name, events) for name in used}
        self._check(columns, events)
        empty = self.top.get("empty")
        return Mapping(
            file=self.top.document.file,
            owner=self.top.need("owner", "Name who answers for this mapping.").text(),
            source=self._source(),
            format=self.format,
            columns=columns,
            empty=frozenset(empty.words()) if empty else frozenset({""}),
            group_by=self.group_by,
            keep_repeated=self._keep_repeated(),
            events=events,
        )

    def _source(self) -> str:
        entry = self.top.need("source", "Name the source that the events belong to.")
        if not SOURCE_NAME.fullmatch(entry.text()):
            raise entry.error("a source is named in lower case letters, digits, _, . and -.")
        return entry.text()

    def _keep_repeated(self) -> bool:
        entry = self.top.get("repeated_lines")
        if entry is None:
            return False
        word = entry.text()
        if word not in ("duplicate", "keep"):
            raise entry.document.unknown((*entry.steps, word), ("duplicate", "keep"), noun="word")
        return word == "keep"

    def _events(self) -> tuple[EventRule, ...]:
        listed = self.top.get("events")
        if listed is None:
            return (self._event(self.top),)
        entries = [entry.only(("when", *EVENT_KEYS)) for entry in listed.items()]
        if not entries:
            raise listed.error("events is empty.")
        return tuple(self._event(entry) for entry in entries)

    def _event(self, own: Entry) -> EventRule:
        def get(key: str) -> Entry | None:
            return own.get(key) if key in own else self.top.get(key)

        def value(key: str, *, literal: bool = False) -> Value | None:
            entry = get(key)
            return read_value(entry, several=False, literal=literal) if entry else None

        def fields(key: str) -> Fields:
            entry = get(key)
            return read_fields(entry, several=True) if entry else {}

        def need(key: str, hint: str) -> Entry:
            return get(key) or own.need(key, hint)

        call = _call(need("call", f"One of {', '.join(CALLS)}."))
        if call is Call.TRACK:
            need("event", "Name the event, e.g. event: Order Completed.")
        if call is Call.GROUP:
            need("group_id", "Name the column that names the group.")
        time = need("time", "Name the column with the time of the event, or give a constant.")
        ours, other = ("traits", "properties") if call in WITH_TRAITS else ("properties", "traits")
        if other in own:
            raise own.document.error((*own.steps, other), f"a {call} call has {ours}, not {other}.")
        when, person, unique = own.get("when"), get("person"), get("unique_by")
        external = get("external_ids")
        kind = person.choice(Person) if person else Person.REQUIRED
        nobody = kind is Person.NONE
        return EventRule(
            call=call,
            when=read_conditions(when, self._kind) if when else (),
            title=value("event", literal=True) if call is Call.TRACK else value("name"),
            person=kind,
            user_id=None if nobody else value("user_id"),
            anonymous_id=None if nobody else value("anonymous_id"),
            external_ids={} if nobody or external is None else _external(external),
            group_id=value("group_id") if call is Call.GROUP else None,
            time=_time(time),
            message_id=value("message_id"),
            unique_by=unique.texts() if unique else (),
            properties=fields("properties"),
            traits=fields("traits"),
            context=fields("context"),
        )

    def _kind(self, column: str) -> Kind:
        if column in self.declared:
            return self.declared[column].kind
        return _plain(self.format)

    def _default(self, name: str, events: tuple[EventRule, ...]) -> ColumnType:
        """The type of a column that is not declared: a time where it gives the event's time."""
        timed = any(name in columns_of(_column(event.time)) for event in events)
        return ColumnType(kind=Kind.TIME if timed else _plain(self.format))

    def _check(self, columns: dict[str, ColumnType], events: tuple[EventRule, ...]) -> None:
        """The header has every column, times are times, and sums add numbers."""
        header = self.format.header
        if isinstance(header, tuple):
            for name in columns:
                if name not in header:
                    hint = did_you_mean(name, header)
                    raise self.top.document.error(self._place(name), f"{name} is not a column.", hint=hint)
        for event in events:
            for name in columns_of(_column(event.time)):
                if columns[name].kind is not Kind.TIME:
                    raise self._wrong_kind(name, "time")
            sums = [value for value in _values(event) if isinstance(value, Sum)]
            for name in (name for value in sums for name in columns_of(value)):
                if columns[name].kind not in (Kind.NUMBER, Kind.INTEGER):
                    raise self._wrong_kind(name, "number")

    def _wrong_kind(self, name: str, kind: str) -> Exception:
        hint = f"Declare it under columns, e.g. {name}: {kind}."
        return self.top.document.error(self._place(name), f"{name} is used as a {kind}.", hint=hint)

    def _place(self, name: str) -> Steps:
        """Where the mapping first names a column."""
        named = (name, f"{{{name}}}")
        return next((steps for steps, text in _walk(self.top) if text in named), ())


def _external(entry: Entry) -> dict[str, Value]:
    """Identifiers of other types, by type."""
    return {key: read_value(value, several=False) for key, value in entry.entries()}


def _time(entry: Entry) -> Column | Constant | Timed:
    if "otherwise" in entry:
        entry.only(("column", "otherwise"))
        column = Column(entry.need("column", "Name the column with the time.").text())
        otherwise = _time_constant(entry.need("otherwise", "Give a time in ISO 8601 with a zone."))
        return Timed(column, otherwise)
    value = read_value(entry, several=False)
    if isinstance(value, Column):
        return value
    if isinstance(value, Constant) and parse_iso(str(value.value)) is not None:
        return value
    raise entry.error("time is a column, or a constant in ISO 8601 with a zone.", "2024-05-01T00:00:00Z")


def _column(time: Column | Constant | Timed) -> Column | Constant:
    return time.column if isinstance(time, Timed) else time


def _time_constant(entry: Entry) -> Constant:
    if parse_iso(entry.text()) is None:
        raise entry.error("otherwise is a time in ISO 8601 with a zone.", "2024-05-01T00:00:00Z")
    return Constant(entry.text())


def _plain(form: FileFormat) -> Kind:
    return Kind.TEXT if form.type is FileType.CSV else Kind.ANY


def _call(entry: Entry) -> Call:
    word = entry.text()
    if word not in CALLS:
        raise entry.document.unknown((*entry.steps, word), CALLS, noun="call")
    return Call(word)


def _used(events: tuple[EventRule, ...]) -> Iterator[str]:
    """The columns that events are made of."""
    for event in events:
        yield from (condition.column for condition in event.when)
        yield from event.unique_by
        for value in _values(event):
            yield from columns_of(value)


def _values(event: EventRule) -> Iterator[Value]:
    time = _column(event.time)
    single = (event.title, event.user_id, event.anonymous_id, event.group_id, time, event.message_id)
    fields = (event.external_ids, event.properties, event.traits, event.context)
    for value in (*single, *(value for group in fields for value in group.values())):
        if value is not None:
            yield value.value if isinstance(value, Unless) else value
            if isinstance(value, Unless):
                yield Column(value.column)


def _walk(entry: Entry) -> Iterator[tuple[Steps, str]]:
    """Every word that may name a column, with the way to it; of a template each part in braces."""
    if isinstance(entry.value, dict):
        for key, item in entry.entries():
            if entry.steps[-1:] in (("columns",), ("when",)):
                yield item.steps, key
            if key not in _NO_COLUMNS or item.steps[:1] in (("properties",), ("traits",), ("context",)):
                yield from _walk(item)
    elif isinstance(entry.value, list):
        for item in entry.items():
            yield from _walk(item)
    elif isinstance(entry.value, str):
        yield entry.steps, entry.value
        yield from ((entry.steps, part) for part in re.findall(r"\{[^{}]*\}", entry.value))
