"""The worker process: it folds the log on its main thread, and delivers what is queued on another."""

import logging
import os
import socket
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from random import Random
from threading import Event, Thread
from time import monotonic

from cauce.activate.deliverer import Deliverer
from cauce.activate.destinations import Target, ready
from cauce.app.compose import Composition
from cauce.app.in_force import Watch, bring_into_force
from cauce.app.pipeline import MovedOn, Superseded
from cauce.app.process_lock import process_lock, who_holds
from cauce.app.rebuild.behind import Behind
from cauce.app.sealing import Sealing
from cauce.app.vitals import Vitals
from cauce.vocabulary import moment
from cauce.vocabulary.definitions import DestinationDef
from cauce.vocabulary.errors import BadSettings, CauceError, Transient
from cauce.vocabulary.event import Position

logger = logging.getLogger(__name__)

_PREDECESSOR_SECONDS = 10.0
"""How long the worker of a supervisor that was killed may take to notice and end."""

_SWAP_SECONDS = 600.0
"""How long somebody who asked the worker to stand aside may keep its lock."""

_ASIDE_SECONDS = 0.05


def work(
    composition: Composition, stop: Event, begun: Callable[[], None], vitals: Vitals, number: int = 1
) -> None:
    """Work until ``stop`` is set; ``begun`` is called when nothing stands in the way any more.

    A version of the definitions that is applied meanwhile is brought into force
    between two batches. While somebody else needs the store, as a swap does, the
    worker stands aside; while the store does not answer, it waits. Raises ``Conflict``
    if another worker has the space or other identity rules made its profiles, and
    ``CauceError`` if delivery broke down.
    On PostgreSQL a space may have several workers, told apart by ``number`` within one folder.
    """
    wait = _PREDECESSOR_SECONDS
    while not stop.is_set():
        try:
            with process_lock(composition.space.lock_of_worker(number), "folded", wait_seconds=wait):
                composition = composition.renewed()
                with composition.state.read() as reader:
                    composition.identity.describe(reader, ())  # refuses rules that do not fit the state
                begun()
                wait, begun = _SWAP_SECONDS, _nothing
                _work_alone(composition, stop, vitals)
        except Transient as error:  # an end and a new start would take longer to find the store again
            logger.warning("waiting: %s", error.message)
            stop.wait(error.retry_after)
        vitals.prepare()
        while who_holds(composition.space.aside_lock) is not None:
            if stop.wait(_ASIDE_SECONDS):
                return


def _nothing() -> None:
    """What is called instead of ``begun`` later on."""


def _work_alone(composition: Composition, stop: Event, vitals: Vitals) -> None:
    """Fold and deliver until ``stop`` is set or somebody else needs the store."""
    delivery, behind = _Delivery(stop), Behind(composition)
    aside = False
    try:
        while not stop.is_set() and not aside:
            watch = Watch(composition, monotonic)
            vitals.prepare()
            try:
                composition.worker(moment.now).drain()
                if behind.far():
                    behind.catch_up(composition)
                    composition = composition.renewed()
                composition = bring_into_force(composition, moment.now)
            except (MovedOn, Superseded):  # another worker began a round, or was faster
                composition = composition.renewed()
                continue
            delivery.follow(composition)
            _fold(composition, stop, partial(watch.changed, behind.far), delivery.wake, vitals)
            composition = composition.renewed()
            aside = who_holds(composition.space.aside_lock) is not None
    finally:
        delivery.end()


def _fold(
    composition: Composition,
    stop: Event,
    enough: Callable[[], bool],
    wake: Callable[[], None],
    vitals: Vitals,
) -> None:
    """Fold until ``stop`` is set or it is ``enough``; ``wake`` tells of queued deliveries."""
    sealing = _sealing(composition)
    activation = composition.pipeline.activation
    told = 0

    def meanwhile(position: Position) -> None:
        nonlocal told
        vitals.beat(position)
        sealing.consider(position)
        if activation.queued != told:
            told = activation.queued
            wake()

    worker = composition.worker(moment.now)
    try:
        worker.run(
            stop,
            idle_seconds=composition.settings.worker.idle_seconds,
            meanwhile=meanwhile,
            enough=enough,
        )
    finally:
        sealing.end()
        with suppress(Transient):
            worker.leave()


def _sealing(composition: Composition) -> Sealing:
    settings = composition.settings.worker
    return Sealing(
        composition.space.root,
        composition.log,
        lambda: composition.plan,
        composition.sealable,
        at_least=settings.seal_events,
        hot=settings.hot_events,
    )


def _deliverer(composition: Composition) -> Deliverer:
    destinations = list(_ready(composition, composition.in_force.destinations.values()))
    return Deliverer(
        composition.state,
        destinations,
        moment.now,
        Random(),
        composition.settings.activate,
        definitions=composition.in_force,
        members=composition.members,
        holder=_holder(composition),
    )


def _holder(composition: Composition) -> str:
    """What this process is called where several workers may share a space; empty where there is one only."""
    if not composition.settings.store.url:
        return ""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4()}"


def _ready(composition: Composition, definitions: Iterable[DestinationDef]) -> Iterable[Target]:
    """The destinations that can be spoken to; what the others are owed waits, and the log says why."""
    for one in definitions:
        try:
            yield from ready(
                [one],
                environment=os.environ,
                folder=composition.space.root,
                folders=composition.settings.activate.folders,
            )
        except BadSettings as refusal:
            logger.error("nothing is delivered there: %s", refusal)


def _told(composition: Composition) -> tuple[object, object]:
    """What the deliverer depends on: the destinations, and which segments name them."""
    found = composition.in_force
    return found.destinations, {key: one.destinations for key, one in found.segments.items()}


class _Delivery:
    """The deliverer on its thread; if it breaks down, the process stops and is started again.

    When destinations change, the deliverer lets what is under way finish, and
    another one takes over, while folding goes on.
    """

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self._over = Event()
        self._halt = Event()
        self._composition: Composition | None = None
        self._deliverer: Deliverer | None = None
        self._broken: Exception | None = None
        self._thread = Thread(target=self._run, name="deliver")

    def follow(self, composition: Composition) -> None:
        """Deliver to the destinations that are in force now."""
        before, self._composition = self._composition, composition
        if before is None:
            self._thread.start()
        elif _told(before) != _told(composition):
            self._interrupt()

    def wake(self) -> None:
        """Say that something was queued."""
        if self._deliverer is not None:
            self._deliverer.wake()

    def _interrupt(self) -> None:
        self._halt.set()
        if self._deliverer is not None:
            self._deliverer.wake()

    def _run(self) -> None:
        while True:
            self._halt.clear()
            if self._over.is_set():
                return
            assert self._composition is not None
            self._deliverer = _deliverer(self._composition)
            try:
                self._deliverer.run(self._halt)
            except Transient as error:
                logger.warning("delivery waits: %s", error.message)
                self._halt.wait(error.retry_after)
            except Exception as error:
                logger.exception("delivery broke down")
                self._broken = error
                self._stop.set()
                return

    def end(self) -> None:
        """Stop the thread; raises ``CauceError`` if it broke down before."""
        self._over.set()
        self._interrupt()
        if self._thread.ident is not None:
            self._thread.join()
        if self._broken is not None:
            raise CauceError("Delivery broke down.", hint="Its log says where.") from self._broken
