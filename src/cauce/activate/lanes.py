"""Lanes: the deliveries to one destination about one person, which keep their order.

The first delivery of a lane has a due time or is being sent; those behind it are
queued without a due time until it is settled.
"""

from collections.abc import Iterable
from itertools import groupby

from msgspec.structs import replace

from cauce.activate.delivery import SETTLED, Delivery, State, as_rows, read_delivery
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


def release(transaction: Transaction, lanes: Iterable[Lane], now: Moment) -> None:
    """Let the first waiting delivery of each lane begin, unless another one is under way there."""
    freed = []
    for deliveries in deliveries_in(transaction, lanes).values():
        waiting = [one for one in deliveries if waits(one)]
        under_way = any(one.state not in SETTLED and not waits(one) for one in deliveries)
        if waiting and not under_way:
            freed.append(replace(waiting[0], due=now))
    transaction.put(delivery, as_rows(freed))
