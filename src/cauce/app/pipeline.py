"""An event's whole way, on one page.

    resolve → update profiles → evaluate segments → queue deliveries

A batch is folded in one transaction together with the position it reaches. The
result is that of folding its events one by one: before each event the timers due
by then fire, and every rule is evaluated at the moment the event was received.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cauce.activate.service import Activation
from cauce.app.log_past import LogPast
from cauce.identity.facts import Fact
from cauce.identity.graph import Given
from cauce.identity.past import Carried
from cauce.identity.service import Identity, Resolution
from cauce.identity.service import Session as IdentitySession
from cauce.profile.person import Person
from cauce.profile.service import Profiles
from cauce.profile.session import ProfileSession, Recorded, merged
from cauce.segment.live import LiveSegment, LiveSegments
from cauce.segment.session import Cause, Due, SegmentSession, due_timers
from cauce.storage.records import Reader, Records, Transaction, progress
from cauce.vocabulary.errors import CauceError, Transient
from cauce.vocabulary.event import Call, Event, Position
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey, SignatureKey

LOG, CLOCK = "log", "clock"
"""Names of what the pipeline stores of its progress: a position, and a moment."""

VERSION = "definitions"
"""Under this name ``progress`` has the number of the version of the definitions that made the state."""

ROUND = "fold.round"
"""Under this name ``progress`` has the last position of an open round (``app/rounds``), if one is."""

TIMERS_AT_ONCE = 1_000


class Superseded(Transient):
    """Other definitions made the state meanwhile: whoever folds must take them in first."""

    code = "superseded"


class Unfoldable(Exception):
    """An event that cannot be folded, by its position, and what was raised."""

    def __init__(self, position: Position, reason: Exception) -> None:
        super().__init__(position)
        self.position = position
        self.reason = reason


class MovedOn(Transient):
    """Another worker has folded these events, or is about to."""

    code = "moved_on"


class Pipeline(NamedTuple):
    """The stages an event passes, and the store that holds their results.

    ``version`` is that of the definitions they were made of, 0 if it has none.
    Folding raises ``Superseded`` once the state was made with another one.
    """

    records: Records
    identity: Identity
    profiles: Profiles
    segments: LiveSegments
    activation: Activation
    version: int = 0
    past: Callable[[Position], LogPast] | None = None
    """What came before a position; needed where statements may come."""

    @property
    def recorded(self) -> Recorded:
        """What timelines record: the events and paths that segments in force and computed traits read."""
        return merged(self.segments.recorded, self.profiles.recorded)

    def fold(self, events: Sequence[Event], after: Position | None = None) -> None:
        """Fold events that follow the stored position, in order.

        ``after`` is what that position is believed to be; raises ``MovedOn`` if it is another one.
        """
        horizon = events[-1].received
        with self.records.write() as transaction:
            self.require(transaction, after)
            due = due_timers(transaction, horizon, TIMERS_AT_ONCE)
            if len(due) < TIMERS_AT_ONCE:
                batch = self._batch(transaction, events, horizon, due)
                for event in events:
                    batch.fire_timers(event.received)
                    batch.fold(event)
                batch.save()
                transaction.advance(LOG, events[-1].position)
                transaction.advance(CLOCK, max(horizon, transaction.progress(CLOCK)))
                return
        self.pass_time(events[0].received, after)  # so many timers that they need transactions of their own
        middle = (len(events) + 1) // 2
        for part in (events[:middle], events[middle:]):
            if part:
                self.fold(part, after)
                after = None if after is None else part[-1].position

    def pass_time(self, moment: Moment, after: Position | None = None) -> None:
        """Fire the timers due up to ``moment``, which no later event may precede."""
        more = True
        while more:
            with self.records.write() as transaction:
                self.require(transaction, after)
                due = due_timers(transaction, moment, TIMERS_AT_ONCE)
                more = len(due) == TIMERS_AT_ONCE
                horizon = due[-1].due if more else moment
                if due:
                    batch = self._batch(transaction, (), horizon, due)
                    batch.fire_timers(horizon)
                    batch.save()
                transaction.advance(CLOCK, max(horizon, transaction.progress(CLOCK)))

    def skip(self, position: Position, received: Moment, after: Position | None = None) -> None:
        """Go past an event that cannot be folded."""
        self.pass_time(received, after)
        with self.records.write() as transaction:
            self.require(transaction, after)
            transaction.advance(LOG, position)

    def fold_lane(
        self,
        transaction: Transaction,
        events: Sequence[Event],
        horizon: Moment,
        due: Sequence[Due],
        given: Given,
    ) -> None:
        """Fold some events of a round, and the timers due by its end, in a transaction of theirs.

        Raises ``Unfoldable`` where an event fails in a way that no code foresaw.
        """
        batch = self._batch(transaction, events, horizon, due, given)
        for event in events:
            batch.fire_timers(event.received)
            try:
                batch.fold(event)
            except CauceError:
                raise
            except Exception as error:
                raise Unfoldable(event.position, error) from error
        batch.fire_timers(horizon)
        batch.save()

    def require(self, transaction: Transaction, after: Position | None = None) -> None:
        """Raise ``Superseded`` if other definitions are in force, ``MovedOn`` if others fold meanwhile.

        That is: a round is open, or the stored position is not ``after``.
        """
        found = {row[0]: row[1] for row in transaction.rows(progress, "name", (LOG, VERSION, ROUND))}
        if self.version and found.get(VERSION, 0) != self.version:
            raise Superseded("Other definitions are in force.", hint="They are taken in within a second.")
        if after is not None and found.get(LOG, 0) != after:
            raise MovedOn("Another worker has folded these events.")
        if found.get(ROUND, 0):
            raise MovedOn("Several workers are folding a round.")

    def _batch(
        self,
        transaction: Transaction,
        events: Sequence[Event],
        horizon: Moment,
        due: Sequence[Due],
        given: Given | None = None,
    ) -> "_Batch":
        waiting = {timer.profile for timer in due}
        observed = [event.identifiers for event in events]
        stating = any(event.statement is not None for event in events)
        identity = self.identity.begin(transaction, observed, sorted(waiting), given, stating=stating)
        profiles = self.profiles.begin(transaction, self.recorded, stored_upto=identity.known_signatures)
        profiles.load(identity.loaded_signatures())
        segments = SegmentSession(
            transaction, self.segments, identity, due, horizon, stored_upto=identity.known_profiles
        )
        segments.load(identity.loaded_profiles())
        return _Batch(
            transaction,
            identity,
            profiles,
            segments,
            self.segments,
            self.activation,
            lambda person: self.profiles.values(person, horizon),
            self.past,
        )


def require_no_round(reader: Reader) -> None:
    """Raise ``MovedOn`` if a round is open: then the state is that of no single position."""
    if reader.progress(ROUND):
        raise MovedOn("Several workers are folding a round.", hint="It ends by itself where a worker runs.")


class _Batch(NamedTuple):
    """One transaction's worth of folding."""

    transaction: Transaction
    identity: IdentitySession
    profiles: ProfileSession
    segments: SegmentSession
    live: LiveSegments
    activation: Activation
    values: Callable[[Person], Callable[[str], Any]]
    past: Callable[[Position], LogPast] | None

    def fire_timers(self, moment: Moment) -> None:
        """Look again at the verdicts that time alone may have changed."""
        for profile, segment, due in self.segments.due_before(moment):
            self._look(profile, [segment], Cause(due))

    def fold(self, event: Event) -> None:
        """Take one event its whole way."""
        if event.call is Call.STATEMENT:
            self._fold_statement(event)
            return
        resolution = self.identity.observe(
            event.identifiers,
            time=event.time,
            source=event.source,
            position=event.position,
            id=event.message_id,
        )
        if not resolution.counts:
            return
        touched = self.profiles.fold(event, resolution.signature)
        if resolution.signature is None:
            return  # an event without identifiers belongs to nobody
        cause = Cause(event.received, event.position, event.message_id)
        self._follow_people(resolution, cause)
        if resolution.profile is not None and resolution.profile not in resolution.changed:
            self._look(resolution.profile, self.live.touched(event.name, touched), cause)

    def _fold_statement(self, event: Event) -> None:
        """Let a statement change who is one person, and what counts of the past."""
        fact = Fact.of(event)
        if fact is None:
            return
        assert self.past is not None, "statements come where nobody knows the past"
        past = self.past(event.position)
        resolution, revised = self.identity.state(fact, past)
        if revised:
            self._fold_again(revised, past)
        self._follow_people(resolution, Cause(event.received, event.position, event.message_id))

    def _fold_again(self, revised: Sequence[tuple[SignatureKey, Carried]], past: LogPast) -> None:
        """Derive fragments and timelines of signatures from those of their events that count."""
        found = past.events([carried for _, carried in revised])
        self.profiles.forget([signature for signature, _ in revised])
        for signature, carried in revised:
            for event in filter(self.identity.counts, found[carried]):
                self.profiles.fold_again(event, signature)
        calls = (one for events in found.values() for one in events if one.call is Call.GROUP)
        if groups := {one.group for one in calls}:
            self.profiles.tell_groups_anew(groups, filter(self.identity.counts, past.group_calls(groups)))

    def _follow_people(self, resolution: Resolution, cause: Cause) -> None:
        """Where people were joined, split or met for the first time, look at every segment."""
        for profile in resolution.gone:
            self.segments.retire(profile, cause)
        for profile in resolution.changed:
            person = self.profiles.person(self.identity.signatures(profile))
            self.segments.look_at_all(profile, person, cause)

    def _look(self, profile: ProfileKey, segments: Sequence[LiveSegment], cause: Cause) -> None:
        if segments:
            person = self.profiles.person(self.identity.signatures(profile))
            self.segments.look(profile, person, segments, cause)

    def save(self) -> None:
        """Write every stage's rows, and queue what the changes owe to other systems."""
        self.identity.save()
        self.profiles.save()
        changes = self.segments.save()
        self.activation.queue(self.transaction, changes, self._traits)

    def _traits(self, profile: ProfileKey) -> Callable[[str], Any]:
        """What gives somebody's traits, asserted and computed, as they are after this batch."""
        return self.values(self.profiles.person(self.identity.signatures(profile)))
