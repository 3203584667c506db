"""As many random worlds as there is time for: `python -m tests.property.identity_soak SECONDS SEED`.

Compares the incremental algorithm with the plain definition after every prefix and in
random order, and, for one world in ten, through the store in three ways to cut batches.
"""

import random
import sys
import tempfile
from pathlib import Path
from time import monotonic

from cauce.identity.policy import Policy
from cauce.identity.rules import read_rules
from cauce.identity.simulated import read_events
from tests.property.identity_oracle import oracle
from tests.property.identity_replay import clear, fold, open_store, partition, split, tables
from tests.property.identity_worlds import random_world
from tests.property.test_identity_definition import check_every_prefix


def soak(seconds: float, seed: int) -> int:
    """The number of worlds compared; a failure names the seed of its world."""
    end = monotonic() + seconds
    number = 0
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        while monotonic() < end:
            number += 1
            try:
                compare(store, random.Random(seed + number), stored=number % 10 == 0)
            except Exception:
                print(f"world {seed + number} differs", file=sys.stderr)
                raise
        store.close()
    return number


def compare(store, rng, *, stored):
    rules, events, cap = random_world(rng)
    policy = Policy(read_rules(rules), max_links=cap)
    if stored:
        observations = list(read_events(policy, events))
        outcomes = []
        for cuts in (range(len(observations)), (), [rng.randrange(len(observations) + 1) for _ in range(3)]):
            clear(store)
            outcomes.append((fold(store, policy, split(observations, cuts)), tables(store)))
            assert partition(store, policy) == oracle(rules, events, cap)
        assert outcomes[0] == outcomes[1] == outcomes[2]
    for _ in range(2):
        check_every_prefix(rules, policy, events, cap)
        rng.shuffle(events)


if __name__ == "__main__":
    print(f"{soak(float(sys.argv[1]), int(sys.argv[2]))} worlds, all equal")
