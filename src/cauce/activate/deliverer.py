"""The deliverer: a thread that sends what is queued."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from threading import Event

import httpx

from cauce.activate.connect import Resolver
from cauce.activate.destinations import Destination
from cauce.activate.outbox import Outbox
from cauce.activate.pace import Pace
from cauce.activate.sending import Sending
from cauce.activate.settings import ActivateSettings
from cauce.activate.webhook import Webhook
from cauce.storage.records import Records
from cauce.vocabulary.moment import Clock

_log = logging.getLogger(__name__)


class Deliverer:
    """Sends the queued deliveries of a space; one per store.

    ``run`` belongs on a thread of its own, with its own transactions. Each
    destination has its own connections, its own bound on requests under way and
    its own pace, so that a dead one delays no other.
    """

    def __init__(
        self,
        records: Records,
        destinations: Sequence[Destination],
        clock: Clock,
        random: Random,
        settings: ActivateSettings,
    ) -> None:
        self._destinations = destinations
        self._clock = clock
        self._settings = settings
        self._outbox = Outbox(records, clock, random.random, settings)
        self._sending: Sending | None = None

    def wake(self) -> None:
        """Say that something was queued or ``stop`` was set, so that it is seen before the next poll.

        From any thread, at any time.
        """
        sending = self._sending
        if sending is not None:
            with suppress(RuntimeError):  # the loop closed a moment ago
                sending.wake()

    def run(self, stop: Event) -> None:
        """Deliver until ``stop`` is set; then let requests under way finish for ``stop_seconds``.

        Raises ``Transient`` if the store refuses at the start.
        """
        left = self._outbox.recover()
        if left:
            _log.warning("%d deliveries were being sent when Cauce stopped; they are sent again.", left)
        asyncio.run(self._run(stop))

    async def _run(self, stop: Event) -> None:
        thread = ThreadPoolExecutor(1, "deliveries")
        lookups = ThreadPoolExecutor(max(1, len(self._destinations)), "names")
        loop = asyncio.get_running_loop()
        tls = httpx.create_ssl_context()
        resolver = Resolver(lookups)
        webhooks = {one.name: Webhook(one, self._settings, resolver, tls) for one in self._destinations}
        paces = {one.name: Pace(one.rate, loop.time()) for one in self._destinations}
        self._sending = Sending(self._outbox, webhooks, paces, thread, self._clock, self._settings)
        try:
            await self._sending.run(stop)
        finally:
            self._sending = None
            for webhook in webhooks.values():
                webhook.close()
            thread.shutdown(wait=True)
            lookups.shutdown(wait=False, cancel_futures=True)
