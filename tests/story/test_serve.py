"""One command serves a space; its processes come back when they die, and go when it goes."""

import signal
from pathlib import Path

import pytest

from tests.story.command import cauce, succeed
from tests.story.serving import PATIENCE, send, served, until

ANN = {"type": "identify", "userId": "ann-7", "traits": {"email": "Ann@Example.org", "plan": "gold"}}
ORDER = {"type": "track", "userId": "ann-7", "event": "Order Completed", "properties": {"total": 12.5}}


@pytest.fixture
def space(tmp_path: Path) -> tuple[Path, str]:
    root = tmp_path / "space"
    return root, succeed("init", root, "--json").json["write_key"]


def test_events_become_people_and_segments_and_are_explained(space):
    root, key = space
    with served(root) as now:
        broken = {"type": "track", "userId": "ann-7"}
        assert send(now.collector, key, ANN, ORDER, broken).json() == {"success": True}
        until(lambda: cauce("profile", "show", "user_id:ann-7", "--space", root).code == 0, "the profile")
        shown = succeed("profile", "show", "email:ANN@example.org", "--why", "--json", "--space", root).json
        assert shown["traits"]["plan"]["value"] == "gold"
        assert shown["traits"]["plan"]["source"] == "web"
        assert {one["type"] for one in shown["identifiers"]} == {"user_id", "email"}
        assert list(shown["segments"]) == ["recent_buyers"]
        assert shown["links"][0]["held"] is True
        [member] = succeed("segment", "members", "recent_buyers", "--json", "--space", root).json
        assert member["profile_id"] == shown["profile_id"]
        why = succeed("segment", "why", "recent_buyers", "user_id:ann-7", "--json", "--space", root).json
        assert why["member"] is True
        assert "1 of 1 Order Completed" in why["reason"]["evidence"]
        logged = succeed("log", "show", "--json", "--space", root).json_lines
        assert [one["name"] for one in logged] == ["", "Order Completed"]
        assert logged[1]["body"]["properties"]["total"] == 12.5
        stats = succeed("log", "stats", "--json", "--space", root).json
        assert (stats["head"], stats["folded"]) == (2, 2)
        [refused] = succeed("quarantine", "list", "--json", "--space", root).json_lines
        assert refused["reason"] in stats["quarantine"]
        findings = {one["check"]: one for one in succeed("doctor", "--json", "--space", root).json}
        assert findings["serving"]["level"] == "ok"
        assert findings["quarantine"]["level"] == "warning"
        texts = succeed("profile", "show", "user_id:ann-7", "--why", "--space", root).out
        assert "ann@example.org" in texts
        assert "yes" in succeed("segment", "why", "recent_buyers", "user_id:ann-7", "--space", root).out
        assert not any(
            "ann" in str(message).lower() for message in now.messages() if "channel" not in message
        )
    assert now.process.returncode == 0


def test_reads_are_refused_without_a_declared_purpose(space):
    root, _ = space
    for command in (
        ["profile", "show", "user_id:x"],
        ["log", "show"],
        ["segment", "members", "recent_buyers"],
    ):
        refused = cauce(*command, "--purpose", "suport", "--space", root)
        assert refused.code == 6, command
        assert "Did you mean support?" in refused.err
    assert cauce("profile", "show", "user_id:x", "--space", root).code == 3
    assert cauce("profile", "show", "nobody", "--space", root).code == 2
    assert cauce("segment", "members", "recent_byers", "--space", root).code == 3


def test_a_space_is_served_once(space):
    root, _ = space
    with served(root) as first:
        second = cauce("serve", "--space", root, CAUCE_COLLECTOR__PORT="0", CAUCE_API__PORT="0")
        assert second.code == 4
        assert f"served already, by process {first.process.pid}" in second.err
        taken = first.collector.rpartition(":")[2]
        other = root.parent / "other"
        succeed("init", other)
        refused = cauce("serve", "--space", other, CAUCE_COLLECTOR__PORT=taken)
        assert refused.code == 4
        assert "the port is taken" in refused.err


def test_a_child_that_dies_is_started_again_and_nothing_is_lost(space):
    root, key = space
    with served(root) as now:
        assert send(now.collector, key, ANN).status_code == 200
        killed = now.children()
        for child in killed.values():
            child.kill()
        assert send(now.collector, key, ORDER).status_code == 200  # it waited in the socket's queue
        until(lambda: succeed("log", "stats", "--json", "--space", root).json["folded"] == 2, "the fold")
        assert {name: child.pid for name, child in now.children().items()}.keys() == killed.keys()
        assert any("ended with code -9" in message["message"] for message in now.messages())


def test_children_go_when_the_supervisor_is_killed_and_it_can_serve_again(space):
    root, key = space
    with served(root) as now:
        children = now.children()
        now.process.kill()
        now.process.wait(PATIENCE)
        until(lambda: not any(child.is_running() for child in children.values()), "the children to go")
    with served(root) as again:
        assert send(again.collector, key, ANN).status_code == 200


def test_ctrl_c_stops_everything(space):
    root, _ = space
    with served(root) as now:
        children = now.children()
        now.process.send_signal(signal.SIGINT)
        assert now.process.wait(PATIENCE) == 0
        assert not any(child.is_running() for child in children.values())


def test_a_missing_secret_ends_serve_with_its_reason(space):
    root, _ = space
    (root / "definitions/destinations/crm.yaml").write_text(
        "name: crm\nowner: a\nkind: webhook\nurl: https://crm.example.org/\nsecret: env:NO_SUCH_SECRET\n"
    )
    ended = cauce("serve", "--space", root, CAUCE_COLLECTOR__PORT="0", CAUCE_API__PORT="0")
    assert ended.code == 2
    assert "NO_SUCH_SECRET" in ended.err
