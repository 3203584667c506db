"""The process that derives the state anew for an applied version that makes other people, and swaps it in.

The worker starts it and goes on folding under the version before; it stands aside for the swap.
"""

import logging
from time import perf_counter

from cauce.app.compose import Composition
from cauce.app.plan.identity import swap_if_needed

logger = logging.getLogger(__name__)


def run(composition: Composition) -> None:
    """Derive and swap, unless that has been done; what a plan derived is taken, if it fits."""
    started = perf_counter()
    found = swap_if_needed(composition)
    if found is not None:
        logger.info("swapped at position %d after %.1f s", found.position, perf_counter() - started)
