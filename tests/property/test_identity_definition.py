"""The incremental algorithm against the plain definition, in memory and through the store.

`CAUCE_SOAK=1` runs many more worlds; `identity_soak.py` beside this runs as many as
there is time for.
"""

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cauce.identity.policy import Policy
from cauce.identity.rules import read_rules
from cauce.identity.simulate import Simulation
from cauce.identity.simulated import read_events
from tests.property.identity_oracle import oracle
from tests.property.identity_replay import clear, fold, open_store, partition, split, tables
from tests.property.identity_worlds import random_history, random_world

LOGS = 100_000 if os.environ.get("CAUCE_SOAK") else 10_000
"""Random logs on the pure engine."""


@given(st.randoms(use_true_random=False))
@settings(parent=settings(), max_examples=max(150, settings().max_examples))
def test_after_every_event_the_partition_is_that_of_the_definition(rng):
    rules, events, cap = random_world(rng)
    policy = Policy(read_rules(rules), max_links=cap)
    for _ in range(2):
        check_every_prefix(rules, policy, events, cap)
        rng.shuffle(events)


@given(seed=st.integers(0, 2**63))
@settings(parent=settings(), max_examples=max(LOGS, settings().max_examples))
def test_so_it_is_with_statements_consent_windows_and_what_is_taken_back(seed):
    rng = random.Random(seed)
    rules, events, cap = random_history(rng)
    policy = Policy(read_rules(rules), max_links=cap)
    check_every_prefix(rules, policy, events, cap)
    rng.shuffle(events)
    check(rules, policy, events, cap)


def check(rules, policy, events, cap):
    simulation = Simulation(policy)
    for event in read_events(policy, events):
        simulation.fold(event)
    assert simulation.profiles() == oracle(rules, events, cap)


def check_every_prefix(rules, policy, events, cap):
    simulation = Simulation(policy)
    for number, event in enumerate(read_events(policy, events), 1):
        simulation.fold(event)
        assert simulation.profiles() == oracle(rules, events[:number], cap)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = open_store(tmp_path_factory.mktemp("identity"))
    yield store
    store.close()


@pytest.mark.parametrize("world", [random_world, random_history])
@given(rng=st.randoms(use_true_random=False))
@settings(parent=settings(), max_examples=max(40, settings().max_examples // 10))
def test_batches_and_restarts_change_no_row(store, world, rng):
    rules, events, cap = world(rng)
    policy = Policy(read_rules(rules), max_links=cap)
    observations = list(read_events(policy, events))
    some = [rng.randrange(len(observations) + 1) for _ in range(rng.randrange(5))]
    outcomes = []
    for cuts in (range(len(observations)), (), some):
        clear(store)
        resolutions = fold(store, policy, split(observations, cuts))
        assert partition(store, policy) == oracle(rules, events, cap)
        outcomes.append((resolutions, tables(store)))
    assert outcomes[0] == outcomes[1] == outcomes[2]
