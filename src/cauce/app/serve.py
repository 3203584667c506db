"""`cauce serve`: collector, worker, API and console of one space, as processes that are kept running."""

import os
import select
import socket
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, closing

from cauce.app.listening import answers, listen, url_of
from cauce.app.process_lock import Holder, process_lock
from cauce.app.settings import Settings
from cauce.app.space import Space
from cauce.app.supervisor import Patience, Supervisor, Task
from cauce.vocabulary.errors import BadSettings

CHILD = "cauce.app.child"
"""The module that each child process runs."""

_PREDECESSOR_SECONDS = 10.0
"""How long the children of a supervisor that was killed may take to notice and free their ports."""

_GRACE_SECONDS = 3.0
"""How long after their time to stop is over the processes are ended by force."""


def serve(space: Space, settings: Settings, announce: Callable[[Holder], None]) -> int:
    """Serve until a signal to stop; ``announce`` is called once everything answers.

    Returns the exit code. Raises ``Conflict`` if the space is served already or
    a port is taken.
    """
    with ExitStack() as stack:
        lock = stack.enter_context(process_lock(space.serve_lock, "served"))
        wait = _PREDECESSOR_SECONDS if lock.killed else 0.0
        collector, api = (
            stack.enter_context(closing(listen(name, section.host, section.port, wait_seconds=wait)))
            for name, section in (("collector", settings.collector), ("api", settings.api))
        )
        console = None
        if settings.console.enabled:
            where = settings.console
            console = stack.enter_context(
                closing(listen("console", where.host, where.port, wait_seconds=wait))
            )
        workers = [
            stack.enter_context(closing(_listen_for_worker(settings, number)))
            for number in range(_workers(settings))
        ]
        serving = Holder(
            pid=os.getpid(),
            collector=url_of(collector),
            api=url_of(api),
            console=url_of(console) if console else "",
            workers=tuple(map(url_of, workers)),
        )
        lock.note(serving)
        tasks = [
            _network_task("collector", space, collector),
            _network_task("api", space, api),
            *([_network_task("console", space, console)] if console else []),
            *(_worker_task(space, number, listener) for number, listener in enumerate(workers, 1)),
        ]
        return Supervisor(tasks, _patience(settings)).run(lambda: announce(serving))


def _network_task(name: str, space: Space, listener: socket.socket) -> Task:
    descriptor, url = listener.fileno(), url_of(listener)
    arguments = [name, str(space.root), str(descriptor)]
    return Task(name, CHILD, arguments, [descriptor], lambda _: answers(url))


def _workers(settings: Settings) -> int:
    """How many workers there are to be; raises ``BadSettings`` if the store lets only one fold."""
    if settings.worker.processes > 1 and not settings.store.url:
        raise BadSettings(
            "worker.processes is more than 1, but SQLite has one writer for each file.",
            hint="Set it to 1, or keep the space in PostgreSQL: store.url.",
        )
    return settings.worker.processes


def _listen_for_worker(settings: Settings, number: int) -> socket.socket:
    port = settings.worker.port
    return listen("worker", settings.worker.host, port + number if port else 0)


def _worker_task(space: Space, number: int, listener: socket.socket) -> Task:
    name = "worker" if number == 1 else f"worker {number}"
    descriptor = listener.fileno()
    arguments = ["worker", str(space.root), str(number), str(descriptor)]
    return Task(name, CHILD, arguments, [descriptor], _said_something)


def _said_something(process: "subprocess.Popen[bytes]") -> bool:
    """The worker writes a line to its standard output when it begins to work; an end says nothing."""
    if process.stdout is None or not select.select([process.stdout], [], [], 0)[0]:
        return False
    return os.read(process.stdout.fileno(), 1) != b""


def _patience(settings: Settings) -> Patience:
    waits = settings.serve
    return Patience(
        ready=waits.ready_seconds,
        stop=waits.stop_seconds + _GRACE_SECONDS,
        restart=waits.restart_seconds,
        restart_limit=waits.restart_limit_seconds,
    )
