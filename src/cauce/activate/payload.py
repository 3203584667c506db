"""Payloads: the body a destination gets, and the id by which it can tell a repeat.

A webhook gets the track variant of Segment's computed audiences (``field.md``
2.9): ``Audience Entered`` and ``Audience Exited``. Files and tables get a row.
"""

from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from cauce.activate.fields import (
    Change,
    Column,
    ColumnType,
    Trait,
    about_person,
    columns_of,
    row_of,
    table_columns,
)
from cauce.vocabulary.definitions import DestinationDef, DestinationKind, SqlDef
from cauce.vocabulary.exact import decode_json, encode_json
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
    """How a person is named to destinations, and the fields of hers that one gets, by column."""

    userId: str = ""
    anonymousId: str = ""
    fields: dict[str, Any] = {}

    def text(self) -> str:
        """As JSON; exact numbers stay exact."""
        return encode_json(self).decode()


def read_person(text: str) -> Person:
    """A person from her JSON."""
    return msgspec.convert(decode_json(text), Person)


class Shape(NamedTuple):
    """What a destination is told: its kind, and the fields it gets."""

    kind: DestinationKind
    columns: tuple[Column, ...]

    @classmethod
    def of(cls, definition: DestinationDef) -> "Shape":
        """The shape that a definition asks for."""
        if isinstance(definition, SqlDef):
            return cls(definition.kind, table_columns(definition))
        return cls(definition.kind, columns_of(definition))

    @property
    def wants_traits(self) -> bool:
        """Whether any field is a trait."""
        return any(column.value.startswith("trait.") for column in self.columns)


WEBHOOK = Shape(DestinationKind.WEBHOOK, (Column("email", "identifier.email", ColumnType.TEXT),))
"""The shape of a webhook that asks for nothing special."""


def person_of(change: MembershipChange, shape: Shape = WEBHOOK, trait: Trait = lambda _: None) -> Person:
    """How a person is named, by her identifiers, and the fields that the shape asks for.

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
        fields=about_person(shape.columns, change.identifiers, trait),
    )


def row_body(change: MembershipChange, sequence: int, person: Person, shape: Shape) -> bytes:
    """The JSON text of a change as a row: column → value."""
    since = change.at if change.entered else None
    told = Change(change.profile_id, change.segment, change.entered, change.at, since, sequence)
    return encode_json(row_of(shape.columns, told, person.fields))


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
    if traits := {name: value for name, value in person.fields.items() if value not in (None, [])}:
        context["traits"] = traits
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
    return encode_json(call)
