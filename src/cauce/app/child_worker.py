"""The worker's process: fold, deliver and seal until a signal to stop."""

import signal
from threading import Event

from cauce.app.compose import Composition
from cauce.app.work import work


def run(composition: Composition, number: str = "1") -> None:
    """Work as one of the workers of `cauce serve`; a line on standard output says that it has begun."""
    stop = Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stop.set())
    work(composition, stop, _tell_supervisor, int(number))


def _tell_supervisor() -> None:
    print("begun", flush=True)  # noqa: T201  the supervisor reads it
