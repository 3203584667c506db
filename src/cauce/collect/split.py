"""From the body of a batch call to its events, byte for byte, and what they share."""

from typing import Any, NamedTuple

import msgspec

from cauce.collect.reasons import Problem, Reason
from cauce.collect.scan import elements, members
from cauce.collect.time_correction import parse_timestamp
from cauce.vocabulary.exact import decode_json, encode_json
from cauce.vocabulary.moment import Moment

_NULL, _TRUE = b"null", b"true"
_SHARED = ("context", "integrations")
_BESIDE = ("writeKey", "sentAt", "historicalMigration", *_SHARED)


class Batch(NamedTuple):
    """The events of one call, and what stands beside them.

    ``sent`` is None for a ``historical`` batch: the clock of the program that moves
    old events here says nothing about when they happened.
    """

    items: list[bytes]
    write_key: str
    sent: Moment | None
    shared: dict[str, dict[str, Any]]
    historical: bool = False


class _Body(msgspec.Struct, gc=False):
    batch: list[msgspec.Raw] | None = None
    writeKey: msgspec.Raw = msgspec.Raw()
    sentAt: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()
    integrations: msgspec.Raw = msgspec.Raw()
    historicalMigration: msgspec.Raw = msgspec.Raw()


_body = msgspec.json.Decoder(_Body)


def split(text: bytes) -> Batch | Problem | None:
    """The batch in the body ``text``; None if strict decoding fails, as it does for one broken event."""
    try:
        body = _body.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    if body.batch is None:
        return NO_BATCH
    return _batch([bytes(item) for item in body.batch], body)


NO_BATCH = Problem(Reason.BATCH_MISSING, "The body has no list of events under batch.")
"""What is said of a body whose members can be read, and that is no batch."""

MALFORMED = Problem(Reason.MALFORMED_JSON, "The body is no JSON object.")
"""What is said of a body that is not even nearly JSON."""


def split_leniently(text: bytes) -> Batch | Problem:
    """The same by the structure around the events only, so that the neighbours of a broken one are kept.

    Only a body without the structure of a batch is malformed as a whole.
    """
    found = members(text)
    if found is None:
        return MALFORMED
    items = elements(found.get(b"batch", b""))
    if items is None:
        return NO_BATCH
    if b"" in items:  # a comma too many: the sender is broken, not one event
        return MALFORMED
    body = _Body()
    for name in _BESIDE:
        setattr(body, name, msgspec.Raw(found.get(name.encode(), b"")))
    return _batch(items, body)


def _batch(items: list[bytes], body: _Body) -> Batch | Problem:
    shared = {}
    for name in _SHARED:
        raw = bytes(getattr(body, name))
        if not raw or raw == _NULL:
            continue
        try:
            value = decode_json(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError):
            return Problem(Reason.MALFORMED_JSON, f"The {name} that the events share is malformed.")
        if not isinstance(value, dict):
            return Problem(Reason.WRONG_TYPE, f"The {name} that the events share is no JSON object.")
        if value:
            shared[name] = value
    historical = bytes(body.historicalMigration) == _TRUE
    sent = None if historical else parse_timestamp(text_of(bytes(body.sentAt)))
    return Batch(items, text_of(bytes(body.writeKey)), sent, shared, historical)


def text_of(raw: bytes) -> str:
    """The text that a raw JSON value is; empty if it is none."""
    try:
        value = msgspec.json.decode(raw) if raw else ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return value if isinstance(value, str) else ""


def with_shared(item: bytes, shared: dict[str, dict[str, Any]]) -> bytes:
    """The event with what its batch shares; the event's own members win.

    An event that cannot be decoded, or whose own value is no object, is left as
    it is: it is refused for that.
    """
    try:
        fields = decode_json(item)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError):
        return item
    if not isinstance(fields, dict):
        return item
    for name, values in shared.items():
        own = fields.get(name)
        if own is None:
            fields[name] = values
        elif isinstance(own, dict):
            fields[name] = values | own
    return encode_json(fields)
