"""The deliverer: it tells destinations what is queued, each kind in its way."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from threading import Event

import httpx

from cauce.activate.backfill import Backfill, forget_subscriptions
from cauce.activate.channel import Channel
from cauce.activate.chores import Chore, Chores
from cauce.activate.connect import Resolver
from cauce.activate.destinations import FileTarget, SqlTarget, Target, WebhookTarget
from cauce.activate.file_run import FileRun
from cauce.activate.leases import Leases
from cauce.activate.needs import Members
from cauce.activate.outbox import Outbox
from cauce.activate.sending import Sending
from cauce.activate.service import Activation
from cauce.activate.settings import ActivateSettings
from cauce.activate.table_channel import TableChannel
from cauce.activate.table_compare import TableCompare
from cauce.activate.tables import TableWriter
from cauce.activate.webhook import Webhook
from cauce.storage.records import Records
from cauce.vocabulary.definitions import Definitions
from cauce.vocabulary.moment import Clock

_log = logging.getLogger(__name__)


class Deliverer:
    """Delivers what is queued in a space.

    ``run`` belongs on a thread of its own, with its own transactions. Each
    destination has its own connections, its own bound on calls under way and its
    own pace, and each that blocks has its own thread, so that a dead one delays no
    other.

    ``destinations`` are those that are ready. ``definitions`` say which others
    there are, whose deliveries wait, and which segments name them; deliveries to
    one that is not defined any more are dropped. ``members`` are needed for files
    of everybody, mirrored tables and backfills. ``holder`` names this worker where
    there are several; where there is one only, it is empty.
    """

    def __init__(
        self,
        records: Records,
        destinations: Sequence[Target],
        clock: Clock,
        random: Random,
        settings: ActivateSettings,
        *,
        definitions: Definitions | None = None,
        members: Members | None = None,
        holder: str = "",
    ) -> None:
        self._records = records
        self._destinations = destinations
        self._clock = clock
        self._settings = settings
        self._definitions = definitions
        self._members = members
        kinds = {one.name: _kind(one) for one in destinations}
        self._outbox = Outbox(records, clock, random.random, settings, kinds)
        names = [one.name for one in destinations]
        self._leases = Leases(records, holder, names, settings.lease_seconds, clock) if holder else None
        self._names = frozenset(names)
        self._sending: Sending | None = None
        self._tables = {one.name: TableWriter(one) for one in destinations if isinstance(one, SqlTarget)}

    def wake(self) -> None:
        """Say that something was queued or ``stop`` was set, so that it is seen before the next poll.

        From any thread, at any time.
        """
        sending = self._sending
        if sending is not None:
            with suppress(RuntimeError):  # the loop closed a moment ago
                sending.wake()

    def run(self, stop: Event) -> None:
        """Deliver until ``stop`` is set; then let calls under way finish for ``stop_seconds``.

        Raises ``Transient`` if the store refuses at the start.
        """
        self._recover(self._names if self._leases is None else self._leases.renew())
        if self._definitions is not None:
            defined = {name: str(one.kind) for name, one in self._definitions.destinations.items()}
            forget_subscriptions(self._records, self._definitions)
            if dropped := self._outbox.drop(defined):
                _log.warning("%d deliveries were dropped: their destinations are gone or changed.", dropped)
        chores = Chores(self._chores(), self._held, self._clock, self._settings)
        chores.start(stop)
        try:
            asyncio.run(self._run(stop))
        finally:
            chores.join(self._settings.stop_seconds)
            if self._leases is not None:
                self._leases.give_back()

    def _held(self) -> frozenset[str]:
        return self._names if self._leases is None else self._leases.held()

    def _recover(self, names: frozenset[str]) -> None:
        left = self._outbox.recover(sorted(names)) if names else 0
        if left:
            _log.warning("%d deliveries were being sent when Cauce stopped; they are sent again.", left)

    async def _run(self, stop: Event) -> None:
        thread = ThreadPoolExecutor(1, "deliveries")
        lookups = ThreadPoolExecutor(max(1, len(self._destinations)), "names")
        channels = self._channels(Resolver(lookups))
        self._sending = Sending(self._outbox, channels, thread, self._clock, self._settings, self._held)
        renewing = asyncio.create_task(self._renew(thread)) if self._leases is not None else None
        try:
            await self._sending.run(stop)
        finally:
            self._sending = None
            if renewing is not None:
                renewing.cancel()
            for channel in channels.values():
                channel.close()
            thread.shutdown(wait=True)
            lookups.shutdown(wait=False, cancel_futures=True)

    async def _renew(self, thread: ThreadPoolExecutor) -> None:
        """Hold the leases, and take over from a worker that died."""
        assert self._leases is not None
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._settings.lease_seconds / 4)
            try:
                new = await loop.run_in_executor(thread, self._leases.renew)
                await loop.run_in_executor(thread, self._recover, new)
            except Exception as error:
                _log.warning("Leases could not be renewed: %s", error)

    def _channels(self, resolver: Resolver) -> Mapping[str, Channel]:
        tls = httpx.create_ssl_context()
        found: dict[str, Channel] = {}
        for one in self._destinations:
            if isinstance(one, WebhookTarget):
                found[one.name] = Webhook(one, self._settings, resolver, tls, self._clock)
            elif isinstance(one, SqlTarget):
                found[one.name] = TableChannel(one, self._tables[one.name])
        return found

    def _chores(self) -> list[Chore]:
        segments = self._segments()
        chores: list[Chore] = []
        for one in self._destinations:
            named = segments.get(one.name, ())
            if isinstance(one, FileTarget):
                chores.append(FileRun(self._records, one, named, self._members, self._clock, self._settings))
            elif isinstance(one, SqlTarget) and self._members is not None:
                writer = self._tables[one.name]
                chores.append(TableCompare(self._records, one, writer, named, self._members, self._clock))
        return [*chores, *self._backfills(segments)]

    def _backfills(self, segments: Mapping[str, Sequence[str]]) -> list[Chore]:
        if self._definitions is None or self._members is None:
            return []
        activation = Activation.of(self._definitions)
        return [
            Backfill(
                self._records,
                self._definitions.destinations[one.name],
                segments.get(one.name, ()),
                activation,
                self._members,
                self._clock,
                self.wake,
            )
            for one in self._destinations
        ]

    def _segments(self) -> dict[str, list[str]]:
        """The segments that name each destination."""
        found: dict[str, list[str]] = {}
        for key, segment in (self._definitions.segments if self._definitions else {}).items():
            for name in segment.destinations:
                found.setdefault(name, []).append(key)
        return found


def _kind(target: Target) -> str:
    return "webhook" if isinstance(target, WebhookTarget) else str(target.definition.kind)
