"""Membership: who is in a segment, and the changes that others are told about."""

import msgspec

from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey


class MembershipChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One person entered or left one segment; a row of the change feed.

    ``sequence`` numbers the feed in processing order. A change is identified by
    ``segment``, ``profile_id``, ``entered``, ``at`` and ``message_id``; so the
    same log and clock give the same changes, whatever else is in the feed.
    ``at`` is the moment of evaluation: the event's ``received``, or the due time
    of the timer. ``position`` is the event that caused it, or the last one
    folded before the timer fired; ``message_id`` is that of the event and None
    for a timer. ``identifiers`` are those of the person then, strongest first.
    """

    sequence: int
    segment: str
    profile: ProfileKey
    profile_id: str
    entered: bool
    at: Moment
    position: Position
    message_id: str | None
    identifiers: tuple[Identifier, ...]
