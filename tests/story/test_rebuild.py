"""`cauce rebuild`: what it says, the swap while a worker runs, and the way back."""

import json
import random
import sqlite3
import subprocess
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from cauce.app.compose import Composition
from tests.property.small_company import tables
from tests.story.command import CAUCE, cauce, environment, succeed
from tests.story.serving import Served, send, served, until

SEGMENTS = """
- {key: buyers, owner: test, anonymous: true, rule: "event('Order Completed').count() >= 1"}
- {key: recent, owner: test, anonymous: true, rule: "event('Order Completed').within(7 days).count() >= 1"}
- {key: gold, owner: test, rule: "trait('plan') = 'gold'"}
"""
HISTORY = {"identity_move", "membership_change", "progress", "timer"}
SETTINGS = {"CAUCE_WORKER__SEAL_EVENTS": "1000", "CAUCE_WORKER__HOT_EVENTS": "0"}


def calls(people: int) -> list[dict[str, Any]]:
    """An identify, a page and, of every second person, an order."""
    found: list[dict[str, Any]] = []
    for n in range(people):
        ids = {"userId": f"u{n}", "anonymousId": f"d{n}"}
        traits = {"email": f"p{n}@x.example", "plan": "gold" if n % 3 else "free"}
        found.append({"type": "identify", "messageId": f"i{n}", **ids, "traits": traits})
        found.append({"type": "page", "messageId": f"p{n}", "anonymousId": f"d{n}", "name": "Home"})
        if n % 2:
            found.append({"type": "track", "messageId": f"o{n}", **ids, "event": "Order Completed"})
    return found


@pytest.fixture
def space(tmp_path: Path) -> tuple[Path, str, str]:
    root = tmp_path / "space"
    made = succeed("init", root, "--json").json
    (root / "definitions" / "segments" / "test.yaml").write_text(SEGMENTS)
    return root, made["write_key"], made["api_key"]


def loaded(root: Path, key: str, now: Served, people: int = 12) -> None:
    """Send the calls, and wait until they are folded."""
    assert send(now.collector, key, *calls(people)).status_code == 200
    count = len(calls(people))
    until(lambda: folded(root) >= count, "the events to be folded")


def folded(root: Path) -> int:
    with closing(sqlite3.connect(root / "state.db")) as state:
        found = state.execute("SELECT value FROM progress WHERE name = 'log'").fetchone()
    return found[0] if found else 0


def state(root: Path) -> dict[str, Any]:
    composition = Composition(root)
    try:
        return {name: rows for name, rows in tables(composition.state).items() if name not in HISTORY}
    finally:
        composition.state.close()


def spoil(root: Path) -> None:
    """What a fault might have done to the live state."""
    with closing(sqlite3.connect(root / "state.db", timeout=30)) as live, live:
        live.execute("DELETE FROM membership WHERE segment = 'gold'")
        live.execute("UPDATE fragment SET traits = replace(traits, 'p1@', 'q1@')")


def test_rebuild_swap_and_undo_while_serving(space: tuple[Path, str, str]) -> None:
    root, key, api_key = space
    with served(root, **SETTINGS) as now:
        loaded(root, key, now)
        right = state(root)
        first = succeed("rebuild", "--space", root, "--json").json
        assert not any(first["rows"].values()), first
        assert (first["people"], first["traits"], first["segments"], first["swapped"]) == ([], [], [], False)
        spoil(root)
        spoilt = state(root)
        every = root / "differences.jsonl"
        said = succeed("rebuild", "--space", root, "--json", "--differences", every).json
        gold = next(one for one in said["segments"] if one["name"] == "gold")
        assert (gold["what"], gold["count"]) == ("entered", 8)
        assert gold["people"][0]["identifier"].startswith("user_id:u")
        assert [(one["name"], one["count"]) for one in said["traits"]] == [("email", 1)]
        lines = [json.loads(line) for line in every.read_text().splitlines()]
        assert {line["table"] for line in lines} == {"membership", "fragment"}
        assert len(lines) == sum(said["rows"].values())
        assert state(root) == spoilt
        assert succeed("rebuild", "--space", root, "--swap", "--json").json["swapped"] is True
        assert state(root) == right
        assert send(now.collector, key, {"type": "page", "messageId": "x", "userId": "u1"}).status_code == 200
        until(lambda: folded(root) > len(calls(12)), "the worker to go on after the swap")
        headers = {"Authorization": f"Bearer {api_key}"}
        found = httpx.get(f"{now.api}/api/v1/segments", headers=headers, trust_env=False).json()
        assert {one["key"]: one["members"] for one in found["data"]}["gold"] == 8
        back = succeed("rebuild", "--space", root, "--undo", "--json").json
        assert next(one for one in back["segments"] if one["name"] == "gold")["what"] == "left"
        spoilt_and_folded = state(root)
        assert [row for row in spoilt_and_folded["membership"] if row[1] == "gold"] == []
        assert now.process.poll() is None


def test_nothing_to_swap_or_undo_is_said(space: tuple[Path, str, str]) -> None:
    root, _, _ = space
    refused = cauce("rebuild", "--undo", "--space", root)
    assert refused.code != 0
    assert "no state from before a swap" in refused.err
    assert cauce("rebuild", "--undo", "--swap", "--space", root).code != 0
    assert succeed("rebuild", "--discard", "--space", root, "--json").json == {"discarded": []}


def test_a_log_that_was_there_before_is_taken_in_bulk(space: tuple[Path, str, str]) -> None:
    root, key, _ = space
    with served(root) as now:
        loaded(root, key, now)
        right = state(root)
    for file in root.glob("state.*"):
        file.unlink()
    with served(root, CAUCE_REBUILD__BEHIND_EVENTS="10") as now:
        until(lambda: folded(root) >= len(calls(12)), "the state to be derived")
        until(
            lambda: any("caught up in bulk" in line.get("message", "") for line in now.messages()),
            "the process to say so",
        )
        found = state(root)
        found["membership"] = [row[:2] for row in found["membership"]]  # since when is history
        right["membership"] = [row[:2] for row in right["membership"]]
        assert found == right
        assert send(now.collector, key, {"type": "page", "messageId": "x", "userId": "u1"}).status_code == 200
        until(lambda: folded(root) > len(calls(12)), "the worker to go on")


def test_a_kill_at_any_moment_leaves_the_old_state_or_the_new(space: tuple[Path, str, str]) -> None:
    root, key, _ = space
    with served(root) as now:
        loaded(root, key, now)
    right = state(root)
    spoil(root)
    spoilt = state(root)
    rng = random.Random(7)
    command = [CAUCE, "rebuild", "--swap", "--space", str(root), "--json"]
    for _ in range(6):
        process = subprocess.Popen(
            command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        with suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0.6, 3.0))
        process.kill()
        process.wait()
        assert state(root) in (right, spoilt)
    succeed("rebuild", "--swap", "--space", root)
    assert state(root) == right
    with closing(sqlite3.connect(root / "state.db")) as live:
        assert live.execute("PRAGMA integrity_check").fetchone() == ("ok",)
