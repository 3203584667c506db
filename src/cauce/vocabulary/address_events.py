"""Events that tell what became of an address: bounces, complaints, confirmations, changes.

The names are those that mail systems use (Segment's e-mail specification first), and
for a change of address those that shops and preference centres use. Of deliveries,
opens and clicks there are too many to keep for each person; they are understood
where somebody reads them from the log.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from cauce.vocabulary.identifier import Identifier, Normalization, normalize
from cauce.vocabulary.language import Entry
from cauce.vocabulary.moment import Moment


class Act(StrEnum):
    """What happened to an address."""

    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    CONFIRMED = "confirmed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    SUBSCRIBED = "subscribed"
    CHANGED = "changed"


class Told(NamedTuple):
    """What an event of some name tells: the act, and the identifier type it is about."""

    act: Act
    type: str
    soft: bool = False


_EMAIL: Mapping[Act, tuple[str, ...]] = {
    Act.DELIVERED: ("Email Delivered", "Received Email"),
    Act.OPENED: ("Email Opened", "Opened Email"),
    Act.CLICKED: ("Email Link Clicked", "Email Clicked", "Clicked Email"),
    Act.CONFIRMED: ("Email Confirmed", "Email Verified", "Email Address Confirmed", "Email Address Verified"),
    Act.BOUNCED: ("Email Bounced", "Email Hard Bounced", "Bounced Email", "Email Soft Bounced"),
    Act.COMPLAINED: ("Email Marked as Spam", "Email Marked As Spam", "Marked Email as Spam", "Spam Reported"),
    Act.UNSUBSCRIBED: ("Unsubscribed", "Email Unsubscribed", "Unsubscribed from Email Marketing"),
    Act.SUBSCRIBED: (
        "Subscribed",
        "Resubscribed",
        "Email Subscribed",
        "Email Resubscribed",
        "Subscribed to Email Marketing",
    ),
    Act.CHANGED: ("Email Changed", "Email Address Changed"),
}
_PHONE: Mapping[Act, tuple[str, ...]] = {
    Act.DELIVERED: ("SMS Delivered",),
    Act.CLICKED: ("SMS Link Clicked",),
    Act.CONFIRMED: ("Phone Confirmed", "Phone Verified", "Phone Number Verified"),
    Act.BOUNCED: ("SMS Bounced", "SMS Failed"),
    Act.UNSUBSCRIBED: ("SMS Unsubscribed",),
    Act.SUBSCRIBED: ("SMS Subscribed", "SMS Resubscribed"),
    Act.CHANGED: ("Phone Changed", "Phone Number Changed"),
}

NAMES: Mapping[str, Told] = {
    name: Told(act, type_, "Soft" in name)
    for type_, acts in (("email", _EMAIL), ("phone", _PHONE))
    for act, names in acts.items()
    for name in names
}
"""Event name → what it tells."""

_FREQUENT = (Act.DELIVERED, Act.OPENED, Act.CLICKED)

_ADDRESS = {
    "email": ("email", "email_address", "address"),
    "phone": ("phone", "phone_number", "number"),
}
_OLD = {
    "email": ("old", "old_email", "oldEmail", "previous_email", "from"),
    "phone": ("old", "old_phone", "oldPhone", "previous_phone", "from"),
}
_NEW = {
    "email": ("new", "new_email", "newEmail", "to"),
    "phone": ("new", "new_phone", "newPhone", "to"),
}
_BOUNCE = ("type", "bounce_type", "bounceType", "classification")
_SOFT = frozenset({"soft", "transient", "temporary", "softbounce", "soft_bounce", "mailbox_full", "deferred"})


def _paths(told: Told) -> frozenset[tuple[str, ...]]:
    names: tuple[str, ...] = _ADDRESS[told.type]
    if told.act is Act.CHANGED:
        names += _OLD[told.type] + _NEW[told.type]
    if told.act is Act.BOUNCED:
        names += _BOUNCE
    return frozenset((name,) for name in names)


RECORDED: Mapping[str, frozenset[tuple[str, ...]]] = {
    name: _paths(told) for name, told in NAMES.items() if told.act not in _FREQUENT
}
"""The events that timelines record of everybody, with the properties that are read of them."""

CHANGES: Mapping[str, str] = {name: told.type for name, told in NAMES.items() if told.act is Act.CHANGED}
"""Name of an event that changes an address → the trait it changes."""


class AddressEvent(NamedTuple):
    """What happened to a normalized address; ``new`` is what it was changed to."""

    act: Act
    type: str
    address: str
    new: str
    time: Moment
    received: Moment
    message_id: str
    source: str
    soft: bool = False


def read_address_event(
    name: str, entry: Entry, carried: Sequence[Identifier], how: Normalization
) -> AddressEvent | None:
    """What an event tells of an address; None if it tells nothing or names none.

    The address is what the properties name, else the only one that the event
    ``carried`` as an identifier. A change needs the new address; the old one must differ,
    and is "" if nothing names it.
    """
    told = NAMES.get(name)
    if told is None:
        return None
    own = [one.value for one in carried if one.type == told.type]
    changed = told.act is Act.CHANGED
    properties = entry.properties
    address = _named(properties, _OLD[told.type] if changed else _ADDRESS[told.type], told.type, how)
    new = ""
    if changed:
        new = _named(properties, (*_NEW[told.type], *_ADDRESS[told.type]), told.type, how)
        own = [one for one in own if one != new]
    if not address and len(own) == 1:
        address = own[0]
    if (not new or new == address) if changed else not address:
        return None
    soft = told.soft or any(str(properties.get(one)).lower() in _SOFT for one in _BOUNCE)
    return AddressEvent(
        told.act, told.type, address, new, entry.time, entry.received, entry.message_id, entry.source, soft
    )


def _named(properties: Mapping[str, Any], names: Sequence[str], type_: str, how: Normalization) -> str:
    for name in names:
        value = properties.get(name)
        if isinstance(value, str) and value.strip():
            return normalize(type_, value, how)
    return ""
