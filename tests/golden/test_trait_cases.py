"""Worked cases of traits: what is shown of a person after some events, and why.

Each is folded in the order given and backwards, in one batch and one by one: the
values are the same. Segments have the same members in the stream and in a preview.
"""

import json
import re
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from cauce.app.cli.output import COMMAND_LINE
from cauce.app.compose import Composition
from cauce.app.follow_definitions import follow_definitions
from cauce.app.new_space import make_space
from cauce.app.profile_view import as_json, view_profile
from cauce.app.segment_preview import preview_segment
from cauce.app.worker import Worker
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.event import Accepted, Call
from cauce.vocabulary.exact import decode_json, encode_json
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import DAY, Moment, parse_iso, to_iso

NOW = parse_iso("2026-03-01T12:00:00Z")
assert NOW is not None
READ: dict[str, Any] = {"purpose": Purpose(OPERATIONS), "viewer": COMMAND_LINE}
FOLDER = Path(__file__).parent / "traits"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['id']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]


def at(age: str) -> Moment:
    """``-3d`` is three days ago."""
    found = re.fullmatch(r"([+-]\d+)d", age)
    assert found and NOW is not None
    return Moment(NOW + int(found[1]) * DAY)


def accepted(case: dict[str, Any]) -> list[Accepted]:
    events = []
    for number, told in enumerate(case["events"]):
        body = {name: value for name, value in told.items() if name not in ("at", "source")}
        body |= {"userId": "u1", "messageId": f"m{number}"}
        events.append(
            Accepted(
                message_id=f"m{number}",
                time=at(told["at"]),
                call=Call(told["type"]),
                name=told.get("event", ""),
                source=told.get("source", "web"),
                body=json.dumps(body).encode(),
            )
        )
    return events


def space(root: Path, case: dict[str, Any]) -> Composition:
    assert NOW is not None
    make_space(root, now=NOW)
    folder = root / "definitions"
    sources = [{"name": name, "owner": "o", "kind": "server"} for name in ("crm", "file")]
    traits = [{"owner": "o", **one} for one in case.get("definitions", [])]
    if any(one["name"] == "email" for one in traits):
        (folder / "traits" / "contact.yaml").unlink()  # the template's own
    segments = [{"key": key, "owner": "o", "rule": rule} for key, rule in case.get("segments", {}).items()]
    for name, written in (("sources", sources), ("traits", traits), ("segments", segments)):
        (folder / name / "case.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
    return Composition(root)


def same(found: Any, expected: Any) -> bool:
    """Equal as JSON with exact numbers; YAML's floats are read by their text."""
    return decode_json(encode_json(found)) == decode_json(json.dumps(expected).encode())


@pytest.mark.parametrize("case", CASES)
def test_case(case: dict[str, Any], tmp_path: Path) -> None:
    for number, (order, batch) in enumerate(((1, 100), (-1, 100), (1, 1))):
        events = accepted(case)[::order]
        with ExitStack() as closes:
            composition = space(tmp_path / f"space{number}", case)
            for store in (composition.log, composition.state, composition.control):
                closes.enter_context(closing(store))
            follow_definitions(composition.pipeline, composition.log, composition.normalization)
            worker = Worker(composition.pipeline, composition.log, composition.normalization, lambda: NOW)
            for start in range(0, len(events), batch):
                composition.log.append(events[start : start + batch], [], now=NOW)
                while worker.step():
                    pass
            check(composition, case)


def check(composition: Composition, case: dict[str, Any]) -> None:
    assert NOW is not None
    shown = as_json(view_profile(composition, "user_id:u1", at=NOW, why=True, **READ))
    for name, value in case["traits"].items():
        found = shown["traits"].get(name, {}).get("value")
        assert same(found, value), f"{name} is {found}"
    for name, why in case.get("why", {}).items():
        reason = shown["why"][name]
        if "lost" in why:
            assert same([one["value"] for one in reason["lost"]], why["lost"]), name
        for key in why.keys() - {"lost"}:
            assert reason[key] == (to_iso(at(why[key])) if key == "until" else why[key]), (name, key)
    groups = {
        group: {"since": one["since"], "traits": {n: v["value"] for n, v in one["traits"].items()}}
        for group, one in shown["groups"].items()
    }
    expected = {
        group: {**one, "since": to_iso(at(one["since"]))} for group, one in case.get("groups", {}).items()
    }
    assert groups == expected
    for key in case.get("segments", {}):
        segment = composition.live.get(key)
        assert segment is not None
        inside = key in case.get("member_of", [])
        assert (key in shown["segments"]) is inside
        assert preview_segment(composition, segment, NOW, limit=5, **READ).members == int(inside)
        why = composition.segments.why(key, Identifier("user_id", "u1"), at=NOW, **READ)
        assert why is not None and why.reason.holds is inside
