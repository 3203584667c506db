"""Events: what somebody did or what somebody said, as collected and as read.

An event passes through three forms. ``Accepted`` is what the door hands to the
log; ``Logged`` is a row of the log, with its position; ``Event`` is the decoded
form that every stage works on.
"""

import unicodedata
from enum import StrEnum
from typing import Any, ClassVar, NewType

import msgspec

from cauce.vocabulary.alias import Alias, named_before
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.identifier import Identifier, Normalization, normalize
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.postal_address import address_identifiers
from cauce.vocabulary.statement import Statement, read_statement

Position = NewType("Position", int)
"""Where an event stands in the log; the first is 1, gaps are allowed."""


class Call(StrEnum):
    """The calls of the tracking API (Segment's spec), and what is stated about identifiers."""

    IDENTIFY = "identify"
    TRACK = "track"
    PAGE = "page"
    SCREEN = "screen"
    GROUP = "group"
    ALIAS = "alias"
    STATEMENT = "statement"


TRACKING = tuple(call for call in Call if call is not Call.STATEMENT)
"""The calls of the tracking API."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event the door accepted; ``body`` is its JSON text byte for byte.

    ``time`` is the corrected client time, clamped at the door. ``name`` is the
    event name as rules see it: ``Page Viewed`` and ``Screen Viewed`` for page
    and screen calls, the event of a track call, otherwise empty. ``sent``,
    ``historical`` and ``came`` are needed if it has to be judged again, because its
    message id turns out to be used: what its batch said of times, and the moment it
    was received, None for the present one. ``stable`` is set if the body is known to
    have no member that differs between two sendings (``eventlog.content``).
    """

    message_id: str
    time: Moment
    call: Call
    name: str
    source: str
    body: bytes
    sent: Moment | None = None
    historical: bool = False
    came: Moment | None = None
    stable: bool = False


