"""The hot path: recognising ordinary events, nearly all there are, at a few microseconds each.

A typed decoder reads the few fields that decide and skips the rest, which checks
its grammar but neither its numbers nor its UTF-8; the byte tests of ``hazards.py``
make up for that. Both may take an ordinary event for a strange one, never the
reverse: what is not ordinary goes to the exact look of ``judge.py``, which alone refuses.
"""

import unicodedata
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from cauce.collect.settings import CollectSettings
from cauce.collect.time_correction import EARLIEST, corrected, parse_timestamp
from cauce.vocabulary.event import Accepted, Call
from cauce.vocabulary.moment import SECOND, Moment, parse_iso

_Text = Annotated[str, Meta(min_length=1)]


class _Object(msgspec.Struct, gc=False):
    """Any object; its members are skipped."""


class _Context(msgspec.Struct, gc=False):
    groupId: _Text | int | None = None


class _Fields(msgspec.Struct, gc=False):
    messageId: _Text
    type: Call | None = None
    userId: _Text | int | None = None
    anonymousId: _Text | int | None = None
    event: _Text | None = None
    timestamp: _Text | None = None
    originalTimestamp: _Text | None = None
    sentAt: _Text | UnsetType | None = UNSET
    properties: _Object | None = None
    traits: _Object | None = None
    context: _Context | None = None
    writeKey: UnsetType | None = UNSET
    receivedAt: msgspec.Raw | UnsetType = UNSET
    metadata: msgspec.Raw | UnsetType = msgspec.field(name="_metadata", default=UNSET)


_decode = msgspec.json.Decoder(_Fields).decode

_TRACK = Call.TRACK
_NAMES: dict[Call | None, str] = {Call.IDENTIFY: "", Call.PAGE: "Page Viewed", Call.SCREEN: "Screen Viewed"}
_BYTES_OF_MEMBER = len('"":0,')


class Ordinary:
    """Recognises ordinary events by the limits of a space."""

    def __init__(self, limits: CollectSettings) -> None:
        self._longest_id = limits.max_identifier
        self._longest_message_id = limits.max_message_id
        self._members = limits.max_properties
        self._ahead = limits.ahead_seconds * SECOND

    def read(
        self,
        item: bytes,
        call: Call | None,
        source: str,
        received: Moment,
        sent: Moment | None,
        historical: bool = False,
    ) -> Accepted | None:
        """The event in ``item`` if it is an ordinary one that is valid beyond doubt, else None.

        The caller has found that ``may_be_hazardous`` is false for it.
        """
        try:
            fields = _decode(item)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        call = call or fields.type
        name = fields.event if call is _TRACK else _NAMES.get(call)
        message_id = fields.messageId
        if (
            call is None
            or name is None
            or name.isspace()
            or len(message_id) > self._longest_message_id
            or self._is_strange(fields.userId, fields.anonymousId)
            or (len(item) > self._members * _BYTES_OF_MEMBER and item.count(b":") > self._members)
        ):
            return None
        time = self._old_time(fields, received) if historical else self._time(fields, received, sent)
        if time is None:
            return None
        return Accepted(
            message_id=message_id,
            time=time,
            call=call,
            name=name if name.isascii() else unicodedata.normalize("NFC", name),
            source=source,
            body=item,
            sent=sent,
            historical=historical,
            stable=fields.sentAt is fields.writeKey is fields.receivedAt is fields.metadata is UNSET,
        )

    def _is_strange(self, user: str | int | None, anonymous: str | int | None) -> bool:
        longest = self._longest_id
        return (
            (user is None and anonymous is None)
            or (type(user) is str and (len(user) > longest or user.isspace()))
            or (type(anonymous) is str and (len(anonymous) > longest or anonymous.isspace()))
        )

    def _time(self, fields: _Fields, received: Moment, sent: Moment | None) -> Moment | None:
        """The corrected time; None if that is for the exact look."""
        said = fields.originalTimestamp or fields.timestamp
        if said is None:
            return received
        original = parse_iso(said)
        if original is None:
            return None
        if fields.sentAt:
            sent = parse_timestamp(fields.sentAt) or sent
        time = corrected(original, sent, received, self._ahead)
        return time if time >= EARLIEST else None

    def _old_time(self, fields: _Fields, received: Moment) -> Moment | None:
        """The time of an event of a historical batch that says one only."""
        said = fields.timestamp
        if said is None or fields.originalTimestamp is not None or fields.sentAt:
            return None
        time = parse_iso(said)
        return Moment(min(time, received + self._ahead)) if time is not None and time >= EARLIEST else None
