"""Backfills: a destination that a segment names for the first time is told who is in it, if asked for."""

from collections.abc import Callable, Sequence

from sqlalchemy import select

from cauce.activate.lanes import deliveries_in
from cauce.activate.needs import Member, Members
from cauce.activate.records import subscription
from cauce.activate.service import Activation
from cauce.storage.records import Records, Transaction
from cauce.vocabulary.access import Purpose
from cauce.vocabulary.definitions import Definitions, DestinationDef, FileDef, FileMode, SqlDef, TableMode
from cauce.vocabulary.event import Position
from cauce.vocabulary.membership import MembershipChange
from cauce.vocabulary.moment import Clock, Moment

_NOTHING_TO_TELL = None


def asks_for_members(definition: DestinationDef) -> bool:
    """Whether a destination is told of the members that are there when a segment first names it.

    A full file and a mirrored table hold everybody in any case.
    """
    if isinstance(definition, FileDef) and definition.mode is FileMode.FULL:
        return False
    if isinstance(definition, SqlDef) and definition.mode is TableMode.MIRROR:
        return False
    return definition.backfill


class Backfill:
    """Queues the members of the segments that name one destination anew; see ``Chore``."""

    def __init__(
        self,
        records: Records,
        definition: DestinationDef,
        segments: Sequence[str],
        activation: Activation,
        members: Members,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        self.name = definition.name
        self._records = records
        self._definition = definition
        self._segments = frozenset(segments)
        self._activation = activation
        self._members = members
        self._clock = clock
        self._wake = wake
        self._done = False

    def due(self, now: Moment) -> bool:  # noqa: ARG002  it depends on the definitions alone
        """Whether this was not done since the definitions came into force."""
        return not self._done

    def do(self, check: Callable[[], None]) -> None:
        """Take note of the segments that name the destination, and tell of members where asked for."""
        for segment in self._follow():
            check()
            while self._some(segment):
                check()
                self._wake()
        self._done = True

    def _follow(self) -> list[str]:
        """Bring the stored subscriptions to the definitions; the segments whose members are to be told."""
        with self._records.write() as transaction:
            stored = {row[0]: row for row in transaction.rows(subscription, "destination", [self.name])}
            gone = sorted(stored.keys() - self._segments)
            transaction.remove(subscription, "segment", gone, destination=self.name)
            told = 0 if asks_for_members(self._definition) else _NOTHING_TO_TELL
            new = sorted(self._segments - stored.keys())
            transaction.put(subscription, [(one, self.name, self._clock(), told) for one in new])
        begun = [segment for segment, row in stored.items() if row[3] is not None and segment not in gone]
        return sorted([*begun, *(new if told is not None else ())])

    def _some(self, segment: str) -> bool:
        """Queue some members; whether there may be more."""
        with self._records.write() as transaction:
            row = next(
                row for row in transaction.rows(subscription, "segment", [segment]) if row[1] == self.name
            )
            purpose = Purpose(self._definition.purpose)
            pages = self._members.of(transaction, segment, purpose=purpose, after=row[3] or 0, traits=True)
            members = next(pages, [])
            self._queue(transaction, segment, members)
            upto = members[-1].profile if members else _NOTHING_TO_TELL
            transaction.put(subscription, [(segment, self.name, row[2], upto)])
        return bool(members)

    def _queue(self, transaction: Transaction, segment: str, members: list[Member]) -> None:
        """Queue those of whom the destination did not hear last that they are in."""
        lanes = deliveries_in(transaction, [(self.name, one.profile_id) for one in members])
        knows = {
            profile_id
            for (_, profile_id), lane in lanes.items()
            if (about := [one for one in lane if one.segment == segment]) and about[-1].entered
        }
        traits = {one.profile: one.trait for one in members}
        owed = [(self.name, _change(segment, one)) for one in members if one.profile_id not in knows]
        self._activation.queue_for(transaction, owed, traits.__getitem__)


def forget_subscriptions(records: Records, definitions: Definitions) -> None:
    """Remove the subscriptions of destinations that are not defined any more."""
    with records.read() as reader:
        names = {row[0] for row in reader.select(select(subscription.c.destination).distinct())}
    gone = sorted(names - definitions.destinations.keys())
    if gone:
        with records.write() as transaction:
            transaction.remove(subscription, "destination", gone)


def begin_again(transaction: Transaction) -> None:
    """Let backfills under way go through the members from the first, as after a swap that numbers them anew.

    Nobody is told twice: who was last told to be in is left out.
    """
    under_way = [row for row in transaction.select(select(subscription)) if row[3]]
    transaction.put(subscription, [(*row[:3], 0) for row in under_way])


def _change(segment: str, member: Member) -> MembershipChange:
    return MembershipChange(
        sequence=0,
        segment=segment,
        profile=member.profile,
        profile_id=member.profile_id,
        entered=True,
        at=member.since,
        position=Position(0),
        message_id=None,
        identifiers=member.identifiers,
    )
