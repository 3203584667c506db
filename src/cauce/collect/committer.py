"""Group commit: what arrives while the disk is busy becomes durable together with the next group.

The log is written on the event loop's thread, which costs little, and waits for
the disk in another one; meanwhile the next group gathers.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from cauce.collect.counters import Counters
from cauce.collect.settings import CollectSettings
from cauce.eventlog.port import EventLog, Outcome, Pending
from cauce.vocabulary.errors import CauceError, Transient
from cauce.vocabulary.event import Accepted, Refused
from cauce.vocabulary.moment import Clock, Moment

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 1.0
_GATHER_SECONDS = 0.006
_ROUNDS = 3


Done = Callable[[list[Outcome], int, CauceError | None], None]
"""Told what became of what one has submitted, in a group with others, once all of that is durable.

It gets the outcomes of the whole group's events and the place of the first of
one's own among them; or the error for which nothing of the group was stored.
"""


class _Group:
    """What is made durable at once."""

    __slots__ = ("bytes", "events", "received", "refused", "size", "waiting")

    def __init__(self) -> None:
        self.events: list[Accepted] = []
        self.refused: list[Refused] = []
        self.received = Moment(0)
        self.size = 0
        self.bytes = 0
        self.waiting: list[tuple[Done, int]] = []


class Load(NamedTuple):
    """What waits for the disk."""

    events: int
    bytes: int


class Committer:
    """Appends to the log in groups, one at a time. Lives on one event loop."""

    def __init__(self, log: EventLog, clock: Clock, limits: CollectSettings, counters: Counters) -> None:
        self._log = log
        self._clock = clock
        self._limits = limits
        self._counters = counters
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._gathering = _Group()
        self._full: deque[_Group] = deque()
        self._idle = asyncio.Event()
        self._idle.set()
        self._waiting_events = 0
        self._waiting_bytes = 0
        self.failing = False

    @property
    def load(self) -> Load:
        """What waits for the disk at the moment."""
        return Load(self._waiting_events, self._waiting_bytes)

    def submit(
        self,
        events: Sequence[Accepted],
        refused: Sequence[Refused],
        size: int,
        received: Moment,
        done: Done,
    ) -> None:
        """Take events and refused input into the next group; ``done`` is told what became of them.

        ``size`` is the length of the request's body. Raises ``Transient`` if too
        much is waiting; then ``done`` is never called.
        """
        count = len(events) + len(refused)
        limits = self._limits
        self._waiting_events += count
        self._waiting_bytes += size
        if self._waiting_events > limits.waiting_events or self._waiting_bytes > limits.waiting_bytes:
            self._waiting_events -= count
            self._waiting_bytes -= size
            raise Transient("Too much waits for the disk.", retry_after=limits.retry_seconds)
        group = self._gathering
        if group.size and group.size + count > limits.group_events:
            self._full.append(group)
            group = self._gathering = _Group()
        group.waiting.append((done, len(group.events)))
        group.events += events
        group.refused += refused
        group.size += count
        group.bytes += size
        if received > group.received:
            group.received = received
        if self._idle.is_set():
            self._idle.clear()
            self._loop.call_soon(self._next)  # after all that arrived together

    async def close(self) -> None:
        """Wait until all that was submitted is durable or refused."""
        await self._idle.wait()
        self._thread.shutdown()

    async def keep_up(self, every_seconds: float = _IDLE_SECONDS) -> None:
        """For ever, while idle: take in what other processes append, so that no request waits for that.

        If the log answers after it had refused, the next request tries it: whoever
        sends none to a collector that is not ready would wait for ever otherwise.
        """
        while True:
            await asyncio.sleep(every_seconds)
            if self._idle.is_set():
                # Nothing may begin meanwhile: its commit would queue behind this, which waits for its lock.
                self._idle.clear()
                caught_up = self._loop.run_in_executor(self._thread, self._log.catch_up)
                caught_up.add_done_callback(self._caught_up)
                with suppress(CauceError):
                    await asyncio.shield(caught_up)

    def _caught_up(self, done: asyncio.Future[None]) -> None:
        """Go on with what has gathered."""
        if done.exception() is None and self.failing:
            logger.warning("the log answers again, the next request tries it")
            self.failing = False
        self._next()

    def _next(self) -> None:
        """Begin with the group that has waited longest."""
        if self._full:
            group = self._full.popleft()
        elif self._gathering.size:
            group, self._gathering = self._gathering, _Group()
        else:
            self._idle.set()
            return
        begun = self._loop.time()
        now = max(self._clock(), group.received)
        work: Callable[[], list[Outcome]]
        try:
            pending = self._log.begin_append(group.events, group.refused, now=now)
        except Exception as error:
            self._loop.call_soon(self._ended, group, begun, error, [])
            return
        if pending is None:
            work = lambda: self._log.append(group.events, group.refused, now=now)  # noqa: E731
        else:
            work = lambda: _commit(pending)  # noqa: E731
        self._loop.run_in_executor(self._thread, work).add_done_callback(
            lambda future: self._ended(group, begun, future.exception(), _result(future))
        )

    def _ended(
        self, group: _Group, begun: float, error: BaseException | None, outcomes: list[Outcome]
    ) -> None:
        self._waiting_events -= group.size
        self._waiting_bytes -= group.bytes
        self._note(error)
        if error is None:
            self._counters.committed(outcomes, group.refused, self._loop.time() - begun)
            _tell(group, outcomes, None)
        else:
            self._counters.failed(error)
            _tell(group, [], _as_transient(error, self._limits.retry_seconds))
        self._gather(0, 0, self._loop.time() + _GATHER_SECONDS)

    def _gather(self, size: int, rounds: int, deadline: float) -> None:
        """Begin with the next group once no more comes in, or at the deadline.

        Who has just been answered often sends again at once; a larger group costs
        each of its members less. It takes rounds of the event loop until a request
        that has arrived is submitted, so some without growth show that none is on its way.
        """
        grown = self._gathering.size
        rounds = 0 if grown > size else rounds + 1
        if self._full or rounds > _ROUNDS or self._loop.time() >= deadline:
            self._next()
        else:
            self._loop.call_soon(self._gather, grown, rounds, deadline)

    def _note(self, error: BaseException | None) -> None:
        """Say once that the log refuses, and once that it takes events again."""
        if error is not None and not self.failing:
            unforeseen = None if isinstance(error, CauceError) else error
            logger.error("events cannot be stored, senders are told to wait: %s", error, exc_info=unforeseen)
        elif error is None and self.failing:
            logger.warning("events can be stored again")
        self.failing = error is not None


def _tell(group: _Group, outcomes: list[Outcome], error: CauceError | None) -> None:
    """Tell everybody who waits for the group; one who cannot be told keeps nothing from the others."""
    for done, first in group.waiting:
        try:
            done(outcomes, first, error)
        except Exception:
            logger.exception("somebody could not be told what became of events")


def _commit(pending: Pending) -> list[Outcome]:
    pending.commit()
    return pending.outcomes


def _result(future: asyncio.Future[list[Outcome]]) -> list[Outcome]:
    return [] if future.exception() else future.result()


def _as_transient(error: BaseException, retry_after: int) -> CauceError:
    """The error as the senders of the group see it: whatever happened, the events are not stored."""
    if isinstance(error, CauceError):
        return error
    failed = Transient("The log failed.", retry_after=retry_after)
    failed.__cause__ = error
    return failed
