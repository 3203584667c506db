"""The API's process: `/api/v1` on an inherited socket."""

import time

from cauce.app.api.following import FollowingApi
from cauce.app.compose import Composition
from cauce.app.http_server import run_http
from cauce.govern.keys import KeyRing
from cauce.storage import garbage
from cauce.vocabulary import moment


def run(composition: Composition, descriptor: str) -> None:
    """Answer until a signal to stop."""
    keys = KeyRing(composition.control, time.monotonic)
    app = FollowingApi(composition, keys, moment.now, time.monotonic)
    garbage.look_seldom()
    run_http(app, int(descriptor), stop_seconds=composition.settings.serve.stop_seconds)
