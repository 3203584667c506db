"""A served space with events, a file, a segment and a destination that is away, as its users see it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from cauce.app.process_lock import who_holds
from tests.story.command import Ran, cauce, succeed
from tests.story.serving import Served, send, served, until

ANN = {"type": "identify", "userId": "ann-7", "traits": {"email": "Ann@Example.org", "plan": "gold"}}
ORDER = {"type": "track", "userId": "ann-7", "event": "Order Completed", "properties": {"total": 12.5}}
NAMELESS = {"type": "track", "userId": "ann-7"}

CONTACTS = "id,mail,plan\n1,bob@example.org,gold\n2,eve@example.org,free\n3,,gold\n"
MAPPING = """\
owner: data@example.org
source: web
format: csv
columns: {id: text, mail: text, plan: text}
events:
  - call: identify
    user_id: id
    time: {constant: "2026-01-01T00:00:00Z"}
    traits: {email: mail, plan: plan}
"""
DESTINATION = """\
name: crm
owner: sales@example.org
kind: webhook
url: http://127.0.0.1:9/
secret: env:CRM_SECRET
allow_private: true
"""


class Running(NamedTuple):
    """A served space, its API key, and what the import printed."""

    root: Path
    served: Served
    api_key: str
    imported: list[dict[str, int]]

    def run(self, *arguments: object) -> Ran:
        return cauce(*arguments, "--space", self.root)

    def json(self, *arguments: object) -> Any:
        return succeed(*arguments, "--json", "--space", self.root).json

    def json_lines(self, *arguments: object) -> list[Any]:
        return succeed(*arguments, "--json", "--space", self.root).json_lines

    def text(self, *arguments: object) -> str:
        return succeed(*arguments, "--space", self.root).out

    def read(self, path: str) -> httpx.Response:
        """Ask the API, for the purpose of support."""
        return httpx.get(
            f"{self.served.api}/api/v1/{path}",
            params={"purpose": "support"},
            headers={"Authorization": f"Bearer {self.api_key}"},
            timeout=30,
            trust_env=False,
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("served")
    root = folder / "space"
    keys = succeed("init", root, "--json").json
    (root / "definitions/destinations/crm.yaml").write_text(DESTINATION)
    buyers = root / "definitions/segments/recent_buyers.yaml"
    buyers.write_text(buyers.read_text() + "destinations: [crm]\n")
    (folder / "contacts.csv").write_text(CONTACTS)
    (folder / "mapping.yaml").write_text(MAPPING)
    bring = ("import", folder / "contacts.csv", "--mapping", folder / "mapping.yaml", "--json")
    imported = [succeed(*bring, "--space", root).json for _ in range(2)]
    with served(root, CRM_SECRET="a secret") as now:
        running = Running(root, now, keys["api_key"], imported)
        assert send(now.collector, keys["write_key"], ANN, ORDER, NAMELESS).json() == {"success": True}
        until(lambda: _segments(running, "user_id:ann-7"), "the segment")
        yield running
    assert now.process.returncode == 0


def _segments(running: Running, identifier: str) -> Any:
    answer = running.read(f"profiles/{identifier}")
    return answer.json()["segments"] if answer.status_code == 200 else None


def test_a_person_is_shown_with_where_each_value_comes_from(running):
    shown = running.json("profile", "show", "email:ANN@example.org", "--why")
    assert shown["traits"]["plan"]["value"] == "gold"
    assert shown["traits"]["plan"]["source"] == "web"
    assert {one["type"] for one in shown["identifiers"]} == {"user_id", "email"}
    assert list(shown["segments"]) == ["recent_buyers"]
    assert shown["links"][0]["held"] is True
    assert shown["why"]["plan"] == {"rule": "newest", "lost": []}
    assert running.read("profiles/user_id:ann-7").json()["profile_id"] == shown["profile_id"]
    text = running.text("profile", "show", "user_id:ann-7", "--why")
    assert "email:ann@example.org" in text
    assert "recent_buyers" in text


def test_a_segment_has_members_and_reasons(running):
    [member] = running.json("segment", "members", "recent_buyers")
    assert {"type": "user_id", "value": "ann-7"} in member["identifiers"]
    why = running.json("segment", "why", "recent_buyers", "user_id:ann-7")
    assert why["member"] is True
    assert "1 of 1 Order Completed" in why["reason"]["evidence"]
    told = running.text("segment", "why", "left_the_cart", "user_id:ann-7")
    assert told.startswith("user_id:ann-7 is not in left_the_cart.")
    sizes = {one["key"]: one["members"] for one in running.json("segment", "list")}
    assert sizes == {"left_the_cart": 0, "recent_buyers": 1}


def test_a_rule_is_previewed_before_it_is_applied(running):
    found = running.json("segment", "preview", "--rule", "trait('plan') = 'gold'")
    assert (found["members"], found["entering"], found["leaving"]) == (3, None, None)
    named = {one["value"] for person in found["sample"] for one in person["identifiers"]}
    assert named == {"ann-7", "ann@example.org", "1", "bob@example.org", "3"}
    changed = running.json("segment", "preview", "recent_buyers", "--rule", "trait('plan') = 'free'")
    assert (changed["members"], changed["entering"], changed["leaving"]) == (1, 1, 1)
    assert "0 would enter, 0 would leave" in running.text("segment", "preview", "recent_buyers")
    wrong = running.run("segment", "preview", "--rule", "trait('plan') =")
    assert wrong.code == 2
    assert wrong.err.splitlines()[1:3] == ["trait('plan') =", "               ^"]


def test_the_log_and_the_quarantine_are_shown(running):
    logged = running.json_lines("log", "show")
    assert [one["call"] for one in logged] == ["identify"] * 4 + ["track"]
    [order] = running.json_lines("log", "show", "--name", "Order Completed")
    assert order == logged[-1]
    assert order["body"]["properties"] == {"total": 12.5}
    [refused] = running.json_lines("quarantine", "list")
    assert refused["reason"] == "no_event_name"
    assert "no_event_name" in running.text("quarantine", "list", "--reason", "no_event_name")
    stats = running.json("log", "stats")
    assert stats["head"] == stats["folded"] == order["position"]
    assert stats["quarantine"] == {"no_event_name": 1}


def test_a_file_is_imported_once(running):
    first, again = running.imported
    assert first == {"read": 3, "accepted": 3, "duplicate": 0, "quarantined": 0, "events": 3}
    assert again == {"read": 3, "accepted": 0, "duplicate": 3, "quarantined": 0, "events": 0}
    folder = running.root.parent
    unknown = running.run(
        "import", folder / "contacts.csv", "--mapping", folder / "mapping.yaml", "--source", "wbe"
    )
    assert unknown.code == 3
    assert "Did you mean web?" in unknown.err


def test_a_delivery_waits_for_a_destination_that_is_away(running):
    [waiting] = until(
        lambda: [one for one in running.json("delivery", "list") if one["state"] == "retrying"], "an attempt"
    )
    assert (waiting["destination"], waiting["segment"], waiting["change"]) == (
        "crm",
        "recent_buyers",
        "entered",
    )
    shown = running.json("delivery", "show", waiting["id"])
    assert shown["receipts"][0]["outcome"] == "failed"
    assert waiting["id"] in running.text("delivery", "list", "--destination", "crm")
    assert running.json("delivery", "replay", "--all") == {"queued": 0, "superseded": 0}
    assert running.run("delivery", "replay").code == 2
    assert running.run("delivery", "show", "nothing").code == 3


def test_reads_are_refused_without_a_declared_purpose(running):
    reads = (
        ("profile", "show", "user_id:ann-7"),
        ("log", "show"),
        ("quarantine", "list"),
        ("segment", "members", "recent_buyers"),
        ("segment", "preview", "recent_buyers"),
        ("delivery", "list"),
    )
    for command in reads:
        refused = running.run(*command, "--purpose", "suport")
        assert refused.code == 6, command
        assert "Did you mean support?" in refused.err
        assert not refused.out


def test_what_is_not_there_is_told(running):
    assert running.run("profile", "show", "user_id:nobody").code == 3
    assert running.run("profile", "show", "nobody").code == 2
    misspelt = running.run("segment", "members", "recent_byers")
    assert misspelt.code == 3
    assert "Did you mean recent_buyers?" in misspelt.err


def test_the_doctor_sees_a_space_at_work(running):
    findings = {one["check"]: one for one in running.json("doctor")}
    assert findings["serving"]["level"] == "ok"
    assert running.served.collector in findings["serving"]["message"]
    assert findings["folding"]["level"] == "ok"
    assert findings["quarantine"]["level"] == "warning"
    assert findings["secrets"]["level"] == "warning"  # it is not in this environment, but serve has it


def test_logs_are_json_lines_without_personal_data(running):
    messages = running.served.messages()
    assert {message["process"] for message in messages} >= {"serve", "collector", "api"}
    assert not any("ann" in str(message.values()).lower() for message in messages)


def test_each_process_tells_how_it_is(running):
    holder = who_holds(running.root / "serve.lock")
    assert holder is not None
    [worker] = holder.workers
    for url in (running.served.collector, running.served.api, worker):
        assert httpx.get(f"{url}/health", trust_env=False, timeout=30).status_code == 200
    figures = httpx.get(f"{worker}/metrics", trust_env=False, timeout=30).text
    assert f"cauce_worker_position {float(running.json('log', 'stats')['folded'])}" in figures


def test_the_log_of_the_processes_is_json_and_names_nobody(running):
    text = running.served.log.read_text()
    assert running.served.messages()
    for personal in ("ann-7", "ann@", "bob@", "example.org", "gold"):
        assert personal not in text
