"""Sending: the loop between the outbox and the channels.

Everything here runs on one event loop; the outbox is called on one thread
beside it, so that waiting for the store holds up no request.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from itertools import groupby, islice
from threading import Event

from cauce.activate.answers import Answer
from cauce.activate.backoff import retry_after
from cauce.activate.channel import Channel
from cauce.activate.delivery import Delivery, Outcome
from cauce.activate.health import Health
from cauce.activate.outbox import Attempt, Outbox
from cauce.activate.pace import Pace
from cauce.activate.settings import ActivateSettings
from cauce.vocabulary.errors import Transient
from cauce.vocabulary.moment import SECOND, Clock

_log = logging.getLogger(__name__)

_REFUSED_PAUSE = 1.0
_PURGE_PAUSE = 60.0


class Sending:
    """What is under way during one run of the deliverer."""

    def __init__(
        self,
        outbox: Outbox,
        channels: Mapping[str, Channel],
        thread: Executor,
        clock: Clock,
        settings: ActivateSettings,
        held: Callable[[], Collection[str]],
    ) -> None:
        """``held`` names the destinations that are this worker's to deliver to."""
        loop = asyncio.get_running_loop()
        self._outbox = outbox
        self._channels = channels
        self._held = held
        self._paces = {name: Pace(one.rate, loop.time()) for name, one in channels.items()}
        self._health = {name: Health(settings) for name in channels}
        self._thread = thread
        self._clock = clock
        self._settings = settings
        self._loop = loop
        self._news = asyncio.Event()
        self._ripe: set[str] = set()  # destinations that may have something due
        self._under_way: Counter[str] = Counter()  # calls
        self._tasks: set[asyncio.Task[None]] = set()
        self._over: list[Attempt] = []
        self._timer: asyncio.TimerHandle | None = None
        self._purge_at = self._loop.time()

    def wake(self) -> None:
        """Look for due deliveries at once. From any thread."""
        self._loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        self._ripe.update(self._channels)
        self._news.set()

    async def run(self, stop: Event) -> None:
        """Claim, send and write down until ``stop`` is set; then let what is under way finish."""
        self._poll()
        while not stop.is_set():
            await self._news.wait()
            self._news.clear()
            try:
                await self._turn()
                await self._purge()
            except Transient as error:
                _log.warning("Deliveries wait for the state store: %s", error)
                await asyncio.sleep(_REFUSED_PAUSE)
                self._news.set()
        await self._finish()

    def _poll(self) -> None:
        self._look()
        self._loop.call_later(self._settings.poll_seconds, self._poll)

    async def _turn(self) -> None:
        over = list(self._over)
        self._ripe.update({attempt.delivery.destination for attempt in over} & self._channels.keys())
        mine = self._held()
        wanted = {name: count for name in self._ripe if name in mine and (count := self._room(name))}
        if over or wanted:
            claimed = await self._loop.run_in_executor(self._thread, self._outbox.turn, over, wanted)
            del self._over[: len(over)]
            started = Counter(one.destination for one in claimed)
            self._ripe -= {name for name, count in wanted.items() if started[name] < count}
            self._start_all(claimed)
        self._wait_for_pace()

    def _room(self, name: str) -> int:
        """How many deliveries may begin now."""
        free = self._free(name) * self._channels[name].batch
        return min(free, self._paces[name].available(self._loop.time()))

    def _free(self, name: str) -> int:
        """How many calls may begin, but for the pace."""
        return self._health[name].calls(self._loop.time(), self._under_way[name], self._channels[name].calls)

    def _wait_for_pace(self) -> None:
        """Come back when a destination that only its pace or its health holds up may be sent more."""
        if self._timer is not None:
            self._timer.cancel()
        now = self._loop.time()
        pauses = [self._paces[name].pause(now) for name in self._ripe if self._free(name)]
        pauses += [self._health[name].pause(now) for name in self._ripe]
        held = [pause for pause in pauses if pause]
        self._timer = self._loop.call_later(min(held), self._news.set) if held else None

    def _start_all(self, claimed: Sequence[Delivery]) -> None:
        """Begin calls with what was claimed."""
        for name, group in groupby(claimed, lambda one: one.destination):
            some = iter(group)
            while batch := list(islice(some, self._channels[name].batch)):
                self._start(name, batch)

    def _start(self, name: str, batch: list[Delivery]) -> None:
        self._under_way[name] += 1
        self._paces[name].take(len(batch))
        task = self._loop.create_task(self._call(name, batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, name: str, batch: list[Delivery]) -> None:
        try:
            answers = await self._channels[name].tell(batch)
        except Exception as error:  # a fault of ours must not leave the deliveries unsettled
            _log.error("An attempt for %s failed inside Cauce: %s", name, type(error).__name__)
            fault = Answer(Outcome.UNKNOWN, error=f"Cauce failed ({type(error).__name__})")
            answers = [fault] * len(batch)
        now, moment = self._loop.time(), self._clock()
        for answer in sorted(set(answers), key=lambda one: one.outcome is Outcome.DELIVERED):
            pause = retry_after(answer.retry_after, moment, self._settings)
            self._paces[name].hold(now + pause / SECOND)
            self._note_health(name, answer, now)
        self._under_way[name] -= 1
        self._over += [Attempt(one, answer, moment) for one, answer in zip(batch, answers, strict=True)]
        self._news.set()

    def _note_health(self, name: str, answer: Answer, now: float) -> None:
        health = self._health[name]
        failing = health.failing
        health.ended(answer, now)
        if failing != health.failing:
            _log.warning(
                "Destination %s %s.",
                name,
                "fails: it is tried now and then" if not failing else "works again",
            )

    async def _purge(self) -> None:
        now = self._loop.time()
        if now >= self._purge_at:
            more = await self._loop.run_in_executor(self._thread, self._outbox.purge)
            self._purge_at = now if more else now + _PURGE_PAUSE

    async def _finish(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._settings.stop_seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks)
        try:
            await self._loop.run_in_executor(self._thread, self._outbox.turn, self._over, {})
        except Transient as error:
            _log.warning("Outcomes could not be written down and count as unknown: %s", error)
