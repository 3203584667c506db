"""The outbox: deliveries handed out for sending, and what came of them written down.

Each call is one short transaction, because the fold writes to the same store.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace
from sqlalchemy import Select, select

from cauce.activate.answers import Answer
from cauce.activate.backoff import given_up, retry_after, wait
from cauce.activate.delivery import (
    REPLAYABLE,
    UNSETTLED,
    Delivery,
    Outcome,
    Receipt,
    State,
    as_rows,
    begin_attempt,
    read_delivery,
)
from cauce.activate.lanes import deliveries_in, is_obsolete, lane_of, release
from cauce.activate.payload import earliest_id
from cauce.activate.records import QUEUED_UNTIL, delivery, receipt, tally
from cauce.activate.settings import ActivateSettings
from cauce.storage.records import Reader, Records, Transaction
from cauce.vocabulary.definitions import DestinationKind
from cauce.vocabulary.moment import DAY, Clock, Moment

_CHUNK = 500
"""Old deliveries removed, or dropped, in one transaction."""

_REMOVED = tuple(str(state) for state in (State.DELIVERED, *REPLAYABLE) if state is not State.DEAD)
"""The states of those that are removed when they are old."""


class Attempt(NamedTuple):
    """An attempt that is over: of which delivery, with what answer, and when."""

    delivery: Delivery
    answer: Answer
    ended: Moment | None


class Outbox:
    """The deliveries that go out one by one or in batches; ``random`` gives numbers in [0, 1).

    ``kinds`` are those of the destinations: what was queued while one was of
    another kind has another body, and is not handed out.
    """

    def __init__(
        self,
        records: Records,
        clock: Clock,
        random: Callable[[], float],
        settings: ActivateSettings,
        kinds: Mapping[str, str] | None = None,
    ) -> None:
        self._kinds = kinds or {}
        self._records = records
        self._clock = clock
        self._random = random
        self._settings = settings

    def recover(self, destinations: Collection[str] | None = None) -> int:
        """Settle what a stopped process left being sent: its outcome is unknown; returns how many.

        Call it before the first claim for these destinations (none given: for
        all): no attempt is under way then. Files look after their own.
        """
        answer = Answer(Outcome.UNKNOWN, error="Cauce stopped during the attempt")
        statement = select(delivery).where(
            delivery.c.state == State.SENDING.value, delivery.c.kind != DestinationKind.FILE.value
        )
        if destinations is not None:
            statement = statement.where(delivery.c.destination.in_(destinations))
        with self._records.write() as transaction:
            left = [read_delivery(row) for row in transaction.select(statement)]
            self._settle(transaction, [Attempt(one, answer, None) for one in left])
        return len(left)

    def drop(self, defined: Mapping[str, str]) -> int:
        """Settle what is owed to destinations that are gone or of another kind now; returns how many.

        ``defined`` gives the kind of each destination that is defined, ready or not.
        """
        owed = (
            select(delivery.c.destination, delivery.c.kind)
            .where(delivery.c.state.in_(UNSETTLED))
            .group_by(delivery.c.destination, delivery.c.kind)
        )
        with self._records.read() as reader:
            pairs = [(name, kind) for name, kind in reader.select(owed) if defined.get(name) != kind]
        return sum(self._drop(name, kind, _why(kind, defined.get(name))) for name, kind in pairs)

    def _drop(self, name: str, kind: str, why: str) -> int:
        some = (
            select(delivery)
            .where(delivery.c.state.in_(UNSETTLED), delivery.c.destination == name, delivery.c.kind == kind)
            .limit(_CHUNK)
        )
        dropped = 0
        while True:
            with self._records.write() as transaction:
                now = self._now(transaction)
                gone = [
                    replace(read_delivery(row), state=State.DROPPED, due=None, settled=now, error=why)
                    for row in transaction.select(some)
                ]
                transaction.put(delivery, as_rows(gone))
                release(transaction, gone, now)
            dropped += len(gone)
            if len(gone) < _CHUNK:
                return dropped

    def turn(self, over: Sequence[Attempt], wanted: Mapping[str, int]) -> list[Delivery]:
        """Write down the attempts that are over, and claim up to ``wanted`` due ones per destination.

        What is claimed is marked ``sending`` before anybody sends it. Raises
        ``Transient`` if the store refuses; then nothing was written or claimed.
        """
        if not over and not self._any_due(wanted):
            return []
        with self._records.write() as transaction:
            self._settle(transaction, over)
            return self._claim(transaction, wanted)

    def purge(self) -> int:
        """Remove some delivered ones that are old, with their receipts; returns how many.

        A dead letter that one of them made obsolete is marked as superseded, as
        nothing would tell that afterwards.
        """
        kept_from = Moment(self._clock() - self._settings.keep_days * DAY)
        old = (
            select(delivery.c.id)
            .where(delivery.c.id < earliest_id(kept_from))  # by time, so that few rows are looked at
            .where(delivery.c.state.in_(_REMOVED), delivery.c.settled < kept_from)
            .limit(_CHUNK)
        )
        with self._records.read() as reader:
            ids = [row[0] for row in reader.select(old)]
        if ids:
            with self._records.write() as transaction:
                self._supersede(transaction, ids)
                transaction.remove(receipt, "delivery", ids)
                transaction.remove(delivery, "id", ids)
        return len(ids)

    def _supersede(self, transaction: Transaction, ids: Sequence[str]) -> None:
        """Mark the dead letters that these deliveries made obsolete."""
        old = [read_delivery(row) for row in transaction.rows(delivery, "id", ids)]
        told = [one for one in old if one.state is State.DELIVERED]
        lanes = deliveries_in(transaction, map(lane_of, told))
        dead = [one for lane in lanes.values() for one in lane if one.state is State.DEAD]
        newer = {lane: [one for one in told if lane_of(one) == lane] for lane in map(lane_of, dead)}
        stale = [
            replace(one, state=State.SUPERSEDED) for one in dead if is_obsolete(one, newer[lane_of(one)])
        ]
        transaction.put(delivery, as_rows(stale))

    def _now(self, reader: Reader) -> Moment:
        """The present; never before the newest queued change, should the clock have been set back."""
        return Moment(max(self._clock(), reader.progress(QUEUED_UNTIL)))

    def _any_due(self, wanted: Mapping[str, int]) -> bool:
        with self._records.read() as reader:
            now = self._now(reader)
            return any(reader.select(self._due(name, now, 1)) for name, count in wanted.items() if count)

    def _claim(self, transaction: Transaction, wanted: Mapping[str, int]) -> list[Delivery]:
        now = self._now(transaction)
        claimed: list[Delivery] = []
        for name, count in wanted.items():
            if count:
                claimed.extend(map(read_delivery, transaction.select(self._due(name, now, count))))
        started = [begin_attempt(one, now, self._clock()) for one in claimed]
        transaction.put(delivery, as_rows(started))
        return started

    def _settle(self, transaction: Transaction, over: Sequence[Attempt]) -> None:
        if not over:
            return
        now = self._now(transaction)
        present = {row[0] for row in transaction.rows(delivery, "id", [one.delivery.id for one in over])}
        counted = [one for one in over if one.delivery.id in present]  # others were erased meanwhile
        after = [self._after(attempt, now) for attempt in counted]
        transaction.put(delivery, as_rows(after))
        transaction.put(receipt, as_rows([receipt_of(attempt) for attempt in counted]))
        count_attempts(transaction, counted)
        release(transaction, [one for one in after if one.settled is not None], now)

    def _due(self, destination: str, now: Moment, limit: int) -> Select[Any]:
        found = select(delivery).where(delivery.c.destination == destination, delivery.c.due <= now)
        if destination in self._kinds:
            found = found.where(delivery.c.kind == self._kinds[destination])
        return found.order_by(delivery.c.due).limit(limit)

    def _after(self, attempt: Attempt, now: Moment) -> Delivery:
        """The delivery as it stands after an attempt."""
        one, answer, _ = attempt
        ended = replace(one, status=answer.status, error=answer.error)
        if answer.outcome is Outcome.DELIVERED:
            return replace(ended, state=State.DELIVERED, settled=now, body=b"")
        if answer.outcome is Outcome.REFUSED:
            return replace(ended, state=State.DEAD, settled=now)
        asked = retry_after(answer.retry_after, self._clock(), self._settings)
        pause = max(asked, wait(one.tries, self._settings, self._random))
        due = Moment(now + pause)
        begun = now if one.begun is None else one.begun
        if given_up(one.tries, begun, due, self._settings):
            return replace(ended, state=State.DEAD, settled=now)
        unknown = answer.outcome is Outcome.UNKNOWN
        return replace(ended, state=State.UNKNOWN if unknown else State.RETRYING, due=due)


def _why(was: str, now: str | None) -> str:
    if now is None:
        return "the destination was removed"
    return f"the destination is a {now} now and was a {was}"


def receipt_of(attempt: Attempt) -> Receipt:
    """The receipt of an attempt that is over."""
    one, answer, ended = attempt
    return Receipt(
        delivery=one.id,
        attempt=one.attempts,
        started=one.started or Moment(0),
        ended=ended,
        outcome=answer.outcome,
        status=answer.status,
        error=answer.error,
    )


def count_attempts(transaction: Transaction, attempts: Sequence[Attempt]) -> None:
    """Add attempts to the totals."""
    names = {attempt.delivery.destination for attempt in attempts}
    known = {(row[0], row[1]): row[2] for row in transaction.rows(tally, "destination", names)}
    for one, answer, _ in attempts:
        key = (one.destination, str(answer.outcome))
        known[key] = known.get(key, 0) + 1
    transaction.put(tally, [(*key, count) for key, count in known.items()])
