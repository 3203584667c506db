"""Definitions are planned and applied while `cauce serve` runs and events flow: all is told once."""

import json
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from cauce.app.compose import Composition
from cauce.app.pipeline import LOG
from cauce.vocabulary.identifier import Identifier
from tests.faults.webhook_receiver import Receiver, answer
from tests.story.command import Ran, cauce, succeed
from tests.story.serving import Served, send, served, until

SEGMENT = """\
key: {key}
owner: test
anonymous: true
rule: event('Order Completed').count() >= 1
destinations: [crm]
"""
DESTINATION = """\
name: crm
owner: test
kind: webhook
url: {url}
secret: file:secrets/crm
allow_private: true
rate: 5000
"""


def order(number: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": f"u{number}",
        "messageId": f"m{number}",
        "properties": {"total": number},
    }


class Live(NamedTuple):
    """A served space with its keys, and what its destination was told."""

    root: Path
    served: Served
    write_key: str
    api_key: str
    receiver: Receiver

    def run(self, *arguments: object) -> Ran:
        return cauce(*arguments, "--space", self.root)

    def write(self, name: str, text: str) -> None:
        file = self.root / "definitions" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    def told(self) -> Counter[tuple[str, str, str]]:
        """How often each change was delivered: what, who, which segment."""
        found: Counter[tuple[str, str, str]] = Counter()
        for request in list(self.receiver.requests):
            body = json.loads(request.body)
            found[body["event"], body["userId"], body["properties"]["audience_key"]] += 1
        return found

    def api(self, method: str, path: str, **query: Any) -> httpx.Response:
        return httpx.request(
            method,
            f"{self.served.api}/api/v1/{path}",
            params={"purpose": "operations", **query},
            headers={"Authorization": f"Bearer {self.api_key}"},
            timeout=60,
            trust_env=False,
        )


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    root = tmp_path / "space"
    keys = succeed("init", root, "--json").json
    shutil.rmtree(root / "definitions/segments")
    (root / "secrets").mkdir()
    (root / "secrets/crm").write_text("whsec")
    with Receiver(lambda _: answer(200)) as receiver, served(root) as now:
        yield Live(root, now, keys["write_key"], keys["api_key"], receiver)


def flow(live: Live, halt: threading.Event) -> int:
    """Send orders of ever new people until told to stop; how many were acknowledged."""
    number = 0
    while not halt.is_set():
        answered = send(live.served.collector, live.write_key, *[order(number + n) for n in range(10)])
        assert answered.status_code == 200
        number += 10
        time.sleep(0.01)
    return number


def test_a_version_comes_into_force_while_events_flow(live: Live) -> None:
    sent: list[int] = []
    halt = threading.Event()
    sender = threading.Thread(target=lambda: sent.append(flow(live, halt)))
    sender.start()
    try:
        composition = Composition(live.root)
        until(lambda: composition.log.head() > 50, "events")
        live.write("segments/buyers.yaml", SEGMENT.format(key="buyers"))
        live.write("destinations/crm.yaml", DESTINATION.format(url=live.receiver.url()))
        plan = live.run("plan", "--json").json
        assert plan["base"] == 1
        [entering] = [e for c in plan["changes"] for e in c["effects"] if e["what"] == "entering"]
        assert entering["count"] >= len(entering["people"]) == 20
        applied = succeed("apply", "--at", plan["position"], "--json", "--space", live.root).json
        assert (applied["version"], applied["in_force"]) == (2, True)
        sizes = live.api("GET", "segments").json()["data"]
        assert [one["key"] for one in sizes] == ["buyers"]
        head = composition.log.head()
        until(lambda: composition.log.head() > head + 50, "events after it")
    finally:
        halt.set()
        sender.join()
    until(lambda: len(live.told()) == sent[0], "every buyer to be told")
    assert live.told() == Counter({("Audience Entered", f"u{n}", "buyers"): 1 for n in range(sent[0])})
    with composition.state.read() as reader:
        assert reader.progress(LOG) == composition.log.head()
    levels = {message["level"] for message in live.served.messages()}
    assert levels <= {"info", "debug"}, [
        m for m in live.served.messages() if m["level"] not in ("info", "debug")
    ]
    _rename(live, sent[0])


