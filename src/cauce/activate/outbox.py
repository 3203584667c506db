"""The outbox: deliveries handed out for sending, and what came of them written down.

Each call is one short transaction, because the fold writes to the same store.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace
from sqlalchemy import Select, select

from cauce.activate.answers import Answer
from cauce.activate.backoff import given_up, retry_after, wait
from cauce.activate.delivery import (
    Delivery,
    Outcome,
    Receipt,
    State,
    as_rows,
    read_delivery,
)
from cauce.activate.lanes import release
from cauce.activate.payload import earliest_id
from cauce.activate.records import QUEUED_UNTIL, delivery, receipt, tally
from cauce.activate.settings import ActivateSettings
from cauce.storage.records import Reader, Records, Transaction
from cauce.vocabulary.moment import DAY, Clock, Moment

_CHUNK = 500
"""Old deliveries removed in one transaction."""


class Attempt(NamedTuple):
    """An attempt that is over: of which delivery, with what answer, and when."""

    delivery: Delivery
    answer: Answer
    ended: Moment | None


class Outbox:
    """The deliveries of the named destinations; ``random`` gives numbers in [0, 1)."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        random: Callable[[], float],
        settings: ActivateSettings,
    ) -> None:
        self._records = records
        self._clock = clock
        self._random = random
        self._settings = settings

    def recover(self) -> int:
        """Settle what a stopped process left being sent: its outcome is unknown; returns how many.

        Call it before the first claim: no attempt is under way then.
        """
        answer = Answer(Outcome.UNKNOWN, error="Cauce stopped during the attempt")
        with self._records.write() as transaction:
            statement = select(delivery).where(delivery.c.state == State.SENDING.value)
            left = [read_delivery(row) for row in transaction.select(statement)]
            self._settle(transaction, [Attempt(one, answer, None) for one in left])
        return len(left)

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
        """Remove some delivered ones that are old, with their receipts; returns how many."""
        kept_from = Moment(self._clock() - self._settings.keep_days * DAY)
        old = (
            select(delivery.c.id)
            .where(delivery.c.id < earliest_id(kept_from))  # by time, so that few rows are looked at
            .where(delivery.c.state == State.DELIVERED.value, delivery.c.settled < kept_from)
            .limit(_CHUNK)
        )
        with self._records.read() as reader:
            ids = [row[0] for row in reader.select(old)]
        if ids:
            with self._records.write() as transaction:
                transaction.remove(receipt, "delivery", ids)
                transaction.remove(delivery, "id", ids)
        return len(ids)

    def _now(self, reader: Reader) -> Moment:
        """The present; never before the newest queued change, should the clock have been set back."""
        return Moment(max(self._clock(), reader.progress(QUEUED_UNTIL)))

    def _any_due(self, wanted: Mapping[str, int]) -> bool:
        with self._records.read() as reader:
            now = self._now(reader)
            return any(reader.select(_due(name, now, 1)) for name, count in wanted.items() if count)

    def _claim(self, transaction: Transaction, wanted: Mapping[str, int]) -> list[Delivery]:
        now = self._now(transaction)
        claimed: list[Delivery] = []
        for name, count in wanted.items():
            if count:
                claimed.extend(read_delivery(row) for row in transaction.select(_due(name, now, count)))
        started = [
            replace(
                one,
                state=State.SENDING,
                due=None,
                attempts=one.attempts + 1,
                tries=one.tries + 1,
                begun=now if one.begun is None else one.begun,
                started=self._clock(),
            )
            for one in claimed
        ]
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
        transaction.put(receipt, as_rows([_receipt(attempt) for attempt in counted]))
        _count(transaction, counted)
        release(transaction, [one for one in after if one.settled is not None], now)

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


def _due(destination: str, now: Moment, limit: int) -> Select[Any]:
    return (
        select(delivery)
        .where(delivery.c.destination == destination, delivery.c.due <= now)
        .order_by(delivery.c.due)
        .limit(limit)
    )


def _receipt(attempt: Attempt) -> Receipt:
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


def _count(transaction: Transaction, attempts: Sequence[Attempt]) -> None:
    names = {attempt.delivery.destination for attempt in attempts}
    known = {(row[0], row[1]): row[2] for row in transaction.rows(tally, "destination", names)}
    for one, answer, _ in attempts:
        key = (one.destination, str(answer.outcome))
        known[key] = known.get(key, 0) + 1
    transaction.put(tally, [(*key, count) for key, count in known.items()])
