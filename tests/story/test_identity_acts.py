"""People are joined, parted and taken back by hand, with serve and without; a rebuild agrees."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.story.command import cauce, succeed
from tests.story.serving import Served, send, served, until

SEGMENT = "- {key: buyers, owner: test, anonymous: true, rule: \"event('Order Completed').count() >= 1\"}\n"
BOTH = ["user_id:u1", "anonymous_id:d1"]
ANN = {"email": "ann@x.example", "city": "Lima"}
EVENTS: list[dict[str, Any]] = [
    {
        "type": "identify",
        "messageId": "i1",
        "userId": "u1",
        "traits": {"email": "ann@x.example", "city": "Lima"},
    },
    {"type": "identify", "messageId": "i2", "userId": "u2", "traits": {"city": "Vigo"}},
    {"type": "track", "messageId": "o1", "userId": "u2", "event": "Order Completed"},
    {"type": "track", "messageId": "o2", "userId": "u1", "anonymousId": "d1", "event": "Product Viewed"},
]


class Space:
    """A space with its keys, and the commands on it."""

    def __init__(self, root: Path) -> None:
        made = succeed("init", root, "--json").json
        (root / "definitions" / "segments" / "test.yaml").write_text(SEGMENT)
        self.root, self.write_key, self.api_key = root, made["write_key"], made["api_key"]

    def act(self, *arguments: str) -> dict[str, Any]:
        done = succeed("identity", *arguments, "--reason", "a test", "--json", "--space", self.root).json
        assert done["in_effect"] is True
        return dict(done)

    def person(self, identifier: str) -> dict[str, Any]:
        return dict(succeed("profile", "show", identifier, "--json", "--space", self.root).json)

    def record(self, identifier: str) -> dict[str, Any]:
        """Who she is, but for since when she is in segments."""
        found = self.person(identifier)
        return {**found, "segments": sorted(found["segments"])}

    def identifiers(self, identifier: str) -> set[str]:
        return {f"{one['type']}:{one['value']}" for one in self.person(identifier)["identifiers"]}

    def buyers(self) -> int:
        found = succeed("segment", "list", "--json", "--space", self.root).json
        return int(next(one["members"] for one in found if one["key"] == "buyers"))

    def call(self, now: Served, method: str, path: str, **body: Any) -> httpx.Response:
        return httpx.request(
            method,
            f"{now.api}/api/v1/identity/{path}",
            params={"purpose": "support"},
            headers={"Authorization": f"Bearer {self.api_key}"},
            json=body or None,
            timeout=30,
            trust_env=False,
        )


@pytest.fixture
def space(tmp_path: Path) -> Space:
    space = Space(tmp_path / "space")
    with served(space.root) as now:
        assert send(now.collector, space.write_key, *EVENTS).status_code == 200
        until(lambda: cauce("profile", "show", "anonymous_id:d1", "--space", space.root).code == 0, "people")
    return space


def test_two_people_are_joined_and_parted_again_and_nothing_is_lost(space: Space) -> None:
    before = space.record("user_id:u1"), space.record("user_id:u2")
    merged = space.act("merge", "user_id:u1", "user_id:u2")
    assert space.identifiers("user_id:u2") == {
        "user_id:u1",
        "user_id:u2",
        "email:ann@x.example",
        "anonymous_id:d1",
    }
    assert space.person("user_id:u1")["profile_id"] == space.person("user_id:u2")["profile_id"]
    rebuilt = succeed("rebuild", "--json", "--space", space.root).json
    assert not rebuilt["renumbered"] and not any(rebuilt["rows"].values())
    space.act("retract", merged["id"])
    assert (space.record("user_id:u1"), space.record("user_id:u2")) == before
    acts = succeed("identity", "acts", "--json", "--space", space.root).json
    assert [(one["op"], one["retracted"], one["reason"]) for one in acts] == [
        ("retract", False, "a test"),
        ("same", True, "a test"),
    ]


def test_an_event_that_is_retracted_counts_nowhere(space: Space) -> None:
    assert (space.buyers(), space.identifiers("user_id:u1")) == (
        1,
        {"user_id:u1", "email:ann@x.example", "anonymous_id:d1"},
    )
    space.act("retract", "o1", "i1")
    assert space.buyers() == 0
    assert space.identifiers("user_id:u1") == {"user_id:u1", "anonymous_id:d1"}
    assert "city" not in space.person("user_id:u1")["traits"]
    assert cauce("profile", "show", "email:ann@x.example", "--space", space.root).code != 0


def test_acts_go_through_the_api_while_events_flow(space: Space) -> None:
    with served(space.root) as now:
        split = space.call(now, "POST", "acts", op="never", reason="r", identifiers=BOTH)
        assert split.status_code == 200, split.text
        assert split.json()["in_effect"] is True
        assert space.identifiers("anonymous_id:d1") == {"anonymous_id:d1"}
        more = {**EVENTS[3], "messageId": "o3"}
        assert send(now.collector, space.write_key, more).status_code == 200
        again = space.call(
            now,
            "POST",
            "acts",
            op="never",
            reason="r",
            identifiers=["user_id:u1", "anonymous_id:d1"],
            id="same",
        )
        assert again.json()["in_effect"] is True
        assert space.identifiers("anonymous_id:d1") == {"anonymous_id:d1"}
        same = space.call(now, "POST", "acts", op="same", reason="r", identifiers=BOTH)
        assert same.json()["in_effect"] is True
        assert space.identifiers("anonymous_id:d1") >= {"user_id:u1", "anonymous_id:d1"}
        assert len(space.call(now, "GET", "acts").json()["data"]) == 3
        for body, status in (
            ({"op": "sane", "reason": "r"}, 400),
            ({"op": "same", "reason": " ", "identifiers": ["user_id:u1", "user_id:u2"]}, 400),
            ({"op": "same", "reason": "r", "identifiers": ["user_id:u1"]}, 400),
            ({"op": "same", "reason": "r", "identifiers": ["user_id:u1", "user_id:nobody"]}, 404),
            ({"op": "retract", "reason": "r"}, 400),
        ):
            refused = space.call(now, "POST", "acts", **body)
            assert (refused.status_code, "hint" in refused.json()) == (status, True), refused.text
        assert {one["level"] for one in now.messages()} == {"info"}