def _rename(live: Live, people: int) -> None:
    """Another key is another segment: all leave the one and enter the other."""
    (live.root / "definitions/segments/buyers.yaml").unlink()
    live.write("segments/patrons.yaml", SEGMENT.format(key="patrons"))
    plan = live.api("POST", "definitions/plan").json()
    [told] = plan["deliveries"]
    assert (told["entering"], told["leaving"]) == (people, people)
    assert any("same rule under another key" in note for c in plan["changes"] for note in c["notes"])
    assert live.api("POST", "definitions/apply").status_code == 400
    assert live.api("POST", "definitions/apply", at=plan["position"] + 1).json()["code"] == "not_planned"
    done = live.api("POST", "definitions/apply", at=plan["position"], note="A better word").json()
    assert done == {"version": 3, "applied": True, "in_force": True}
    again = live.api("POST", "definitions/apply", at=plan["position"]).json()
    assert again == {"version": 3, "applied": False, "in_force": True}
    until(lambda: len(live.told()) == 3 * people, "leaving and entering to be told")
    assert set(live.told().values()) == {1}
    versions = live.api("GET", "definitions/versions").json()["data"]
    assert [(one["number"], one["note"]) for one in versions] == [
        (1, "the first start"),
        (2, ""),
        (3, "A better word"),
    ]
    assert versions[-1]["viewer"] == "first"


def test_a_destination_without_secret_waits_and_a_removed_one_stops(live: Live) -> None:
    live.write("segments/buyers.yaml", SEGMENT.format(key="buyers"))
    unready = DESTINATION.replace("secrets/crm", "secrets/absent").format(url=live.receiver.url())
    live.write("destinations/crm.yaml", unready)
    assert live.run("apply", "--force", "--json").json["in_force"]
    assert send(live.served.collector, live.write_key, order(1), order(2)).status_code == 200

    def waiting() -> list[Any]:
        found: list[Any] = live.run("delivery", "list", "--json").json
        return found

    until(lambda: len(waiting()) == 2, "deliveries to be queued")
    assert any("secrets/absent" in message["message"] for message in live.served.messages())
    assert set(live.served.children()) == {"collector", "worker", "api"}
    assert not live.told()
    live.write("destinations/crm.yaml", DESTINATION.format(url=live.receiver.url()))
    assert live.run("apply", "--force", "--json").json["version"] == 3
    until(lambda: len(live.told()) == 2, "what had waited to be delivered")
    (live.root / "definitions/destinations/crm.yaml").unlink()
    refused = live.run("apply", "--force")
    assert refused.code == 2
    assert "segments/buyers.yaml:5:16: unknown destination crm" in refused.err
    live.write("segments/buyers.yaml", SEGMENT.format(key="buyers").replace("destinations: [crm]\n", ""))
    assert live.run("apply", "--force", "--json").json["version"] == 4
    assert send(live.served.collector, live.write_key, order(3)).status_code == 200
    until(lambda: live.run("log", "stats", "--json").json["folded"] >= 3, "the fold")
    assert len(live.told()) == 2
    rolled = live.run("rollback", "3", "--force", "--json").json
    assert (rolled["version"], rolled["in_force"]) == (5, True)
    assert live.run("history", "--json").json[-1]["again"] == 3


def test_identity_rules_are_applied_by_a_state_derived_anew(live: Live) -> None:
    family = [
        {"type": "identify", "userId": name, "traits": {"email": "family@example.org"}}
        for name in ("ann", "bob")
    ]
    assert send(live.served.collector, live.write_key, *family).status_code == 200
    until(lambda: live.api("GET", "profiles/user_id:bob").status_code == 200, "the fold")
    before = live.api("GET", "profiles/user_id:ann").json()["profile_id"]
    assert live.api("GET", "profiles/user_id:bob").json()["profile_id"] != before
    rules = live.root / "definitions/identity/person.yaml"
    text = rules.read_text()
    assert "{type: user_id, limit: 1}" in text
    rules.write_text(text.replace("{type: user_id, limit: 1}", "{type: user_id, limit: 2}"))
    plan = live.run("plan", "--json").json
    merges = plan["what_if"]["merges"]
    assert (merges["count"], merges["people"]) == (1, 2)
    [link] = merges["largest"][0]["links"]
    assert link["weaker"] == "email:family@example.org"
    assert live.api("GET", "profiles/user_id:bob").json()["profile_id"] != before
    applied = live.run("apply", "--at", plan["position"], "--json").json
    assert (applied["version"], applied["in_force"]) == (2, True)
    one, other = (live.api("GET", f"profiles/user_id:{name}").json()["profile_id"] for name in ("ann", "bob"))
    assert one == other
    assert send(live.served.collector, live.write_key, family[0] | {"userId": "cleo"}).status_code == 200
    until(lambda: live.api("GET", "profiles/user_id:cleo").status_code == 200, "the fold under the new rules")
    _by_the_api(live)


