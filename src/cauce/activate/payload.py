"""Payloads: the body a destination gets, and the id by which it can tell a repeat.

The shape is the track variant of Segment's computed audiences (``field.md``
2.9): ``Audience Entered`` and ``Audience Exited``.
"""

from hashlib import sha256
from uuid import UUID

import msgspec

from cauce.vocabulary.membership import MembershipChange
from cauce.vocabulary.moment import Moment, to_iso

_VARIANT = 0x8 << 76 | 0x2 << 62


def delivery_id(change: MembershipChange, destination: str) -> str:
    """The id of a change's delivery: the same change and destination always give the same one.

    A UUID of version 8 (RFC 9562): the milliseconds of the change, so that ids
    sort by time, and 74 bits of the SHA-256 of what identifies the change.
    """
    named = (destination, change.segment, change.profile_id, change.entered, change.at, change.message_id)
    digest = int.from_bytes(sha256(msgspec.json.encode(named)).digest()[:10], "big")
    moment = max(change.at // 1000, 0) & (1 << 48) - 1
    return str(UUID(int=moment << 80 | _VARIANT | (digest >> 68) << 64 | digest & (1 << 62) - 1))


def earliest_id(at: Moment) -> str:
    """A text that sorts before the id of every delivery at ``at`` or later."""
    return str(UUID(int=max(at // 1000, 0) << 80))


def body(change: MembershipChange, destination: str, id_: str) -> bytes:
    """The JSON text of a change: a track call that names the person and the segment.

    The first user id, anonymous id and e-mail of the person are used. One who
    has neither of the first two goes by her profile id as ``anonymousId``, since
    a track call needs one of them.
    """
    first: dict[str, str] = {}
    for identifier in change.identifiers:
        first.setdefault(identifier.type, identifier.value)
    person = {"userId": first.get("user_id"), "anonymousId": first.get("anonymous_id")}
    if not any(person.values()):
        person["anonymousId"] = change.profile_id
    context: dict[str, object] = {
        "personas": {
            "computation_class": "audience",
            "computation_id": change.segment,
            "computation_key": change.segment,
            "profile_id": change.profile_id,
        }
    }
    if "email" in first:
        context["traits"] = {"email": first["email"]}
    call = {
        "type": "track",
        "event": "Audience Entered" if change.entered else "Audience Exited",
        "messageId": id_,
        "timestamp": to_iso(change.at),
        **{name: value for name, value in person.items() if value},
        "properties": {"audience_key": change.segment, change.segment: change.entered},
        "context": context,
        "integrations": {"All": False, destination: True},
    }
    return msgspec.json.encode(call)
