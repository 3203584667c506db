"""Queueing: each change of membership becomes one delivery per destination of its segment."""

from collections.abc import Mapping, Sequence

from cauce.activate.delivery import Delivery, State, as_rows
from cauce.activate.lanes import deliveries_in, is_open
from cauce.activate.payload import body, delivery_id
from cauce.activate.records import QUEUED_UNTIL, delivery
from cauce.storage.records import Transaction
from cauce.vocabulary.membership import MembershipChange


class Activation:
    """The deliveries of a space; ``destinations`` names those of each segment."""

    def __init__(self, destinations: Mapping[str, Sequence[str]]) -> None:
        self._destinations = destinations

    def queue(self, transaction: Transaction, changes: Sequence[MembershipChange]) -> int:
        """Queue what destinations are to be told of these changes; returns how many deliveries.

        Part of the transaction that made the changes. A delivery whose id is
        known is left as it is, so that folding a log again repeats nothing.
        """
        wanted = [
            (destination, change)
            for change in changes
            for destination in self._destinations.get(change.segment, ())
        ]
        lanes = deliveries_in(transaction, ((name, change.profile_id) for name, change in wanted))
        known = {one.id for lane in lanes.values() for one in lane}
        busy = {lane for lane, deliveries in lanes.items() if is_open(deliveries)}
        new: list[Delivery] = []
        for destination, change in wanted:
            id_ = delivery_id(change, destination)
            if id_ not in known:
                lane = (destination, change.profile_id)
                new.append(_queued(id_, destination, change, waits=lane in busy))
                known.add(id_)
                busy.add(lane)
        if new:
            transaction.put(delivery, as_rows(new))
            newest = max(change.at for change in changes)
            transaction.advance(QUEUED_UNTIL, max(newest, transaction.progress(QUEUED_UNTIL)))
        return len(new)


def _queued(id_: str, destination: str, change: MembershipChange, *, waits: bool) -> Delivery:
    return Delivery(
        id=id_,
        destination=destination,
        segment=change.segment,
        profile_id=change.profile_id,
        entered=int(change.entered),
        sequence=change.sequence,
        state=State.QUEUED,
        due=None if waits else change.at,
        attempts=0,
        tries=0,
        begun=None,
        started=None,
        settled=None,
        status=None,
        error="",
        body=body(change, destination, id_),
    )