def _by_the_api(live: Live) -> None:
    """The worker derives the state anew by itself, whoever applied."""
    rules = live.root / "definitions/identity/person.yaml"
    rules.write_text(rules.read_text().replace("{type: user_id, limit: 2}", "{type: user_id, limit: 1}"))
    done = live.api("POST", "definitions/apply", force=True).json()
    assert (done["version"], done["applied"]) == (3, True)
    assert done["in_force"] or "derived anew" in done["awaited"]
    until(lambda: live.api("GET", "definitions").json()["in_force"] == 3, "the rules to be in force")
    one, other = (live.api("GET", f"profiles/user_id:{name}").json()["profile_id"] for name in ("ann", "bob"))
    assert one != other
    rules.write_text(rules.read_text().replace("{type: user_id, limit: 1}", "{type: user_id, limit: 3}"))
    applied = live.run("apply", "--force", "--wait", "0")
    assert "Version 4 is applied" in applied.out
    assert "the state is derived anew" in applied.out
    assert live.run("apply", "--wait", "60", "--json").json["in_force"]
    people = {
        live.api("GET", f"profiles/user_id:{name}").json()["profile_id"] for name in ("ann", "bob", "cleo")
    }
    assert len(people) == 1
    assert {message["level"] for message in live.served.messages()} <= {"info", "debug", "warning"}


PAIRS = 12


def family(number: int) -> list[dict[str, Any]]:
    """Two people who share an e-mail address."""
    shared = {"email": f"home{number}@example.org"}
    return [
        {"type": "identify", "userId": f"{name}{number}", "traits": {**shared, "first_name": name}}
        for name in ("ann", "bob")
    ]


class Names(NamedTuple):
    """Asks a space for public ids."""

    composition: Composition

    def of(self, users: list[str]) -> dict[str, str]:
        """The present public id of whoever has each user id."""
        now = self.composition.renewed()
        with now.state.read() as reader:
            keys = {user: now.identity.find(reader, Identifier("user_id", user)) for user in users}
            described = now.identity.describe(reader, [key for key in keys.values() if key is not None])
        return {user: described[key].profile_id for user, key in keys.items() if key is not None}

    def answering(self, ids: Iterable[str]) -> dict[str, str]:
        """The present public id of the person that each id leads to."""
        now = self.composition.renewed()
        with now.state.read() as reader:
            keys = {one: now.identity.resolve_id(reader, one) for one in ids}
            described = now.identity.describe(reader, [key for key in keys.values() if key is not None])
        return {one: described[key].profile_id for one, key in keys.items() if key is not None}


def test_other_identity_rules_are_tried_applied_and_taken_back_while_events_flow(live: Live) -> None:
    users = [f"{name}{number}" for number in range(PAIRS) for name in ("ann", "bob")]
    calls = [call for number in range(PAIRS) for call in family(number)]
    assert send(live.served.collector, live.write_key, *calls).status_code == 200
    names = Names(Composition(live.root))
    until(lambda: len(names.of(users)) == len(users), "the families to be folded")
    sent: list[int] = []
    halt = threading.Event()
    sender = threading.Thread(target=lambda: sent.append(flow(live, halt)))
    sender.start()
    try:
        _try_apply_take_back(live, names, users)
    finally:
        halt.set()
        sender.join()
    until(lambda: len(names.of([f"u{sent[0] - 1}"])) == 1, "the last buyer to be folded")
    assert len(set(names.of([f"u{n}" for n in range(sent[0])]).values())) == sent[0]
    levels = {message["level"] for message in live.served.messages()}
    assert levels <= {"info", "debug"}


def _try_apply_take_back(live: Live, names: Names, users: list[str]) -> None:
    separate = names.of(users)
    assert len(set(separate.values())) == 2 * PAIRS
    rules = live.root / "definitions/identity/person.yaml"
    rules.write_text(rules.read_text().replace("{type: user_id, limit: 1}", "{type: user_id, limit: 2}"))
    plan = live.run("plan", "--json").json
    found = plan["what_if"]
    assert found["after"] == found["before"] - PAIRS
    assert (found["merges"]["count"], found["merges"]["people"], found["splits"]["count"]) == (12, 24, 0)
    assert len(found["merges"]["mixed"]) == PAIRS
    for merge in found["merges"]["mixed"]:
        [name] = merge["contradictions"]
        assert (name["trait"], name["meaning"], name["distinct"]) == ("first_name", "first name", 2)
        assert {one["value"] for one in name["values"]} == {"ann", "bob"}
        assert {one["profile_id"] for one in name["values"]} == {one["profile_id"] for one in merge["people"]}
        [link] = merge["links"]
        assert (link["sources"], link["weaker"].partition(":")[0]) == (["web"], "email")
    text = live.run("plan").out
    assert "24 people fall together into 12." in text
    assert "first name: ann / bob" in text
    assert live.api("POST", "definitions/plan").json()["what_if"]["merges"]["count"] == PAIRS
    assert names.of(users) == separate  # nothing has changed
    assert live.run("apply", "--at", plan["position"], "--json").json["in_force"]
    together = names.of(users)
    assert len(set(together.values())) == PAIRS
    assert names.answering(separate.values()) == {separate[user]: together[user] for user in users}
    assert live.run("rollback", "1", "--force", "--json").json["in_force"]
    assert names.of(users) == separate
    issued = names.answering([*separate.values(), *together.values()])
    assert issued == {one: one for one in separate.values()}
