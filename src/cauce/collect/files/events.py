"""From the lines of one event to the event, as the mapping's rules say."""

import unicodedata
from collections.abc import Callable, Sequence
from hashlib import blake2b
from operator import itemgetter
from typing import Any

from cauce.collect.diagnosis import hazard
from cauce.collect.files.mapping.model import (
    WITH_TRAITS,
    Column,
    Comparison,
    Condition,
    Constant,
    EventRule,
    FileType,
    Mapping,
    Person,
    Timed,
)
from cauce.collect.files.reasons import FileReason
from cauce.collect.files.stream import MAX_LINE
from cauce.collect.files.values import Columns, Line, as_text, iso
from cauce.collect.reasons import Reason
from cauce.collect.settings import CollectSettings
from cauce.collect.time_correction import corrected
from cauce.vocabulary.event import Accepted, Call, identifiers_of
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION
from cauce.vocabulary.moment import SECOND, Moment, parse_iso

_NAMES = {Call.PAGE: "Page Viewed", Call.SCREEN: "Screen Viewed"}
MAX_EVENT = 2 * MAX_LINE
"""Longest event in bytes. The door's limit is for HTTP; this one is for what holds events in memory."""

_ID_BYTES = 16


Lines = Any
"""A ``Line``, or a list of them where the mapping groups lines."""

Holds = Callable[[Line], bool]
"""Whether a line fulfils a condition."""


