"""One micro-batch of following memberships."""

from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from sqlalchemy import func, select

from cauce.segment.live import LiveSegment, LiveSegments
from cauce.segment.needs import Known, Who
from cauce.segment.records import membership, membership_change, timer
from cauce.storage.records import Reader, Row, Transaction
from cauce.vocabulary.event import Position
from cauce.vocabulary.language import Person, Verdict
from cauce.vocabulary.membership import MembershipChange
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey

CHANGES = "membership_change"
"""Under this name ``progress`` has the number of the newest change."""


class Cause(NamedTuple):
    """Why memberships are looked at: an event, or a timer (position 0, no message id)."""

    at: Moment
    position: Position = Position(0)
    message_id: str = ""


class Due(NamedTuple):
    """A verdict to look at again."""

    due: Moment
    profile: ProfileKey
    segment: str


_OUT = Verdict(holds=False, until=None)


class SegmentSession:
    """Memberships and timers of the people a batch touches; written by ``save``.

    ``horizon`` is the last moment of the batch: timers due up to then fire in it.
    Profiles above ``stored_upto`` are known to have nothing stored.
    """

    def __init__(
        self,
        transaction: Transaction,
        segments: LiveSegments,
        who: Who,
        due: Iterable[Due],
        horizon: Moment,
        *,
        stored_upto: int | None = None,
    ) -> None:
        self._transaction = transaction
        self._segments = segments
        self._who = who
        self._horizon = horizon
        self._stored_upto = stored_upto
        self._heap = list(due)
        heapify(self._heap)
        self._since: dict[ProfileKey, dict[str, Moment]] = {}
        self._due: dict[ProfileKey, dict[str, Moment]] = {}
        self._stored: dict[ProfileKey, tuple[dict[str, Moment], dict[str, Moment]]] = {}
        self._changes: list[MembershipChange] = []
        self._sequence = transaction.progress(CHANGES)

    def load(self, profiles: Iterable[ProfileKey]) -> None:
        """Read what is not read yet; call once with all that a batch may touch."""
        wanted = [p for p in set(profiles) if p not in self._since]
        if not wanted:
            return
        for profile in wanted:
            self._since[profile], self._due[profile] = {}, {}
        if self._stored_upto is None or min(wanted) <= self._stored_upto:
            for profile, segment, since in self._transaction.rows(membership, "profile", wanted):
                self._since[profile][segment] = since
            for profile, segment, due in self._transaction.rows(timer, "profile", wanted):
                self._due[profile][segment] = due
        for profile in wanted:
            self._stored[profile] = (dict(self._since[profile]), dict(self._due[profile]))

    def due_before(self, moment: Moment) -> Iterator[tuple[ProfileKey, LiveSegment, Moment]]:
        """The timers due at or before ``moment``, in order; each is looked at before the next is given."""
        while self._heap and self._heap[0].due <= moment:
            due, profile, key = heappop(self._heap)
            self.load([profile])
            segment = self._segments.get(key)
            if segment is not None and self._due[profile].get(key) == due:
                yield profile, segment, due

    def look(
        self, profile: ProfileKey, person: Person, segments: Sequence[LiveSegment], cause: Cause
    ) -> None:
        """Evaluate segments on a person and follow her memberships and timers."""
        if not segments:
            return
        self.load([profile])
        types = self._who.identifier_types(profile)
        for segment in segments:
            verdict = segment.rule.evaluate(person, cause.at) if segment.asks_for(types) else _OUT
            if verdict.holds != (segment.key in self._since[profile]):
                self._change(profile, segment.key, verdict.holds, cause)
            self._wait(profile, segment.key, verdict.until)

    def look_at_all(self, profile: ProfileKey, person: Known, cause: Cause) -> None:
        """Evaluate every segment that she can be in, or is in."""
        self.load([profile])
        standing = {*self._since[profile], *self._due[profile]}
        segments = self._segments.eligible(person.event_names(), person.trait_names(), standing)
        self.look(profile, person, segments, cause)

    def retire(self, profile: ProfileKey, cause: Cause) -> None:
        """Take a profile that is gone out of every segment."""
        self.load([profile])
        for key in sorted(self._since[profile]):
            self._change(profile, key, False, cause)
        self._due[profile].clear()

    def dismiss(self, profile: ProfileKey, keys: Iterable[str], cause: Cause) -> None:
        """Take a profile out of segments that are no more."""
        self.load([profile])
        for key in keys:
            if key in self._since[profile]:
                self._change(profile, key, False, cause)

    def _change(self, profile: ProfileKey, key: str, entered: bool, cause: Cause) -> None:
        if entered:
            self._since[profile][key] = cause.at
        else:
            del self._since[profile][key]
        self._sequence += 1
        self._changes.append(
            MembershipChange(
                sequence=self._sequence,
                segment=key,
                profile=profile,
                profile_id=self._who.profile_id(profile),
                entered=entered,
                at=cause.at,
                position=cause.position,
                message_id=cause.message_id or None,
                identifiers=self._who.identifiers(profile),
            )
        )

    def _wait(self, profile: ProfileKey, key: str, until: Moment | None) -> None:
        if until is None:
            self._due[profile].pop(key, None)
        elif self._due[profile].get(key) != until:
            self._due[profile][key] = until
            if until <= self._horizon:
                heappush(self._heap, Due(until, profile, key))

    def save(self) -> Sequence[MembershipChange]:
        """Write what changed; the changes, in order."""
        self._transaction.put(membership_change, [_row(change) for change in self._changes])
        self._transaction.advance(CHANGES, self._sequence)
        since = [(stored[0], self._since[p], p) for p, stored in self._stored.items()]
        due = [(stored[1], self._due[p], p) for p, stored in self._stored.items()]
        for table, pairs in ((membership, since), (timer, due)):
            put: list[Row] = []
            gone: dict[str, list[ProfileKey]] = {}
            for before, after, profile in pairs:
                if before == after:
                    continue
                put += [(profile, key, value) for key, value in after.items() if before.get(key) != value]
                for key in before.keys() - after.keys():
                    gone.setdefault(key, []).append(profile)
            self._transaction.put(table, put)
            for key, profiles in sorted(gone.items()):
                self._transaction.remove(table, "profile", profiles, segment=key)
        return self._changes


def due_timers(transaction: Transaction, horizon: Moment, limit: int) -> list[Due]:
    """The first ``limit`` timers due at or before ``horizon``, in the order they fire."""
    found = (
        select(timer.c.due, timer.c.profile, timer.c.segment)
        .where(timer.c.due <= horizon)
        .order_by(timer.c.due, timer.c.profile, timer.c.segment)
        .limit(limit)
    )
    return [Due(*row) for row in transaction.select(found)]


def next_due(reader: Reader) -> Moment | None:
    """When the earliest timer is due; None if none waits."""
    found = reader.select(select(func.min(timer.c.due)))[0][0]
    return None if found is None else Moment(found)


def _row(change: MembershipChange) -> Row:
    return (
        change.sequence,
        change.segment,
        change.profile,
        change.profile_id,
        int(change.entered),
        change.at,
        change.position,
        change.message_id or "",
    )
