"""Deliveries as people and programs read them; times in ISO 8601, UTC."""

import msgspec

from cauce.activate.delivery import Delivery, Receipt, State
from cauce.vocabulary.moment import iso_or_none, to_iso


class DeliveryDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A membership change that a destination is told; ``id`` is the idempotency key."""

    id: str
    destination: str
    segment: str
    profile_id: str
    change: str
    state: State
    attempts: int
    due: str | None
    started: str | None
    settled: str | None
    status: int | None
    error: str


class ReceiptDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one attempt; ``ended`` is null if Cauce stopped during it."""

    attempt: int
    started: str
    ended: str | None
    outcome: str
    status: int | None
    error: str


def describe_delivery(one: Delivery) -> DeliveryDocument:
    """A delivery without its body, and without how the person is named in it."""
    return DeliveryDocument(
        id=one.id,
        destination=one.destination,
        segment=one.segment,
        profile_id=one.profile_id,
        change="entered" if one.entered else "left",
        state=one.state,
        attempts=one.attempts,
        due=iso_or_none(one.due),
        started=iso_or_none(one.started),
        settled=iso_or_none(one.settled),
        status=one.status,
        error=one.error,
    )


def describe_receipt(one: Receipt) -> ReceiptDocument:
    """A receipt."""
    return ReceiptDocument(
        attempt=one.attempt,
        started=to_iso(one.started),
        ended=iso_or_none(one.ended),
        outcome=one.outcome,
        status=one.status,
        error=one.error,
    )
