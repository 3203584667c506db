"""Is this a valid event? Pure: an event's bytes in, ``Accepted`` or a ``Problem`` out.

Every check that could stop a later stage stands here. Ordinary events are
recognised by ``ordinary.py``; the rest is looked at exactly.
"""

import unicodedata
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from cauce.collect.diagnosis import hazard, too_deep, why_malformed
from cauce.collect.hazards import may_be_hazardous
from cauce.collect.numbers import check_float
from cauce.collect.ordinary import Ordinary
from cauce.collect.reasons import Problem, Reason
from cauce.collect.settings import CollectSettings
from cauce.collect.time_correction import EARLIEST, corrected, historical, parse_timestamp
from cauce.eventlog.content import UNSTABLE
from cauce.vocabulary.event import TRACKING, Accepted, Call
from cauce.vocabulary.exact import decode_json, encode_json
from cauce.vocabulary.moment import SECOND, Moment

IdFactory = Callable[[], str]
"""Makes a message id for an event that came without one. Handed in, so that tests can fix it."""

_decode = msgspec.json.Decoder(float_hook=check_float).decode
_CALLS = {call.value: call for call in TRACKING}
_FIXED_NAMES = {Call.PAGE: "Page Viewed", Call.SCREEN: "Screen Viewed"}
_TIMES = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
_OBJECTS = ("properties", "traits", "context")
_WRITE_KEY = "writeKey"


class Arrival(NamedTuple):
    """What an event shares with those it came with.

    ``historical`` is set for events that happened long ago and are moved here from
    elsewhere: their times stand, whenever they are sent.
    """

    source: str
    received: Moment
    sent: Moment | None
    historical: bool = False


