"""Settings of Hypothesis for all suites: no deadlines on a shared machine, more examples in a soak."""

import os

from hypothesis import settings

settings.register_profile("suite", deadline=None)
settings.register_profile("soak", deadline=None, max_examples=5_000)
settings.load_profile("soak" if os.environ.get("CAUCE_SOAK") else "suite")
