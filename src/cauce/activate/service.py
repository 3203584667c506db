"""Queueing: each change of membership becomes one delivery per destination of its segment."""

from collections.abc import Mapping, Sequence

from cauce.activate.delivery import SETTLED, Delivery, State, as_rows
from cauce.activate.payload import body, delivery_id
from cauce.activate.records import QUEUED_UNTIL, delivery
from cauce.storage.records import Transaction
from cauce.vocabulary.membership import MembershipChange

_COLUMN = {name: place for place, name in enumerate(delivery.columns.keys())}


class Activation:
    """The deliveries of a space; ``destinations`` names those of each segment."""

    def __init__(self, destinations: Mapping[str, Sequence[str]]) -> None:
        self._destinations = destinations

    def queue(self, transaction: Transaction, changes: Sequence[MembershipChange]) -> int:
        """Queue what destinations are to be told of these changes; returns how many deliveries.

        Part of the transaction that made the changes. A delivery whose id is
        known is left as it is, so that folding a log again repeats nothing.
        """
        lanes: dict[str, list[tuple[str, MembershipChange]]] = {}
        for change in changes:
            for destination in self._destinations.get(change.segment, ()):
                id_ = delivery_id(change, destination)
                lanes.setdefault(destination, []).append((id_, change))
        new: list[Delivery] = []
        for destination, wanted in lanes.items():
            new.extend(_new(transaction, destination, wanted))
        if new:
            transaction.put(delivery, as_rows(new))
            newest = max(change.at for change in changes)
            transaction.advance(QUEUED_UNTIL, max(newest, transaction.progress(QUEUED_UNTIL)))
        return len(new)


def _new(
    transaction: Transaction, destination: str, wanted: Sequence[tuple[str, MembershipChange]]
) -> list[Delivery]:
    people = {change.profile_id for _, change in wanted}
    kept = transaction.rows(delivery, "profile_id", people, destination=destination)
    known = {row[_COLUMN["id"]] for row in kept}
    busy = {row[_COLUMN["profile_id"]] for row in kept if row[_COLUMN["state"]] not in SETTLED}
    new = []
    for id_, change in wanted:
        if id_ not in known:
            new.append(_queued(id_, destination, change, waits=change.profile_id in busy))
            known.add(id_)
            busy.add(change.profile_id)
    return new


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
