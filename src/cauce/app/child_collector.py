"""The collector's process: the tracking API on an inherited socket."""

import time
import uuid

from cauce.app.collector import Collector, tune_process
from cauce.app.compose import Composition
from cauce.app.http_server import run_http
from cauce.govern.keys import KeyRing
from cauce.vocabulary import moment


def run(composition: Composition, descriptor: str) -> None:
    """Receive events until a signal to stop."""
    app = Collector(
        composition.log,
        KeyRing(composition.control, time.monotonic),
        composition.settings.collector,
        clock=moment.now,
        new_id=lambda: str(uuid.uuid4()),
    )
    tune_process()
    run_http(app, int(descriptor), stop_seconds=composition.settings.serve.stop_seconds)
