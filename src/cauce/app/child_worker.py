"""The worker's process: fold, deliver and seal until a signal to stop."""

import signal
import socket
from contextlib import nullcontext
from threading import Event
from time import monotonic

from cauce.app.compose import Composition
from cauce.app.rebuilding import rebuilding
from cauce.app.vitals import Vitals
from cauce.app.work import work
from cauce.app.worker_http import answer_about
from cauce.storage import garbage


def run(composition: Composition, number: str = "1", descriptor: str = "") -> None:
    """Work as one of the workers of `cauce serve`; a line on standard output says that it has begun.

    It answers about itself on the socket with that ``descriptor``.
    """
    vitals = Vitals(monotonic)
    if descriptor:
        answer_about(vitals, socket.socket(fileno=int(descriptor)))
    stop = Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stop.set())
    garbage.look_seldom()
    with rebuilding(composition) if number == "1" else nullcontext():
        work(composition, stop, _tell_supervisor, vitals, int(number))


def _tell_supervisor() -> None:
    print("begun", flush=True)  # noqa: T201  the supervisor reads it