class Refused(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Input that is no valid event, kept in quarantine with its reason.

    ``reason`` is a stable code, ``detail`` a sentence without personal data.
    ``call`` and ``sent`` are what judging ``body`` again needs to know: the call of
    the path it came to, ``BATCH`` for a whole request, ``LINE`` for a line of a
    file, ``HISTORICAL`` for an event of a historical batch, whose time must stand
    again, empty if the body names its own type; and the sender's clock. ``came`` is
    the moment it was received, None for the present one.
    """

    BATCH: ClassVar[str] = "batch"
    LINE: ClassVar[str] = "line"
    HISTORICAL: ClassVar[str] = "historical"

    reason: str
    detail: str
    source: str
    body: bytes
    call: str = ""
    sent: Moment | None = None
    came: Moment | None = None


class Logged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of the log."""

    position: Position
    received: Moment
    time: Moment
    call: Call
    name: str
    message_id: str
    source: str
    body: bytes


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A decoded event.

    ``identifiers`` are normalized, distinct and in the order user_id, email,
    phone, …, anonymous_id. ``traits`` is filled on identify calls, where they are
    the person's, and on group calls, where they are the group's; ``group`` is the
    groupId of a group call, else that of the context. ``properties`` holds a page's
    or screen's ``name`` as ``page_name`` or ``screen_name``. ``name`` and the names
    of traits are in Unicode NFC, as rules compare them. An event that is a
    ``statement`` carries nothing else.
    """

    position: Position
    received: Moment
    time: Moment
    call: Call
    name: str
    message_id: str
    source: str
    identifiers: tuple[Identifier, ...]
    traits: dict[str, Any]
    properties: dict[str, Any]
    group: str = ""
    statement: Statement | None = None


def read_event(row: Logged, how: Normalization | None) -> Event:
    """Decode a row of the log; without its identifiers if nobody says how they are normalized."""
    body = decode_json(row.body)
    if not isinstance(body, dict):  # the door accepts objects only
        body = {}
    traits = _composed(_object(body, "traits")) if row.call in (Call.IDENTIFY, Call.GROUP) else {}
    properties = _object(body, "properties")
    if row.call in (Call.PAGE, Call.SCREEN) and isinstance(body.get("name"), str):
        properties = properties | {f"{row.call}_name": body["name"]}
    return Event(
        position=row.position,
        received=row.received,
        time=row.time,
        call=row.call,
        name=_compose(row.name),
        message_id=row.message_id,
        source=row.source,
        identifiers=identifiers_of(body, row.call, how) if how is not None else (),
        traits=traits,
        properties=properties,
        group=group_of(body, row.call),
        statement=read_statement(body, how) if row.call is Call.STATEMENT and how is not None else None,
    )


LONGEST_GROUP_ID = 500
"""The most characters of a group id (``field.md`` 2.1)."""


def group_of(body: dict[str, Any], call: Call) -> str:
    """The group that an event names: by groupId of a group call, otherwise by context.groupId.

    In Unicode NFKC, trimmed; empty if there is none. The door refuses a group call
    with an id that is too long; one in the context names no group.
    """
    if call is Call.GROUP:
        named = _text(body.get("groupId"))
    else:
        context = body.get("context")
        named = _text(context.get("groupId")) if isinstance(context, dict) else ""
        if len(named) > LONGEST_GROUP_ID:
            return ""
    return normal_group(named) if named else ""


def normal_group(group_id: str) -> str:
    """The normal form of a group id: Unicode NFKC, trimmed."""
    return unicodedata.normalize("NFKC", group_id).strip()


def identifiers_of(body: dict[str, Any], call: Call, how: Normalization) -> tuple[Identifier, ...]:
    """The identifiers an event carries (Segment's identity settings, ``field.md`` 2.12).

    ``user_id`` from userId, ``email`` and ``phone`` from an identify call's
    traits and from context.traits, device ids from context.device, custom ones
    from complete entries of context.externalIds, ``anonymous_id``. ``postal_address``
    and ``household_address``, if the rules ask for them, from names and addresses among those traits.
    What an alias call says besides is up to its source (``alias.py``).
    """
    found: list[tuple[str, object]] = [("user_id", body.get("userId"))]
    if how.alias is not Alias.IGNORE:
        found += named_before(body, call, how.alias)
    context = _object(body, "context")
    people = [_object(context, "traits")]
    if call is Call.IDENTIFY:
        people.insert(0, _object(body, "traits"))
    for type_ in ("email", "phone"):
        found.extend((type_, traits.get(type_)) for traits in people)
    found.extend(address_identifiers({**people[-1], **people[0]}, how.by_type))
    if "externalIds" in context:
        found.extend(_external(context["externalIds"]))
    if "device" in context:
        found.extend(_device(_object(context, "device")))
    found.append(("anonymous_id", body.get("anonymousId")))
    result: dict[Identifier, None] = {}
    for type_, value in found:
        text = _text(value)
        normal = normalize(type_, text, how) if text else ""
        if normal:
            result[Identifier(type_, normal)] = None
    return tuple(result)


def _device(device: dict[str, Any]) -> list[tuple[str, object]]:
    """What a phone or tablet is known by. An advertising id counts only where tracking is allowed.

    iOS must say that it is, Android must not say that it is not; both say "none"
    by an id of zeros.
    """
    platform = str(device.get("type", "")).lower()
    if platform not in ("android", "ios"):
        return []
    found = [(f"{platform}.id", device.get("id")), (f"{platform}.push_token", device.get("token"))]
    tracking = device.get("adTrackingEnabled")
    advertising = _text(device.get("advertisingId"))
    if (tracking is True or (platform == "android" and tracking is None)) and not set(advertising) <= _ZEROS:
        found.append((f"{platform}.idfa", advertising))
    return found


_ZEROS = frozenset("0-")


def _external(entries: object) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or not {"id", "type", "collection", "encoding"} <= set(entry):
            continue
        type_ = entry["type"]
        if isinstance(type_, str) and type_ and entry["encoding"] == "none":
            found.append((type_.lower(), entry["id"]))
    return found


def _compose(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _composed(values: dict[str, Any]) -> dict[str, Any]:
    return {_compose(name): value for name, value in values.items()}


def _object(parent: dict[str, Any], key: str) -> dict[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if type(value) is int else ""
