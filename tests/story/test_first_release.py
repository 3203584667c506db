"""A space that the first release left: this version serves it as it is, and it can go back."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cauce.storage.revisions import NEWEST
from tests.contract.old_stores import old_file
from tests.faults.webhook_receiver import Receiver, genuine
from tests.story.command import cauce, succeed
from tests.story.serving import Served, send, served, until

STORES = ("state", "control", "log")
SECRET = "what the first release signed with"
CRM = """\
name: crm
owner: sales@example.org
kind: webhook
url: {url}
secret: file:secret
allow_private: true
"""
SEGMENT = """\
key: {key}
owner: marketing@example.org
rule: {rule}
anonymous: {anonymous}
destinations: [crm]
"""
U1 = {"type": "identify", "userId": "u1", "traits": {"city": "Lima"}}
EVA = {"type": "track", "userId": "eva", "event": "Order Completed", "properties": {"total": 9}}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def old(tmp_path: Path, receiver: Receiver) -> Path:
    """The folder of the old space: its definitions, and stores of the first revision."""
    root = tmp_path / "space"
    succeed("init", root)
    for left in (file for store in STORES for file in root.glob(f"{store}.db*")):
        left.unlink()
    for store in STORES:
        old_file(root, store)
    (root / "secret").write_text(SECRET)
    definitions = root / "definitions"
    (definitions / "destinations" / "crm.yaml").write_text(CRM.format(url=receiver.url()))
    for left in (definitions / "segments").iterdir():
        left.unlink()
    rules = {"buyers": ("event('Order Completed').count() >= 1", "false")}
    rules["lately"] = ("event('Order Completed').within(3 days).count() >= 1", "true")
    for key, (rule, anonymous) in rules.items():
        text = SEGMENT.format(key=key, rule=rule, anonymous=anonymous)
        (definitions / "segments" / f"{key}.yaml").write_text(text)
    return root


def revisions(root: Path) -> dict[str, str]:
    found = succeed("space", "revisions", "--json", "--space", root).json
    return {one["store"]: one["revision"] for one in found}


def shown(root: Path, identifier: str) -> dict[str, Any]:
    person: dict[str, Any] = succeed("profile", "show", identifier, "--json", "--space", root).json
    return person


def serve_some_events(root: Path, now: Served) -> None:
    """Send what happened since, and wait until it is folded."""
    key = succeed("key", "create", "write", "web", "--json", "--space", root).json["secret"]
    assert send(now.collector, key, U1, EVA).json() == {"success": True}
    folded = "SELECT value FROM progress WHERE name = 'log'"
    until(lambda: rows(root, "state", folded) == [(62,)], "the fold")


def test_an_old_space_is_upgraded_by_serve_goes_on_and_goes_back(old: Path, receiver: Receiver) -> None:
    assert revisions(old) == dict.fromkeys(STORES, "0001")
    refused = cauce("profile", "show", "user_id:u1", "--space", old)
    assert refused.code == 4 and "cauce space upgrade" in refused.err
    with served(old) as now:
        assert any("brought up to date" in one["message"] for one in now.messages())
        assert_u1_is_known(shown(old, "user_id:u1"))
        serve_some_events(old, now)
        until(lambda: len(buyers_told(receiver)) == 7, "what the first release had queued, and more")
    assert revisions(old) == NEWEST
    assert sorted(buyers_told(receiver)) == [("eva", True), *((f"u{n}", True) for n in range(6))]
    assert all(genuine(one, SECRET.encode()) for one in receiver.requests)
    after = shown(old, "email:u1@x.example")
    assert_u1_is_known(after)
    assert after["traits"]["city"]["value"] == "Lima"
    sizes = {one["key"]: one["members"] for one in succeed("segment", "list", "--json", "--space", old).json}
    assert sizes["buyers"] == 7
    assert len(succeed("quarantine", "list", "--json", "--space", old).json_lines) == 3

    back = succeed("space", "downgrade", "--to", "0001", "--json", "--space", old).json
    ways = {one["store"]: (one["before"], one["after"]) for one in back}
    assert ways == {store: (newest, "0001") for store, newest in NEWEST.items()}
    assert rows(old, "log", "SELECT count(*) FROM event") == [(62,)]
    assert rows(old, "state", "SELECT count(*) FROM fragment WHERE folded = 0") == [(18,)]
    assert "Lima" in str(rows(old, "state", "SELECT traits FROM fragment WHERE signature = 13"))
    assert rows(old, "control", "SELECT name FROM sqlite_master WHERE name LIKE 'definition%'") == []

    assert {one["store"] for one in succeed("space", "upgrade", "--json", "--space", old).json} == set(STORES)
    assert shown(old, "email:u1@x.example") == after
    with served(old):
        assert shown(old, "email:u1@x.example") == after
    assert len(buyers_told(receiver)) == 7  # nobody is told anything twice


def assert_u1_is_known(person: dict[str, Any]) -> None:
    """What the first release knew of her, from four events."""
    assert person["profile_id"] == "p_75df54733c4346697cf3"
    assert {one["value"] for one in person["identifiers"]} == {"u1", "u1@x.example"}
    assert person["traits"]["plan"]["value"] == "gold"
    assert person["traits"]["plan"]["message_id"] == "m15"
    assert person["segments"]["buyers"] == "2026-05-30T14:26:40.000Z"


def buyers_told(receiver: Receiver) -> list[tuple[str, bool]]:
    """Of whom the destination was told that she is in the segment, or not."""
    bodies = [json.loads(one.body) for one in list(receiver.requests)]
    properties = [(one["userId"], one["properties"]) for one in bodies]
    return [(user, said["buyers"]) for user, said in properties if said["audience_key"] == "buyers"]


def rows(root: Path, store: str, statement: str) -> list[tuple[Any, ...]]:
    """What the old version would read."""
    connection = sqlite3.connect(root / f"{store}.db")
    found = connection.execute(statement).fetchall()
    connection.close()
    return found
