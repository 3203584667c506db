"""Lanes: the deliveries to one destination about one person, which keep their order.

The first delivery of a lane has a due time or is being sent; those behind it are
queued without a due time until it is settled. A delivery may also wait for one in
another lane: where a profile was replaced by another, the destination hears that
the old one left before it hears that the new one entered.
"""

from collections.abc import Iterable
from itertools import groupby

from msgspec.structs import replace

from cauce.activate.delivery import REPLAYABLE, SETTLED, Delivery, State, as_rows, read_delivery
from cauce.activate.records import delivery
from cauce.storage.records import Transaction
from cauce.vocabulary.moment import Moment

Lane = tuple[str, str]
"""A destination and a profile id."""


def lane_of(one: Delivery) -> Lane:
    """The lane a delivery is in."""
    return one.destination, one.profile_id


def waits(one: Delivery) -> bool:
    """Whether a delivery waits behind another."""
    return one.state is State.QUEUED and one.due is None


def deliveries_in(transaction: Transaction, lanes: Iterable[Lane]) -> dict[Lane, list[Delivery]]:
    """All kept deliveries of some lanes, in the order of their changes."""
    found: dict[Lane, list[Delivery]] = {}
    for destination, members in groupby(sorted(set(lanes)), lambda lane: lane[0]):
        people = [profile_id for _, profile_id in members]
        for row in transaction.rows(delivery, "profile_id", people, destination=destination):
            one = read_delivery(row)
            found.setdefault(lane_of(one), []).append(one)
    for deliveries in found.values():
        deliveries.sort(key=lambda one: (one.sequence, one.id))
    return found


def is_open(deliveries: Iterable[Delivery]) -> bool:
    """Whether any delivery of a lane is not settled."""
    return any(one.state not in SETTLED for one in deliveries)


def is_obsolete(one: Delivery, lane: Iterable[Delivery]) -> bool:
    """Whether a newer change of the same segment was told, or is on its way: then this one is wrong."""
    return any(
        other.segment == one.segment and other.sequence > one.sequence and other.state not in REPLAYABLE
        for other in lane
    )


def release(transaction: Transaction, changed: Iterable[Delivery], now: Moment) -> None:
    """Let what these deliveries held up begin: in each lane the first that waits, if nothing is under way.

    ``changed`` are deliveries that were settled, or queued again.
    """
    changed = list(changed)
    held = transaction.rows(delivery, "after", [one.id for one in changed])
    lanes = deliveries_in(transaction, [lane_of(one) for one in (*changed, *map(read_delivery, held))])
    first = [one for lane in lanes.values() if (one := _next(lane)) is not None]
    ahead = transaction.rows(delivery, "id", [one.after for one in first if one.after is not None])
    not_yet = {one.id for one in map(read_delivery, ahead) if one.state not in SETTLED}
    transaction.put(delivery, as_rows([replace(one, due=now) for one in first if one.after not in not_yet]))


def _next(lane: list[Delivery]) -> Delivery | None:
    """The first of a lane that waits; None if another one is under way."""
    if any(one.state not in SETTLED and not waits(one) for one in lane):
        return None
    return next(filter(waits, lane), None)
