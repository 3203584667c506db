"""Deriving the state anew where the applied version makes other people of the same events.

Such a version cannot be followed event by event. The first worker of a folder watches
for it on a thread of its own, and starts the process ``child_rebuild``; folding goes on
meanwhile, under the version before.
"""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from cauce.app.compose import Composition
from cauce.app.in_force import makes_other_people, under_applied
from cauce.app.pipeline import VERSION
from cauce.vocabulary.errors import CauceError, Transient

logger = logging.getLogger(__name__)

_CHILD = "cauce.app.child"
_LOOK_SECONDS = 0.25
_GLANCE_SECONDS = 0.05
_AGAIN_SECONDS = 30.0


def waits_for_rebuild(composition: Composition) -> bool:
    """Whether the applied version comes into force only by a state that is derived anew."""
    with composition.state.read() as reader:
        made_with = reader.progress(VERSION)
        if made_with in (0, composition.versions.latest()):
            return False
        current = composition.renewed()
        return makes_other_people(current, under_applied(current), reader)


@contextmanager
def rebuilding(composition: Composition) -> Iterator[None]:
    """Derive the state anew whenever the applied version needs it, until the block ends."""
    over = Event()
    thread = Thread(target=_watch, args=(composition, over), name="rebuilding")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _watch(composition: Composition, over: Event) -> None:
    """Look every moment; after a failure, wait before the next try."""
    wait = _LOOK_SECONDS
    while not over.wait(wait):
        wait = _LOOK_SECONDS
        try:
            if waits_for_rebuild(composition) and not _derive(composition, over):
                wait = _AGAIN_SECONDS
        except Transient as error:
            wait = float(error.retry_after)
        except CauceError as error:
            logger.error("whether the state must be derived anew cannot be told: %s", error)
            wait = _AGAIN_SECONDS


def _derive(composition: Composition, over: Event) -> bool:
    """Let a process derive and swap; whether it did. It ends with this one, or when it is ``over``."""
    command = [sys.executable, "-m", _CHILD, "rebuild", str(composition.space.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not over.wait(_GLANCE_SECONDS):
            pass
        if process.poll() is None:
            process.terminate()
    if process.returncode and not over.is_set():
        logger.error("deriving the state anew failed; it is tried again in %d s", _AGAIN_SECONDS)
    return process.returncode == 0
