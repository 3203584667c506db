"""The console's process: pages for people on an inherited socket."""

import time

from cauce.app.compose import Composition
from cauce.app.http_server import run_http
from cauce.govern.keys import KeyRing
from cauce.vocabulary import moment
from cauce.vocabulary.errors import BadSettings


def run(composition: Composition, descriptor: str) -> None:
    """Answer until a signal to stop; raises ``BadSettings`` without the extra ``console``."""
    try:
        from cauce.app.console.application import create_console  # noqa: PLC0415  an extra
    except ModuleNotFoundError as missing:
        raise BadSettings(
            f"console.enabled is true, but the library {missing.name} is not installed.",
            hint="Install Cauce with the extra console: pip install 'cauce[console]'.",
        ) from missing
    app = create_console(composition, KeyRing(composition.control, time.monotonic), moment.now)
    stop_seconds = composition.settings.serve.stop_seconds
    run_http(app, int(descriptor), stop_seconds=stop_seconds, sockets="websockets-sansio")
