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


class Person(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a person is named to destinations: her first identifier of each kind."""

    userId: str = ""
    anonymousId: str = ""
    email: str = ""


def person_of(change: MembershipChange) -> Person:
    """How a person is named, by her identifiers.

    One who has neither a user id nor an anonymous id goes by her profile id as
    ``anonymousId``, since a track call needs one of them.
    """
    first: dict[str, str] = {}
    for identifier in change.identifiers:
        first.setdefault(identifier.type, identifier.value)
    user, anonymous = first.get("user_id", ""), first.get("anonymous_id", "")
    return Person(
        userId=user,
        anonymousId=anonymous if user or anonymous else change.profile_id,
        email=first.get("email", ""),
    )


def body(change: MembershipChange, destination: str, id_: str, person: Person) -> bytes:
    """The JSON text of a change: a track call that names the person and the segment."""
    context: dict[str, object] = {
        "personas": {
            "computation_class": "audience",
            "computation_id": change.segment,
            "computation_key": change.segment,
            "profile_id": change.profile_id,
        }
    }
    if person.email:
        context["traits"] = {"email": person.email}
    ids = {"userId": person.userId, "anonymousId": person.anonymousId}
    call = {
        "type": "track",
        "event": "Audience Entered" if change.entered else "Audience Exited",
        "messageId": id_,
        "timestamp": to_iso(change.at),
        **{name: value for name, value in ids.items() if value},
        "properties": {"audience_key": change.segment, change.segment: change.entered},
        "context": context,
        "integrations": {"All": False, destination: True},
    }
    return msgspec.json.encode(call)
