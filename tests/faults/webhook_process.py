"""A process that delivers until it is killed: ``python -m tests.faults.webhook_process FOLDER URL``."""

import sys
from pathlib import Path
from random import Random
from threading import Event

from cauce.activate.deliverer import Deliverer
from cauce.vocabulary.moment import now
from tests.faults.webhook_space import QUICK, Space, destination

if __name__ == "__main__":
    space = Space(Path(sys.argv[1]))
    Deliverer(space.records, [destination(sys.argv[2])], now, Random(1), QUICK).run(Event())
