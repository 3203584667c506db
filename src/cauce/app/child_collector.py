"""The collector's process: the tracking API on an inherited socket."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cauce.app.collector import Collector, tune_process
from cauce.app.compose import Composition
from cauce.app.http_server import run_http
from cauce.app.tracking_protocol import protocol
from cauce.govern.keys import KeyRing
from cauce.storage.records import Reader
from cauce.vocabulary import moment
from cauce.vocabulary.errors import Transient


def run(composition: Composition, descriptor: str) -> None:
    """Receive events until a signal to stop."""
    with suppress(Transient):  # other errors end the process
        _ = composition.control
    app = Collector(
        composition.log,
        KeyRing(_Control(composition), time.monotonic),
        composition.settings.collector,
        clock=moment.now,
        new_id=lambda: str(uuid.uuid4()),
    )
    tune_process()
    run_http(
        app,
        int(descriptor),
        stop_seconds=composition.settings.serve.stop_seconds,
        protocol=protocol(),
    )


class _Control:
    """The control store, opened when it is first read: while it is away, the collector answers already."""

    def __init__(self, composition: Composition) -> None:
        self._composition = composition

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """A snapshot for reading; raises ``Transient`` while the store does not answer."""
        with self._composition.control.read() as reader:
            yield reader
