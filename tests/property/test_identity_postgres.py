"""The same people through PostgreSQL as by the plain definition, however the events are cut into batches."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cauce.identity.policy import Policy
from cauce.identity.rules import read_rules
from cauce.identity.simulated import read_events
from cauce.storage.postgres import PostgresRecords
from cauce.storage.records import STATE
from tests.property.identity_oracle import oracle
from tests.property.identity_replay import fold, partition, split
from tests.property.identity_worlds import random_history
from tests.services.postgres import fresh_schema

TABLES = ("identi", "signature", "progress")


@pytest.fixture(scope="module")
def store(postgres_url: str) -> Iterator[PostgresRecords]:
    with fresh_schema(postgres_url) as place:
        records = PostgresRecords(*place, STATE, durable=False)
        yield records
        records.close()


@given(seed=st.integers(0, 2**63))
@settings(
    parent=settings(),
    max_examples=max(60, settings().max_examples // 2),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_people_are_those_of_the_definition(store, seed):
    rng = random.Random(seed)
    rules, events, cap = random_history(rng)
    policy = Policy(read_rules(rules), max_links=cap)
    found = list(read_events(policy, events))
    with store.write() as transaction:
        for table in STATE.sorted_tables:
            if table.name.startswith(TABLES):
                transaction.clear(table)
    fold(store, policy, split(found, [rng.randrange(len(found) + 1) for _ in range(3)]))
    assert partition(store, policy) == oracle(rules, events, cap)
