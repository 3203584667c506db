"""The worker among others: it plans rounds, folds lanes, and folds alone while nobody else is there."""

import logging
from collections.abc import Callable, Sequence
from time import monotonic, perf_counter, sleep
from typing import NamedTuple

from sqlalchemy import select

from cauce.app.pipeline import LOG, ROUND, TIMERS_AT_ONCE, MovedOn, Pipeline, Superseded, Unfoldable
from cauce.app.rounds.lane import LaneTransaction, Reception, end_lane
from cauce.app.rounds.plan import LanePlan, due_of, read_plan, store_round
from cauce.app.rounds.presence import Presence
from cauce.app.rounds.records import lanes
from cauce.app.worker import MOST_SET_ASIDE, Worker
from cauce.eventlog.port import EventLog
from cauce.identity.graph import Given
from cauce.segment.session import due_timers
from cauce.storage.records import ManyWriters, Transaction
from cauce.vocabulary.event import Event, Logged, Position, read_event
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.moment import Clock

logger = logging.getLogger(__name__)

FEWEST = 64
"""Events for each lane that make a round worth its planning."""

_FIRST, _MOST = 512, 4_000
"""Events for each lane at the start, and at most."""

_LONG_SECONDS = 0.6
_WAIT_SECONDS = 0.001
_MOST_WORKERS = 16


class _Ahead(NamedTuple):
    """Events that were read and decoded: all that follow ``after``, up to some position."""

    after: Position
    events: list[Event]

    def between(self, after: Position, upto: Position) -> Sequence[Event] | None:
        """The events above one position up to another; None if not all of them were read."""
        if self.after > after or not self.events or self.events[-1].position < upto:
            return None
        return [event for event in self.events if after < event.position <= upto]


class RoundWorker(Worker):
    """Folds the log of one space together with workers in other processes, on any machine.

    ``records`` is the pipeline's store, ``name`` this worker's own. The state is the same as one worker's.
    """

    smallest = 128
    longest = 0.2  # a server has to be asked some fifty times for each batch, whatever its size

    def __init__(
        self,
        pipeline: Pipeline,
        log: EventLog,
        normalization: Callable[[str], Normalization],
        clock: Clock,
        *,
        records: ManyWriters,
        name: str,
    ) -> None:
        super().__init__(pipeline, log, normalization, clock)
        self._records = records
        self._presence = Presence(records, name, monotonic)
        self._share = _FIRST
        self._open = True  # a round may have been left open
        self._end = self.position
        self._ahead = _Ahead(Position(0), [])

    def step(self) -> bool:
        """Fold a lane, plan a round, fold alone or let time pass; whether there was anything to do."""
        others = min(self._presence.others(), _MOST_WORKERS - 1)
        try:
            if (others or self._open) and self._fold_lane():
                return True
            if others and self._plan(others + 1):
                return True
            return super().step()
        except MovedOn:
            self._open = True
            self._follow()
            return True

    def drain(self) -> None:
        """Fold what is left of an open round, with whoever else does."""
        self._open = True
        while self._open:
            if not self._fold_lane():
                sleep(_WAIT_SECONDS)

    def leave(self) -> None:
        """Tell the other workers that this one ends."""
        self._presence.leave()

    def _follow(self) -> None:
        """Take note of how far others have come."""
        with self._records.read() as reader:
            self.position = Position(reader.progress(LOG))
            self._end = Position(reader.progress(ROUND))
        self._open = bool(self._end)
        self._due = self._next_due()

    def _plan(self, count: int) -> bool:
        """Plan a round for so many workers, after the one that is open; False if it is not worth it."""
        after = self._end if self._open else self.position
        events = self._read(after, self._share * count)
        if len(events) < FEWEST * count:
            return False
        with self._records.write() as transaction:  # begins when nobody folds a lane any more
            self._pipeline.require(transaction, after)
            due = due_timers(transaction, events[-1].received, TIMERS_AT_ONCE)
            if len(due) == TIMERS_AT_ONCE:
                return False
            self._open = store_round(transaction, self._pipeline, events, due, count)
        return self._open

    def _fold_lane(self) -> bool:
        """Fold a lane that nobody has claimed; False if there is none."""
        skipped: dict[Position, Exception] = {}
        while True:
            try:
                plan = self._try_lane(skipped)
            except Unfoldable as unfoldable:
                skipped[unfoldable.position] = unfoldable.reason
                if len(skipped) > MOST_SET_ASIDE:
                    raise unfoldable.reason from unfoldable
            else:
                break
        if plan is None:
            self._follow()
            return False
        for position, reason in skipped.items():
            self._quarantine(self._log.read(Position(position - 1), 1)[0], reason)
        if self._open:
            self._read(plan.upto, plan.count)  # while others still fold
        return True

    def _try_lane(self, skipped: dict[Position, Exception]) -> LanePlan | None:
        with self._records.lane() as transaction:
            claimed = _claim(transaction)
            if claimed is None:
                return None
            lane, plan = claimed
            if self._pipeline.version and plan.version != self._pipeline.version:
                raise Superseded("Other definitions planned the round.", hint="It is folded under those.")
            events, reception = self._of(plan)
            started = perf_counter()
            within = LaneTransaction(transaction, plan, reception)
            mine = [event for event in events if event.position not in skipped]
            given = Given(plan.identifiers, plan.signatures)
            self._pipeline.fold_lane(within, mine, plan.horizon, due_of(plan), given)
            self._open = not end_lane(transaction, lane, plan, within.result)
            self._adapt(perf_counter() - started)
        if not self._open:
            self.position = plan.upto
        return plan

    def _of(self, plan: LanePlan) -> tuple[list[Event], Reception]:
        """A lane's events, and when each event of the round was received."""
        found: Sequence[Event | Logged] | None = self._ahead.between(plan.after, plan.upto)
        if found is None:
            found = self._log.read(plan.after, plan.count)
        wanted = set(plan.positions)
        mine = [one for one in found if one.position in wanted]
        assert len(mine) == len(wanted), "the log does not have the events of the round"
        events = [one if isinstance(one, Event) else self._decode(one) for one in mine]
        return events, [(one.received, one.position) for one in found]

    def _read(self, after: Position, limit: int) -> list[Event]:
        """The next events, decoded; they are kept for the lane that this worker will fold of them."""
        known = {event.position: event for event in self._ahead.events}
        rows = self._log.read(after, limit)
        self._ahead = _Ahead(after, [known.get(row.position) or self._decode(row) for row in rows])
        return self._ahead.events

    def _decode(self, row: Logged) -> Event:
        return read_event(row, self._normalization(row.source))

    def _adapt(self, seconds: float) -> None:
        if seconds > _LONG_SECONDS:
            self._share = max(FEWEST, self._share // 2)
        elif seconds < _LONG_SECONDS / 2:
            self._share = min(_MOST, self._share * 2)


def _claim(transaction: Transaction) -> tuple[int, LanePlan] | None:
    """A lane that is not folded and that no living transaction has claimed; it is kept until the end."""
    wanted = select(lanes.c.lane, lanes.c.plan).where(lanes.c.done == 0).order_by(lanes.c.lane).limit(1)
    found = transaction.select(wanted.with_for_update(skip_locked=True))
    return (found[0][0], read_plan(found[0][1])) if found else None
