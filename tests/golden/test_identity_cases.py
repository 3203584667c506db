"""Worked cases of identity resolution, from vendors' documentation and the e-mail scenarios.

Each is resolved in the order given, backwards, and with every event delivered twice:
the answer is the same. Where it is another than the vendor's, the case says why.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from cauce.identity import default_rules, simulate

FOLDER = Path(__file__).parent / "identity"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['id']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]


def events_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    events = []
    for second, ids in enumerate(case["events"]):
        event = {"id": f"m{second}", "ts": second, "ids": {t: v for t, v in ids.items() if t != "source"}}
        if "source" in ids:
            event["source"] = ids["source"]
        events.append(event)
    return events


@pytest.mark.parametrize("case", CASES)
def test_case(case: dict[str, Any]) -> None:
    rules = case.get("rules") or default_rules() | {"strength": case.get("strength", {})}
    events = events_of(case)
    for delivered in (events, events[::-1], events + events):
        assert simulate(rules, delivered) == case["profiles"]
