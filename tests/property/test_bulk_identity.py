"""Identity in bulk gives the rows that folding the same events one after another gives."""

import random
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cauce.identity.bulk import PEOPLE, signed
from cauce.identity.bulk_simulation import bulk_of
from cauce.identity.policy import Policy
from cauce.identity.rules import read_rules
from cauce.identity.simulated import Event, read_events
from tests.property.identity_replay import clear, fold, open_store, tables
from tests.property.identity_worlds import random_history, random_world

HISTORY = {"identity_move"}
COUNTERS = ("identity.identifiers", "identity.signatures", "identity.statements", "identity.views")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = open_store(tmp_path_factory.mktemp("bulk"))
    yield store
    store.close()


def bulk_tables(events: list[Event], policy: Policy) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect() as lake:
        bulk = bulk_of(lake, policy, events, view="person")
        found = {
            table.name: [tuple(row.values()) for batch in batches for row in batch.to_pylist()]
            for table, batches in bulk.rows()
        }
        owners = dict(lake.execute(f"FROM {PEOPLE}").fetchall())
        for _, profile, _, _, owned in found["identity_profile"]:
            assert {int(n) for n in owned[1:-1].split(",") if n} == {
                s for s, p in owners.items() if p == profile
            }
        lake.execute("CREATE VIEW log AS SELECT *, NULL AS signature FROM simulated_events")
        keys = {key: id_ for id_, _, key in found["identifier"]}
        sets = dict(found["signature"])
        for identifiers, number in lake.execute(
            f"SELECT identifiers, signature FROM ({signed('log')})"
        ).fetchall():
            ids = ",".join(map(str, sorted(keys[key] for key in identifiers)))
            assert sets.get(number, "") == ids
        found["progress"] = sorted((name, value) for name, value in bulk.progress().items() if value)
    return found


def check(store, policy, observations):
    clear(store)
    fold(store, policy, [observations])
    expected = {name: rows for name, rows in tables(store).items() if name not in HISTORY}
    expected["progress"] = sorted(row for row in expected["progress"] if row[0] in COUNTERS and row[1])
    found = bulk_tables(observations, policy)
    for name, rows in expected.items():
        assert sorted(found.get(name, []), key=repr) == rows, name


@given(st.randoms(use_true_random=False))
@settings(parent=settings(), max_examples=max(100, settings().max_examples))
def test_bulk_identity_equals_the_stream(store, rng):
    rules, events, cap = random_world(rng)
    policy = Policy(read_rules(rules), max_links=cap)
    check(store, policy, list(read_events(policy, events)))


@given(st.randoms(use_true_random=False))
@settings(parent=settings(), max_examples=max(100, settings().max_examples))
def test_so_it_does_with_statements_consent_and_what_is_taken_back(store, rng):
    rules, events, cap = random_history(rng)
    policy = Policy(read_rules(rules), max_links=cap)
    check(store, policy, list(read_events(policy, events)))


@pytest.mark.parametrize("seed", range(12))
def test_larger_worlds_with_hubs_too(store, seed):
    """Enough events that identifiers pass the number of signatures below which links are not counted."""
    rng = random.Random(seed)
    rules = {
        "identifiers": [
            {"type": "user_id", "limit": 1},
            {"type": "email", "limit": 2, "max_owners": 2, "conflict": "oldest"},
            {"type": "device", "max_owners": 3},
            {"type": "phone"},
        ],
        "strength": {"crm": 2},
        "max_ids_per_event": 4,
    }
    policy = Policy(read_rules(rules), max_links=rng.choice((6, 9, 1000)))
    kinds = {"user_id": 12, "email": 8, "device": 5, "phone": 6, "other": 3}
    events = [
        {
            "id": str(number),
            "ts": rng.randrange(50),
            "source": rng.choice(("web", "crm", "shop")),
            "ids": {
                kind: [f"{kind[0]}{rng.randrange(count)}" for _ in range(rng.choice((1, 1, 1, 2)))]
                for kind, count in kinds.items()
                if rng.random() < 0.45
            },
        }
        for number in range(rng.choice((60, 200)))
    ]
    check(store, policy, list(read_events(policy, events)))


def test_values_with_a_nul_are_told_apart(store):
    rules = {"identifiers": [{"type": "user_id"}, {"type": "device"}]}
    policy = Policy(read_rules(rules))
    ids: list[dict[str, Any]] = [
        {"user_id": ["a\0user_id:b", "c"]},
        {"user_id": ["a", "b\0user_id:c"]},
        {"user_id": ["a", "b", "c"]},
        {"user_id": "a\0device:x"},
        {"user_id": "a", "device": "x"},
    ]
    events = [{"id": str(n), "ts": n, "ids": one} for n, one in enumerate(ids)]
    check(store, policy, list(read_events(policy, events)))
    check(store, policy, [])
