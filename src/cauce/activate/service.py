"""Queueing: each change of membership becomes one delivery per destination of its segment."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cauce.activate.delivery import Delivery, State, as_rows
from cauce.activate.lanes import Lane, deliveries_in, is_open
from cauce.activate.payload import (
    WEBHOOK,
    Person,
    Shape,
    body,
    delivery_id,
    person_of,
    read_person,
    row_body,
)
from cauce.activate.records import QUEUED_UNTIL, delivery
from cauce.storage.records import Transaction
from cauce.vocabulary.definitions import Definitions, DestinationKind
from cauce.vocabulary.membership import MembershipChange
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey

Traits = Callable[[ProfileKey], Callable[[str], Any]]
"""Gives, for a profile, what gives the golden value of a trait."""


def no_traits(_: ProfileKey) -> Callable[[str], Any]:
    """Nobody has any trait."""
    return lambda _: None


class Activation:
    """The deliveries of a space; ``destinations`` names those of each segment, ``shapes`` what they get."""

    def __init__(
        self, destinations: Mapping[str, Sequence[str]], shapes: Mapping[str, Shape] | None = None
    ) -> None:
        self.destinations = self._destinations = destinations
        self._shapes = shapes or {}
        self.queued = 0
        """How many deliveries were queued since the start, so that the deliverer can be woken."""

    @classmethod
    def of(cls, definitions: Definitions) -> "Activation":
        """The activation that definitions ask for."""
        shapes = {name: Shape.of(one) for name, one in definitions.destinations.items()}
        return cls({key: one.destinations for key, one in definitions.segments.items()}, shapes)

    def defined(self, destination: str) -> bool:
        """Whether there is such a destination."""
        return destination in self._shapes

    def owed(self, changes: Iterable[MembershipChange]) -> list[tuple[str, MembershipChange]]:
        """Which destination would be told of which change, in the order of the changes."""
        return [
            (destination, change)
            for change in changes
            for destination in self._destinations.get(change.segment, ())
        ]

    def queue(
        self, transaction: Transaction, changes: Sequence[MembershipChange], traits: Traits = no_traits
    ) -> int:
        """Queue what destinations are to be told of these changes; returns how many deliveries.

        Part of the transaction that made the changes. A delivery whose id is
        known is left as it is, so that folding a log again repeats nothing.
        """
        return self.queue_for(transaction, self.owed(changes), traits)

    def queue_for(
        self,
        transaction: Transaction,
        owed: Sequence[tuple[str, MembershipChange]],
        traits: Traits = no_traits,
    ) -> int:
        """Queue what the named destinations are to be told; returns how many deliveries."""
        lanes = deliveries_in(transaction, [(name, one.profile_id) for name, one in owed])
        queueing = _Queueing(lanes, traits)
        new = []
        for name, change in owed:
            one = queueing.delivery(name, self._shapes.get(name, WEBHOOK), change)
            if one is not None:
                new.append(one)
        if new:
            transaction.put(delivery, as_rows(new))
            newest = max(change.at for _, change in owed)
            transaction.advance(QUEUED_UNTIL, max(newest, transaction.progress(QUEUED_UNTIL)))
            self.queued += len(new)
        return len(new)


class _Queueing:
    """What is known of the lanes while changes are queued one after another."""

    def __init__(self, lanes: Mapping[Lane, Sequence[Delivery]], traits: Traits) -> None:
        self._traits = traits
        self._known = {one.id for lane in lanes.values() for one in lane}
        self._busy = {lane for lane, deliveries in lanes.items() if is_open(deliveries)}
        self._named = {lane: deliveries[-1].person for lane, deliveries in lanes.items()}
        self._newest = {lane: deliveries[-1].sequence for lane, deliveries in lanes.items()}
        self._replaced: dict[tuple[str, str | None], str] = {}

    def delivery(self, destination: str, shape: Shape, change: MembershipChange) -> Delivery | None:
        """The delivery of a change; None if it is known."""
        id_ = delivery_id(change, destination)
        if id_ in self._known:
            return None
        lane, cause = (destination, change.profile_id), (destination, change.message_id)
        after = self._replaced.get(cause)
        if not change.identifiers:  # whoever has her identifiers now is told about later, by the same cause
            self._replaced[cause] = id_
        person = self._person(lane, shape, change)
        sequence = max(change.at, self._newest.get(lane, change.at - 1) + 1)
        waits = shape.kind is not DestinationKind.FILE and (lane in self._busy or after is not None)
        self._known.add(id_)
        self._busy.add(lane)
        self._named[lane] = person.text()
        self._newest[lane] = sequence
        return Delivery(
            id=id_,
            destination=destination,
            kind=str(shape.kind),
            segment=change.segment,
            profile_id=change.profile_id,
            entered=int(change.entered),
            person=self._named[lane],
            sequence=sequence,
            after=after,
            state=State.QUEUED,
            due=None if waits else Moment(change.at),
            attempts=0,
            tries=0,
            begun=None,
            started=None,
            settled=None,
            status=None,
            error="",
            body=_body(shape, destination, id_, change, sequence, person),
        )

    def _person(self, lane: Lane, shape: Shape, change: MembershipChange) -> Person:
        """How she is named; a profile that is gone, as she was when the destination last heard of her."""
        if not change.identifiers and lane in self._named:
            return read_person(self._named[lane])
        trait = self._traits(change.profile) if shape.wants_traits and change.identifiers else _nothing
        return person_of(change, shape, trait)


def _nothing(_: str) -> None:
    return None


def _body(
    shape: Shape, destination: str, id_: str, change: MembershipChange, sequence: int, person: Person
) -> bytes:
    if shape.kind is DestinationKind.WEBHOOK:
        return body(change, destination, id_, person)
    return row_body(change, sequence, person, shape)
