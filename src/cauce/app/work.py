"""The worker process: it folds the log on its main thread, and delivers what is queued on another."""

import logging
import os
from collections.abc import Callable
from random import Random
from threading import Event, Thread

from cauce.activate.deliverer import Deliverer
from cauce.activate.destinations import ready
from cauce.app.compose import Composition
from cauce.app.follow_definitions import follow_definitions
from cauce.app.process_lock import process_lock
from cauce.app.sealing import Sealing
from cauce.app.worker import Worker
from cauce.vocabulary import moment
from cauce.vocabulary.errors import CauceError, Transient

logger = logging.getLogger(__name__)

_PREDECESSOR_SECONDS = 10.0
"""How long the worker of a supervisor that was killed may take to notice and end."""


def work(composition: Composition, stop: Event, begun: Callable[[], None]) -> None:
    """Work until ``stop`` is set; ``begun`` is called when nothing stands in the way any more.

    Raises ``Conflict`` if another worker has the space or other identity rules
    made its profiles, ``BadSettings`` if a destination's secret is missing, and
    ``CauceError`` if delivery broke down.
    """
    with process_lock(composition.space.worker_lock, "folded", wait_seconds=_PREDECESSOR_SECONDS):
        delivery = _Delivery(_deliverer(composition), stop)
        with composition.state.read() as reader:
            composition.identity.describe(reader, ())  # refuses rules that do not fit the state
        begun()
        changed = follow_definitions(composition.pipeline, composition.log, composition.normalization)
        if changed:
            logger.info("segments brought into force: %d", len(changed))
        sealing = _sealing(composition)
        worker = Worker(composition.pipeline, composition.log, composition.normalization, moment.now)
        delivery.start()
        try:
            idle = composition.settings.worker.idle_seconds
            worker.run(stop, idle_seconds=idle, meanwhile=sealing.consider)
        finally:
            sealing.end()
            delivery.end()


def _sealing(composition: Composition) -> Sealing:
    settings = composition.settings.worker
    return Sealing(
        composition.space.root,
        composition.log,
        composition.normalizations,
        at_least=settings.seal_events,
        hot=settings.hot_events,
    )


def _deliverer(composition: Composition) -> Deliverer:
    destinations = ready(
        composition.definitions.destinations.values(), environment=os.environ, folder=composition.space.root
    )
    settings = composition.settings.activate
    return Deliverer(composition.state, destinations, moment.now, Random(), settings)


class _Delivery:
    """The deliverer on its thread; if it breaks down, the process stops and is started again."""

    def __init__(self, deliverer: Deliverer, stop: Event) -> None:
        self._deliverer = deliverer
        self._stop = stop
        self._broken: Exception | None = None
        self._thread = Thread(target=self._run, name="deliver")

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._deliverer.run(self._stop)
            except Transient as error:
                logger.warning("delivery waits: %s", error.message)
                self._stop.wait(error.retry_after)
            except Exception as error:
                logger.exception("delivery broke down")
                self._broken = error
                self._stop.set()

    def end(self) -> None:
        """Stop the thread; raises ``CauceError`` if it broke down before."""
        self._stop.set()
        self._deliverer.wake()
        self._thread.join()
        if self._broken is not None:
            raise CauceError("Delivery broke down.", hint="Its log says where.") from self._broken
