"""A process that writes files until it is killed: ``python -m tests.faults.file_process FOLDER``.

Its clock runs a thousand times as fast, so that a file is due every few hundredths of a second.
"""

import sys
from pathlib import Path
from random import Random
from threading import Event
from time import time

from cauce.activate.deliverer import Deliverer
from cauce.activate.destinations import ready
from cauce.activate.settings import ActivateSettings
from cauce.vocabulary.definitions import FileDef
from cauce.vocabulary.moment import SECOND, Moment
from tests.faults.webhook_space import Space

DEFINITION = FileDef(name="drop", owner="o", folder="exports", schedule="every 1 minute")


def fast() -> Moment:
    """A clock that no restart sets back."""
    return Moment(int((time() - 1_700_000_000) * 1_000 * SECOND))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    space = Space(folder)
    quick = ActivateSettings(poll_seconds=0.002, file_rows=20, backoff_seconds=0.01)
    targets = ready([DEFINITION], environment={}, folder=folder)
    Deliverer(space.records, targets, fast, Random(1), quick).run(Event())
