"""The child processes of `cauce serve`: what each runs, and how each ends.

    python -m cauce.app.child NAME SPACE [DESCRIPTOR]

Standard input is a lifeline: at its end the supervisor is gone, and the child stops.
A line on standard output says that the worker has begun.
"""

import logging
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from cauce.app.collector import Collector
from cauce.app.compose import Composition
from cauce.app.exit_codes import FAILURE, exit_code
from cauce.app.http_server import run_http
from cauce.app.logs import start_logging
from cauce.app.work import work
from cauce.govern.keys import KeyRing
from cauce.vocabulary import moment
from cauce.vocabulary.errors import CauceError

logger = logging.getLogger(__name__)


def collect(composition: Composition, descriptor: str) -> None:
    """Receive events on an inherited socket."""
    app = Collector(
        composition.log,
        KeyRing(composition.control, time.monotonic),
        composition.settings.collector,
        clock=moment.now,
        new_id=lambda: str(uuid.uuid4()),
    )
    run_http(app, int(descriptor), stop_seconds=composition.settings.serve.stop_seconds)


def fold(composition: Composition) -> None:
    """Fold and deliver until a signal to stop."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    work(composition, stop, begun=lambda: print("begun", flush=True))  # noqa: T201  the supervisor reads it


CHILDREN: dict[str, Callable[..., None]] = {"collector": collect, "worker": fold}


def main(name: str, root: str, *arguments: str) -> int:
    """Run one child until it is told to stop; its exit code."""
    start_logging(name, "info")
    _follow_lifeline()
    try:
        composition = Composition(Path(root))
        start_logging(name, composition.settings.serve.log_level)
        CHILDREN[name](composition, *arguments)
    except CauceError as error:
        logger.error("%s", error)
        return exit_code(error)
    except Exception:
        logger.exception("%s failed", name)
        return FAILURE
    return 0


def _follow_lifeline() -> None:
    Thread(target=_stop_at_its_end, name="lifeline", daemon=True).start()


def _stop_at_its_end() -> None:
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
