"""Queueing: each change of membership becomes one delivery per destination of its segment."""

from collections.abc import Mapping, Sequence

import msgspec

from cauce.activate.delivery import Delivery, State, as_rows
from cauce.activate.lanes import Lane, deliveries_in, is_open
from cauce.activate.payload import Person, body, delivery_id, person_of
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
        queueing = _Queueing(deliveries_in(transaction, [(name, one.profile_id) for name, one in wanted]))
        new = [one for name, change in wanted if (one := queueing.delivery(name, change))]
        if new:
            transaction.put(delivery, as_rows(new))
            newest = max(change.at for change in changes)
            transaction.advance(QUEUED_UNTIL, max(newest, transaction.progress(QUEUED_UNTIL)))
        return len(new)


class _Queueing:
    """What is known of the lanes while changes are queued one after another."""

    def __init__(self, lanes: Mapping[Lane, Sequence[Delivery]]) -> None:
        self._known = {one.id for lane in lanes.values() for one in lane}
        self._busy = {lane for lane, deliveries in lanes.items() if is_open(deliveries)}
        self._named = {lane: deliveries[-1].person for lane, deliveries in lanes.items()}
        self._replaced: dict[tuple[str, str | None], str] = {}

    def delivery(self, destination: str, change: MembershipChange) -> Delivery | None:
        """The delivery of a change; None if it is known."""
        id_ = delivery_id(change, destination)
        if id_ in self._known:
            return None
        lane, cause = (destination, change.profile_id), (destination, change.message_id)
        after = self._replaced.get(cause)
        gone = not change.identifiers
        if gone:  # whoever has her identifiers now is told about later, by the same cause
            self._replaced[cause] = id_
        person = self._person(lane, change)
        waits = lane in self._busy or after is not None
        self._known.add(id_)
        self._busy.add(lane)
        self._named[lane] = msgspec.json.encode(person).decode()
        return _queued(id_, destination, change, person, after, waits=waits)

    def _person(self, lane: Lane, change: MembershipChange) -> Person:
        """How she is named; a profile that is gone, as she was when the destination last heard of her."""
        if not change.identifiers and lane in self._named:
            return msgspec.json.decode(self._named[lane], type=Person)
        return person_of(change)


def _queued(
    id_: str, destination: str, change: MembershipChange, person: Person, after: str | None, *, waits: bool
) -> Delivery:
    return Delivery(
        id=id_,
        destination=destination,
        segment=change.segment,
        profile_id=change.profile_id,
        entered=int(change.entered),
        person=msgspec.json.encode(person).decode(),
        sequence=change.sequence,
        after=after,
        state=State.QUEUED,
        due=None if waits else change.at,
        attempts=0,
        tries=0,
        begun=None,
        started=None,
        settled=None,
        status=None,
        error="",
        body=body(change, destination, id_, person),
    )
