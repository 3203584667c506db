"""Deliveries and receipts: what is to be told to a destination, and what came of each attempt."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec

from cauce.storage.records import Row
from cauce.vocabulary.moment import Moment


class State(StrEnum):
    """Where a delivery stands.

    ``unknown``: the last attempt may have reached the destination or not; it is
    tried again with the same key and body. ``dead``: given up, kept for replay.
    ``superseded``: was dead, and a newer change was told since. ``dropped``: is
    owed to nobody any more; ``error`` says why.
    """

    QUEUED = "queued"
    SENDING = "sending"
    RETRYING = "retrying"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    DEAD = "dead"
    SUPERSEDED = "superseded"
    DROPPED = "dropped"


SETTLED = frozenset({State.DELIVERED, State.DEAD, State.SUPERSEDED, State.DROPPED})
"""The states in which nothing more happens by itself."""

UNSETTLED = tuple(str(state) for state in State if state not in SETTLED)

REPLAYABLE = frozenset({State.DEAD, State.SUPERSEDED, State.DROPPED})
"""The states of deliveries that can be queued again."""


class Outcome(StrEnum):
    """What came of one attempt.

    ``delivered``: answered with success. ``failed``: refused for now, or not
    sent at all; trying again may work. ``refused``: trying again cannot work.
    ``unknown``: sent at least in part, and no answer seen.
    """

    DELIVERED = "delivered"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Delivery(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One membership change to be told to one destination.

    The fields are the columns of the ``delivery`` table, in their order. ``id``
    is the idempotency key. ``kind`` is that of the destination when it was
    queued. ``sequence`` orders the deliveries of a lane: the moment of the change,
    or one more than that of the delivery before. ``person`` is the JSON of how she
    is named in the body. ``after`` is the id of a delivery about somebody else that comes first:
    a profile that this one replaced. ``due`` is when the next attempt may begin;
    None while it is being sent, is settled, or waits behind another delivery.
    ``attempts`` counts all attempts, ``tries`` those since it was queued or
    replayed, and ``begun`` is when the first of these started. ``started`` is
    when the last attempt started, ``status`` and ``error`` say how it ended.
    ``body`` is emptied when it has been delivered.
    """

    id: str
    destination: str
    kind: str
    segment: str
    profile_id: str
    entered: int
    person: str
    sequence: int
    after: str | None
    state: State
    due: Moment | None
    attempts: int
    tries: int
    begun: Moment | None
    started: Moment | None
    settled: Moment | None
    status: int | None
    error: str
    body: bytes


class Receipt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came of one attempt of a delivery.

    The fields are the columns of the ``receipt`` table, in their order.
    ``ended`` is None if the process stopped during the attempt; ``status`` is
    the HTTP status if there was an answer; ``error`` is a short sentence
    without personal data, empty if it was delivered.
    """

    delivery: str
    attempt: int
    started: Moment
    ended: Moment | None
    outcome: Outcome
    status: int | None
    error: str


def read_delivery(row: Row) -> Delivery:
    """The delivery of a row of its table."""
    return msgspec.convert(dict(zip(Delivery.__struct_fields__, row, strict=True)), Delivery)


def begin_attempt(one: Delivery, now: Moment, started: Moment) -> Delivery:
    """The delivery at the beginning of its next attempt: ``now`` by the outbox, ``started`` by the clock."""
    return msgspec.structs.replace(
        one,
        state=State.SENDING,
        due=None,
        attempts=one.attempts + 1,
        tries=one.tries + 1,
        begun=now if one.begun is None else one.begun,
        started=started,
    )


def read_receipt(row: Row) -> Receipt:
    """The receipt of a row of its table."""
    return msgspec.convert(dict(zip(Receipt.__struct_fields__, row, strict=True)), Receipt)


def as_rows(values: Sequence[Delivery] | Sequence[Receipt]) -> list[Row]:
    """The rows of deliveries or receipts."""
    return [_plain(msgspec.structs.astuple(value)) for value in values]


def _plain(row: tuple[Any, ...]) -> Row:
    return tuple(str(field) if isinstance(field, StrEnum) else field for field in row)
