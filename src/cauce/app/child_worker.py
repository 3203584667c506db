"""The worker's process: fold, deliver and seal until a signal to stop."""

import signal
from threading import Event

from cauce.app.compose import Composition
from cauce.app.work import work


def run(composition: Composition) -> None:
    """Work; a line on standard output tells the supervisor that it has begun."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    work(composition, stop, begun=lambda: print("begun", flush=True))  # noqa: T201  the supervisor reads it