class Unfit(Exception):
    """Lines that make no valid event: a reason, and a message without their data."""

    def __init__(self, reason: Reason | FileReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class EventMaker:
    """Makes the events of one rule; ``takes`` says whether a line fulfils all conditions of it.

    An event is made of ``Lines``: of all lines of a group, or of one line where
    the mapping does not group.
    """

    def __init__(self, rule: EventRule, mapping: Mapping, source: str, settings: CollectSettings) -> None:
        self._rule = rule
        self._call = rule.call.value
        self._source = source
        self._settings = settings
        columns = Columns(mapping.columns)
        several = bool(mapping.group_by)
        make = columns.of_lines if several else columns.of_line
        self.takes = _all([_holds(condition, columns) for condition in rule.when])
        self._title = make(rule.title or Constant(None))
        ids = (("userId", rule.user_id), ("anonymousId", rule.anonymous_id), ("groupId", rule.group_id))
        self._ids = [(key, make(value)) for key, value in ids if value is not None]
        self._external = [(type_, make(value)) for type_, value in rule.external_ids.items()]
        self._time = _time(rule.time, columns, several=several)
        self._message_id = make(rule.message_id) if rule.message_id else None
        self._unique_by = [make(Column(name)) for name in rule.unique_by]
        make_object = columns.object_of_lines if several else columns.object_of_line
        self._context = make_object(rule.context)
        self._fields = make_object(rule.traits if rule.call in WITH_TRAITS else rule.properties)
        # Cells of CSV are flat, and a line with NUL is no row.
        self._from_json = mapping.format.type is not FileType.CSV

    def make(self, lines: Lines, content: Sequence[object], received: Moment) -> Accepted:
        """The event of the lines; ``content`` tells it from others of its rule. Raises ``Unfit``."""
        rule = self._rule
        time = self._time(lines)
        if time is None:
            raise Unfit(FileReason.NO_TIME, "The event has no time.")
        title = unicodedata.normalize("NFC", as_text(self._title(lines)) or "")  # names match in this form
        if rule.call is Call.TRACK and not title:
            raise Unfit(Reason.NO_EVENT_NAME, "The event has no name.")
        body: dict[str, Any] = {"type": self._call}
        if title:
            body["event" if rule.call is Call.TRACK else "name"] = title
        message_id = self._identify(lines, title, content)
        body["messageId"] = message_id
        for key, make in self._ids:
            value = self._id(key, make(lines))
            if value:
                body[key] = value
        body["timestamp"] = iso(time)
        context = self._context(lines)
        self._add_external(context, lines)
        if context:
            body["context"] = context
        body["traits" if rule.call in WITH_TRAITS else "properties"] = self._fields(lines)
        self._check_person(body)
        return Accepted(
            message_id=message_id,
            time=corrected(time, None, received, self._settings.ahead_seconds * SECOND),
            call=rule.call,
            name=title if rule.call is Call.TRACK else _NAMES.get(rule.call, ""),
            source=self._source,
            body=self._encoded(body),
        )

    def _identify(self, lines: Lines, title: str, content: Sequence[object]) -> str:
        """The message id: as mapped, or a hash of what makes the event unique within its source."""
        if self._message_id is not None:
            value = as_text(self._message_id(lines))
            if value is None:
                raise Unfit(FileReason.MISSING_VALUE, "The message id is empty.")
            if len(value) > self._settings.max_message_id:
                raise Unfit(Reason.MESSAGE_ID_TOO_LONG, "The message id is too long.")
            return value
        if self._unique_by:
            content = [make(lines) for make in self._unique_by]
        parts = [self._source, self._call, title, *content]
        return blake2b(encode_json(parts), digest_size=_ID_BYTES).hexdigest()

    def _id(self, key: str, value: Any) -> str | None:
        text = as_text(value)
        if text is None and value is not None and not isinstance(value, str):
            raise Unfit(Reason.WRONG_TYPE, f"{key} is neither text nor a whole number.")
        if text is None and key == "groupId":
            raise Unfit(Reason.NO_GROUP_ID, "The group id is empty.")
        if text is not None and len(text) > self._settings.max_identifier:
            raise Unfit(Reason.IDENTIFIER_TOO_LONG, f"{key} is too long.")
        return text

    def _add_external(self, context: dict[str, Any], lines: Lines) -> None:
        """Identifiers of further types, in the form that every event carries them (``field.md`` 2.12)."""
        for type_, make in self._external:
            value = self._id(type_, make(lines))
            if value:
                entry = {"id": value, "type": type_, "collection": "users", "encoding": "none"}
                context.setdefault("externalIds", []).append(entry)

    def _check_person(self, body: dict[str, Any]) -> None:
        if self._rule.person is not Person.REQUIRED or "userId" in body or "anonymousId" in body:
            return
        if not identifiers_of(body, self._rule.call, DEFAULT_NORMALIZATION):
            raise Unfit(Reason.NO_USER_ANON_ID, "The event carries no identifier.")

    def _encoded(self, body: dict[str, Any]) -> bytes:
        encoded = encode_json(body)
        if len(encoded) > MAX_EVENT:
            raise Unfit(Reason.EVENT_TOO_LARGE, f"The event is longer than {MAX_EVENT} bytes.")
        found = hazard(encoded, body, self._settings.max_nesting) if self._from_json else None
        if found is not None:
            raise Unfit(found.reason, found.detail)
        return encoded


def _time(
    value: Column | Constant | Timed, columns: Columns, *, several: bool
) -> Callable[[Lines], Moment | None]:
    """The time of the event: the earliest of its lines."""
    if isinstance(value, Timed):
        found = _time(value.column, columns, several=several)
        otherwise = _time(value.otherwise, columns, several=several)
        return lambda lines: otherwise(lines) if (time := found(lines)) is None else time
    if isinstance(value, Constant):
        fixed = parse_iso(str(value.value))
        return lambda _: fixed
    index = columns.index(value.name)
    if not several:
        return itemgetter(index)
    return lambda lines: min((line[index] for line in lines if line[index] is not None), default=None)


def _all(conditions: list[Holds]) -> Holds:
    if not conditions:
        return lambda _: True
    if len(conditions) == 1:
        return conditions[0]
    return lambda line: all(holds(line) for holds in conditions)


def _holds(condition: Condition, columns: Columns) -> Holds:
    index, against = columns.index(condition.column), condition.against
    if condition.test is Comparison.EMPTY:
        return lambda line: (line[index] is None) is against
    if condition.test is Comparison.EQUALS:
        return lambda line: line[index] in against
    if condition.test is Comparison.STARTS_WITH:
        return lambda line: isinstance(line[index], str) and line[index].startswith(against)
    if condition.test is Comparison.BELOW:
        return lambda line: line[index] is not None and line[index] < against
    return lambda line: line[index] is not None and line[index] > against
