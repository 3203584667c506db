"""From a request that was read to its answer: decide, keep, and answer once all of it is durable."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from cauce.collect.answers import (
    NO_KEY,
    SUCCESS,
    TOO_MANY,
    UNAVAILABLE,
    Answer,
    in_detail,
    refused,
    try_later,
)
from cauce.collect.committer import Committer
from cauce.collect.counters import Counters
from cauce.collect.judge import IdFactory
from cauce.collect.needs import WriteKeys
from cauce.collect.service import OK, UNKNOWN_KEY, Decision, Door, Request
from cauce.collect.settings import CollectSettings
from cauce.eventlog.port import EventLog, Outcome
from cauce.vocabulary.errors import CauceError, Transient
from cauce.vocabulary.moment import Clock, Moment

logger = logging.getLogger(__name__)

Reply = Callable[[Answer], None]
"""Takes the answer to a request, on the event loop, some time after the request was handed in."""


class Intake:
    """What every way of sending events has in common. Lives on one event loop, from ``start`` to ``close``.

    The log must allow ``begin_append`` on the event loop's thread.
    """

    def __init__(
        self, log: EventLog, keys: WriteKeys, limits: CollectSettings, *, clock: Clock, new_id: IdFactory
    ) -> None:
        self.door = Door(keys, limits, new_id)
        self.clock = clock
        self.counters = Counters()
        self._log = log
        self._limits = limits
        self._committer: Committer | None = None
        self._keeping_up: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take in what the log holds; requests may come afterwards."""
        self._committer = Committer(self._log, self.clock, self._limits, self.counters)
        with suppress(Transient):  # whoever sends is told to come back, until the log answers
            await asyncio.to_thread(self._log.catch_up)
        self._keeping_up = asyncio.create_task(self._committer.keep_up())

    async def close(self) -> None:
        """Wait until all that was handed in is durable or refused."""
        assert self._keeping_up is not None and self._committer is not None, "it was never started"
        self._keeping_up.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeping_up
        await self._committer.close()

    @property
    def ready(self) -> bool:
        """Whether the log takes events."""
        return self._committer is not None and not self._committer.failing

    @property
    def waiting_events(self) -> int:
        """How many events wait for the disk."""
        return self._committer.load.events if self._committer else 0

    def take(self, request: Request, reply: Reply) -> None:
        """Decide about a request and keep its events; ``reply`` is never called before this returns."""
        try:
            decision = self.door.decide(request)
        except CauceError as error:  # the keys cannot be read
            _soon(reply, try_later(UNAVAILABLE, error))
        else:
            self.keep(decision, len(request.body), request.received, reply)

    def keep(
        self, decision: Decision, size: int, received: Moment, reply: Reply, *, strict: bool = False
    ) -> None:
        """Keep what was decided about a body of ``size`` bytes, then answer: in detail if ``strict``."""
        if decision is UNKNOWN_KEY:
            _soon(reply, NO_KEY)
            return
        if not decision.events and not decision.refused:
            _soon(reply, _durable(decision, [], strict=strict))
            return

        def done(outcomes: list[Outcome], first: int, error: CauceError | None) -> None:
            if error is not None:
                reply(try_later(UNAVAILABLE, error))
            elif strict or decision.status != OK:
                own = outcomes[first : first + len(decision.events)]
                reply(_durable(decision, own, strict=strict))
            else:
                reply(SUCCESS)

        assert self._committer is not None, "the server serves before it has started"
        try:
            self._committer.submit(decision.events, decision.refused, size, received, done)
        except Transient as busy:
            _soon(reply, try_later(TOO_MANY, busy))


def _durable(decision: Decision, outcomes: list[Outcome], *, strict: bool) -> Answer:
    """The answer once all of a decision is durable."""
    if strict:
        return in_detail(decision, outcomes)
    return SUCCESS if decision.status == OK else refused(decision.faults[0].problem)


def _soon(reply: Reply, answer: Answer) -> None:
    asyncio.get_running_loop().call_soon(reply, answer)
