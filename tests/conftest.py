"""For all suites: no deadlines on a shared machine, more examples in a soak, Ctrl-C that works, services."""

import os
import signal

from hypothesis import settings

from tests.services.postgres import postgres, postgres_url

__all__ = ["postgres", "postgres_url"]

settings.register_profile("suite", deadline=None)
settings.register_profile("soak", deadline=None, max_examples=1_000)
settings.load_profile("soak" if os.environ.get("CAUCE_SOAK") else "suite")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in its background so, and the programs under test would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
