"""The process that derives a state far behind its log in bulk, while the worker that started it waits."""

import logging
from time import perf_counter

from cauce.app.compose import Composition
from cauce.app.rebuild.shadow import shadow
from cauce.eventlog.seal_process import start_sealing
from cauce.vocabulary.event import Position

logger = logging.getLogger(__name__)


def run(composition: Composition) -> None:
    """Seal what waits for it, derive the state to the end of the log, and swap it in."""
    started = perf_counter()
    _seal(composition)
    found = shadow(composition, ahead=True).swap(alone=True)
    logger.info("caught up in bulk to position %d in %.1f s", found.position, perf_counter() - started)


def _seal(composition: Composition) -> None:
    """Seal first: files are read a few at a time, rows that are not sealed are in memory together."""
    settings, log = composition.settings.worker, composition.log
    upto = Position(log.head() - settings.hot_events)
    if upto - log.sealed_upto() < settings.seal_events:
        return
    sealing = start_sealing(composition.space.root, upto, composition.plan, opener=composition.sealable)
    _, complaint = sealing.communicate()
    if sealing.returncode:
        logger.warning("sealing failed, it is done later: %s", complaint.decode().strip())
