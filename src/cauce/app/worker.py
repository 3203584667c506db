"""The worker: folds the log into state, and lets time pass when there is nothing to fold."""

import logging
from collections.abc import Callable
from threading import Event as Signal
from time import perf_counter

from cauce.app.pipeline import CLOCK, LOG, Pipeline
from cauce.eventlog.port import EventLog
from cauce.segment.session import next_due
from cauce.vocabulary.errors import CauceError, Transient
from cauce.vocabulary.event import Logged, Position, Refused, read_event
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.moment import Clock, Moment

logger = logging.getLogger(__name__)

SMALLEST_BATCH, LARGEST_BATCH = 16, 1_000
LONGEST_TRANSACTION = 0.1
"""Seconds that one transaction may last: readers see an event at most this much later."""


FOLD_FAILED = "fold_failed"
"""Why an event is in quarantine that was accepted and that no code could fold; the log holds it too."""

MOST_SET_ASIDE = 20
"""Events in a row that may be set aside before the worker stops instead."""


class Worker:
    """Folds the log of one space, one micro-batch after another.

    A transaction is to last ``longest`` seconds at most, but for batches of ``smallest`` events.
    """

    smallest = SMALLEST_BATCH
    longest = LONGEST_TRANSACTION

    def __init__(
        self,
        pipeline: Pipeline,
        log: EventLog,
        normalization: Callable[[str], Normalization],
        clock: Clock,
    ) -> None:
        self._pipeline = pipeline
        self._log = log
        self._normalization = normalization
        self._clock = clock
        self._batch = self.smallest
        self._set_aside_in_a_row = 0
        with pipeline.records.read() as reader:
            self.position = Position(reader.progress(LOG))
            self._moment = Moment(reader.progress(CLOCK))
        self._due = self._next_due()

    def step(self) -> bool:
        """Fold the next batch, or let time pass; whether there was anything to do.

        Raises ``Transient`` if the store or the log refuses; the step can be repeated.
        """
        rows = self._log.read(self.position, self._batch)
        if rows:
            self._fold_in_time(rows)
            return True
        if self._due is None or self._due > self._clock():
            return False
        tick = self._log.tick(self._clock())
        if tick.head > self.position:
            return True  # events came in before the tick: they are folded first
        self._pipeline.pass_time(tick.moment, self.position)
        self._due = self._next_due()
        return True

    def drain(self) -> None:
        """Finish what others and this worker have begun together: nothing, where it works alone."""

    def leave(self) -> None:
        """Say goodbye to other workers; there are none, where it works alone."""

    def run(
        self,
        stop: Signal,
        *,
        idle_seconds: float,
        meanwhile: Callable[[Position], None],
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        """Work until ``stop`` is set or ``enough`` says so, looking for new events every ``idle_seconds``.

        After each step ``meanwhile`` is told how far the log is folded.
        """
        while not stop.is_set():
            try:
                if enough():
                    return
                busy = self.step()
                meanwhile(self.position)
                if not busy:
                    stop.wait(idle_seconds)
            except Transient as error:
                logger.warning("waiting: %s", error.message)
                stop.wait(error.retry_after)

    def _fold_in_time(self, rows: list[Logged]) -> None:
        """Fold, and choose the size of the next batch by how long this one took."""
        started = perf_counter()
        self._fold(rows)
        seconds = perf_counter() - started
        self._due = self._next_due()
        if seconds > self.longest:
            self._batch = max(self.smallest, len(rows) // 2)
        elif len(rows) == self._batch and seconds < self.longest / 2:
            self._batch = min(LARGEST_BATCH, self._batch * 2)

    def _fold(self, rows: list[Logged]) -> None:
        """Fold rows; one that no code foresaw is set aside alone, and the rest goes on."""
        try:
            events = [read_event(row, self._normalization(row.source)) for row in rows]
            self._pipeline.fold(events, self.position)
            self.position = rows[-1].position
            self._set_aside_in_a_row = 0
        except CauceError:
            raise
        except Exception as error:
            if len(rows) > 1:
                middle = len(rows) // 2
                self._fold(rows[:middle])
                self._fold(rows[middle:])
            else:
                self._set_aside(rows[0], error)

    def _set_aside(self, row: Logged, error: Exception) -> None:
        """Quarantine an event; where nothing can be folded any more, the fault is not the events'."""
        self._set_aside_in_a_row += 1
        if self._set_aside_in_a_row > MOST_SET_ASIDE:
            raise error
        self._quarantine(row, error)
        self._pipeline.skip(row.position, row.received, self.position)
        self.position = row.position

    def _quarantine(self, row: Logged, error: Exception) -> None:
        logger.error("position %d cannot be folded: %s", row.position, type(error).__name__)
        refused = Refused(
            reason=FOLD_FAILED,
            detail=f"Folding position {row.position} raised {type(error).__name__}.",
            source=row.source,
            body=row.body,
        )
        self._log.append([], [refused], now=self._clock())

    def _next_due(self) -> Moment | None:
        with self._pipeline.records.read() as reader:
            return next_due(reader)