class Judge:
    """Judges events by the limits of a space."""

    def __init__(self, limits: CollectSettings, new_id: IdFactory) -> None:
        self._limits = limits
        self._new_id = new_id
        self._read_ordinary = Ordinary(limits).read
        self._ahead = limits.ahead_seconds * SECOND

    def judge(self, item: bytes, call: Call | None, arrival: Arrival) -> Accepted | Problem:
        """The event in ``item``, or what is wrong with it; how long it may be is the caller's business.

        ``call`` is that of the path; None if the event names its own ``type``.
        An event without message id gets a new one. A write key within the
        event is taken out of what is stored.
        """
        if may_be_hazardous(item, len(item), self._limits.max_nesting):
            return self.judge_exactly(item, call, arrival)
        return self.judge_harmless(item, call, arrival)

    def judge_harmless(self, item: bytes, call: Call | None, arrival: Arrival) -> Accepted | Problem:
        """The same for an event in text for which ``may_be_hazardous`` is false."""
        source, received, sent, historical = arrival
        ordinary = self._read_ordinary(item, call, source, received, sent, historical)
        return self.judge_exactly(item, call, arrival) if ordinary is None else ordinary

    def judge_exactly(self, item: bytes, call: Call | None, arrival: Arrival) -> Accepted | Problem:
        """The same, whether or not the event is an ordinary one."""
        deepest = self._limits.max_nesting
        try:
            fields = _decode(item)
        except RecursionError:
            return too_deep(deepest)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return why_malformed(item, deepest)
        if type(fields) is not dict:
            return Problem(Reason.NOT_AN_OBJECT, "The event is no JSON object.")
        return hazard(item, fields, deepest) or self._judge_fields(item, fields, call, arrival)

    def _judge_fields(
        self, item: bytes, fields: dict[str, Any], call: Call | None, arrival: Arrival
    ) -> Accepted | Problem:
        if call is None:
            kind = fields.get("type")
            call = _CALLS.get(kind) if type(kind) is str else None
            if call is None:
                return Problem(Reason.UNKNOWN_CALL, "The type is none of the six calls.")
        problem = self._identifiers(fields, call) or self._objects(fields)
        if problem:
            return problem
        name = _name(fields, call)
        if name is None:
            return Problem(Reason.NO_EVENT_NAME, "A track call names its event.")
        time = self._time(fields, arrival)
        if time is None:
            return Problem(Reason.BAD_TIMESTAMP, "The timestamp is no ISO 8601 date and time.")
        message_id = self._message_id(fields.get("messageId"))
        if isinstance(message_id, Problem):
            return message_id
        return Accepted(
            message_id=message_id,
            time=time,
            call=call,
            name=name,
            source=arrival.source,
            body=item if fields.get(_WRITE_KEY) is None else without_write_key(item),
            sent=arrival.sent,
            historical=arrival.historical,
            stable=UNSTABLE.isdisjoint(fields),
        )

    def _identifiers(self, fields: dict[str, Any], call: Call) -> Problem | None:
        user, anonymous = fields.get("userId"), fields.get("anonymousId")
        problem = self._identifier("userId", user) or self._identifier("anonymousId", anonymous)
        if problem:
            return problem
        if _absent(user) and (call is Call.ALIAS or _absent(anonymous)):
            return Problem(Reason.NO_USER_ANON_ID, "The event says neither userId nor anonymousId.")
        if call is Call.GROUP:
            group = fields.get("groupId")
            if _absent(group):
                return Problem(Reason.NO_GROUP_ID, "A group call names its groupId.")
            return self._identifier("groupId", group)
        if call is Call.ALIAS:
            previous = fields.get("previousId")
            if _absent(previous):
                return Problem(Reason.NO_PREVIOUS_ID, "An alias call names its previousId.")
            return self._identifier("previousId", previous)
        return None

    def _identifier(self, field: str, value: object) -> Problem | None:
        """Text or a whole number: some SDKs send numbers, and Cauce reads them as text."""
        if value is None:
            return None
        kind = type(value)
        if kind is int:
            value = str(value)
        elif kind is not str:
            return Problem(Reason.WRONG_TYPE, f"{field} is neither text nor a whole number.")
        if len(value) > self._limits.max_identifier:  # type: ignore[arg-type]
            longest = self._limits.max_identifier
            return Problem(Reason.IDENTIFIER_TOO_LONG, f"{field} is longer than {longest} characters.")
        return None

    def _objects(self, fields: dict[str, Any]) -> Problem | None:
        most = self._limits.max_properties
        for field in _OBJECTS:
            value = fields.get(field)
            if value is None:
                continue
            if type(value) is not dict:
                return Problem(Reason.WRONG_TYPE, f"{field} is no JSON object.")
            if field == "context":
                if value.get("groupId") == "":
                    return Problem(Reason.EMPTY_CONTEXT_GROUP_ID, "context.groupId is empty.")
            elif len(value) > most:
                return Problem(Reason.TOO_MANY_PROPERTIES, f"{field} has more than {most} members.")
        return None

    def _time(self, fields: dict[str, Any], arrival: Arrival) -> Moment | None:
        """The corrected time; None if the timestamp cannot be read.

        Where both are given, ``originalTimestamp`` is the caller's and
        ``timestamp`` has been corrected by somebody before.
        """
        if arrival.historical:
            return self._historical_time(fields, arrival.received)
        said = fields.get("originalTimestamp") or fields.get("timestamp")
        if not said and said not in (None, ""):
            return None
        original = parse_timestamp(said) if said else None
        if said and original is None:
            return None
        sent = arrival.sent
        if "sentAt" in fields:
            sent = parse_timestamp(fields["sentAt"]) or sent
        time = corrected(original, sent, arrival.received, self._ahead)
        return time if time >= EARLIEST else None

    def _historical_time(self, fields: dict[str, Any], received: Moment) -> Moment | None:
        """The time of an event of a historical batch; None if it says none that can be read."""
        said, original, sent, then = (parse_timestamp(fields.get(name)) for name in _TIMES)
        if (said is None and fields.get("timestamp")) or (
            original is None and fields.get("originalTimestamp")
        ):
            return None
        time = historical(said, original, sent, then)
        if time is None or time < EARLIEST:
            return None
        return Moment(min(time, received + self._ahead))

    def _message_id(self, value: object) -> str | Problem:
        if value is None or value == "":
            return self._new_id()
        if type(value) is int:
            value = str(value)
        if type(value) is not str:
            return Problem(Reason.WRONG_TYPE, "messageId is no text.")
        longest = self._limits.max_message_id
        if len(value) > longest:
            return Problem(Reason.MESSAGE_ID_TOO_LONG, f"messageId is longer than {longest} characters.")
        return value


def without_write_key(item: bytes) -> bytes:
    """The event without its top-level ``writeKey``: a secret is not stored with what it admitted."""
    fields = decode_json(item)
    if isinstance(fields, dict):
        fields.pop(_WRITE_KEY, None)
    return encode_json(fields)


def _name(fields: dict[str, Any], call: Call) -> str | None:
    """The event's name as rules see it; None if a track call has none."""
    if call is not Call.TRACK:
        return _FIXED_NAMES.get(call, "")
    name = fields.get("event")
    if type(name) is not str or not name.strip():
        return None
    return name if name.isascii() else unicodedata.normalize("NFC", name)  # names match in this form


def _absent(value: object) -> bool:
    return value is None or (type(value) is str and not value.strip())
