"""Worked cases of identity resolution: vendors' documentation, the e-mail scenarios, every rule of ours.

Each is resolved in the order given, backwards, in several shuffled orders, with
events delivered repeatedly, and in bulk: the answer is the same. Where it is another than the
vendor's, the case says why (``differs``); where the definition could be read in two
ways, it says which reading it takes (``reading``).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from cauce.identity import default_rules, simulate
from cauce.identity.reading import read_lines

FOLDER = Path(__file__).parent / "identity"
SHUFFLES = 6
KEYS = {
    "id",
    "title",
    "rules",
    "strength",
    "events",
    "calls",
    "profiles",
    "differs",
    "reading",
    "order_matters",
}
CASES = [
    (f"{path.stem}: {case['id']}", case)
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]


def events_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of a case, one second apart where they have no times of their own.

    Written in short, an event is type → value, beside ``source`` and ``at``.
    """
    if "calls" in case:
        return list(read_lines([json.dumps(call).encode() for call in case["calls"]], "calls"))
    events = []
    for second, event in enumerate(case["events"]):
        told = {"id": f"m{second}", "ts": second}
        if "ids" in event or "op" in event:
            events.append({**told, **event})
            continue
        told["ts"] = event.get("at", second)
        if "source" in event:
            told["source"] = event["source"]
        events.append({**told, "ids": {t: v for t, v in event.items() if t not in ("source", "at")}})
    return events


def deliveries(name: str, events: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The same events as they may arrive."""
    yield events + events
    yield events[::-1]
    random = Random(name)
    for _ in range(SHUFFLES):
        repeated = events + random.choices(events, k=len(events) // 2) if events else []
        random.shuffle(repeated)
        yield repeated


def test_there_are_many_cases_and_each_has_its_name() -> None:
    names = [name for name, _ in CASES]
    assert len(names) == len(set(names))
    assert len(names) > 150
    assert [name for name, case in CASES if not set(case) <= KEYS or "profiles" not in case] == []


@pytest.mark.parametrize("name, case", [pytest.param(name, case, id=name) for name, case in CASES])
def test_case(name: str, case: dict[str, Any]) -> None:
    rules = case.get("rules") or default_rules() | {"strength": case.get("strength", {})}
    delivered = events = events_of(case)
    assert simulate(rules, events) == case["profiles"], case["title"]
    if "order_matters" not in case:
        for delivered in deliveries(name, events):
            assert simulate(rules, delivered) == case["profiles"], case["title"]
    assert simulate(rules, delivered, bulk=True) == case["profiles"], case["title"]
