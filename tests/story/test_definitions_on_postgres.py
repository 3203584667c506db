"""Definitions are planned, applied and derived anew on PostgreSQL, while two workers fold what flows in."""

import json
import shutil
import threading
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psycopg
import pytest

from cauce.app.compose import Composition
from cauce.app.pipeline import LOG, ROUND
from tests.faults.webhook_receiver import Receiver, answer
from tests.property.feed_of_moves import partition, replayed
from tests.services.postgres import Place
from tests.story.command import Ran, cauce
from tests.story.serving import Served, send, served, until
from tests.story.test_definitions_live import DESTINATION, SEGMENT, order

BATCH, PAUSE = 150, 1.0
ROUNDS = """
SELECT coalesce(sum(n_tup_ins), 0) FROM pg_stat_user_tables
WHERE relname = 'fold_lane' AND starts_with(schemaname::text, %s)
"""


class Shop(NamedTuple):
    """A served space on PostgreSQL, and what its webhook was told."""

    root: Path
    place: Place
    served: Served
    keys: dict[str, str]
    receiver: Receiver

    def run(self, *arguments: object) -> Ran:
        ran = cauce(*arguments, "--space", self.root, **self.place.variables)
        assert ran.code == 0, ran.err
        return ran

    def api(self, method: str, path: str, **query: Any) -> Any:
        answered = self.asked(method, path, **query)
        assert answered.status_code == 200, answered.text
        return answered.json()

    def asked(self, method: str, path: str, **query: Any) -> httpx.Response:
        return httpx.request(
            method,
            f"{self.served.api}/api/v1/{path}",
            params={"purpose": "operations", **query},
            headers={"Authorization": f"Bearer {self.keys['api_key']}"},
            timeout=60,
            trust_env=False,
        )

    def told(self) -> Counter[tuple[str, str]]:
        """How often each change was delivered: what, and of whom."""
        bodies = [json.loads(request.body) for request in list(self.receiver.requests)]
        return Counter((body["event"], body["userId"]) for body in bodies)

    def rounds(self) -> int:
        """How many lanes there were so far."""
        with psycopg.connect(self.place.url, autocommit=True) as connection:
            found = connection.execute(ROUNDS, (self.place.schema,)).fetchone()
        return int(found[0]) if found else 0

    def people(self) -> set[str]:
        return {self.api("GET", f"profiles/user_id:{name}")["profile_id"] for name in ("ann", "bob")}


def flow(shop: Shop, halt: threading.Event, sent: list[int]) -> None:
    """Send orders of ever new people until told to stop; how many were acknowledged."""
    number = 0
    while not halt.wait(PAUSE):
        calls = [order(number + n) for n in range(BATCH)]
        assert send(shop.served.collector, shop.keys["write_key"], *calls).status_code == 200
        number += BATCH
    sent.append(number)


def test_definitions_change_while_two_workers_fold(
    tmp_path: Path, postgres: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {**postgres.variables, "CAUCE_WORKER__PROCESSES": "2"}
    root = tmp_path / "space"
    ran = cauce("init", root, "--json", **variables)
    assert ran.code == 0, ran.err
    shutil.rmtree(root / "definitions/segments")
    (root / "secrets").mkdir()
    (root / "secrets/crm").write_text("whsec")
    with Receiver(lambda _: answer(200)) as receiver, served(root, **variables) as now:
        shop = Shop(root, postgres, now, ran.json, receiver)
        halt, sent = threading.Event(), list[int]()
        sender = threading.Thread(target=flow, args=(shop, halt, sent))
        sender.start()
        try:
            a_segment_comes(shop)
            other_people_come(shop)
            for _ in range(2):
                assert shop.run("rebuild", "--swap", "--json").json["swapped"]
        finally:
            halt.set()
            sender.join()
        expected = Counter({("Audience Entered", f"u{n}"): 1 for n in range(sent[0])})
        until(lambda: len(receiver.requests) >= len(expected), "every buyer to be told")
        assert shop.told() == expected
        found = shop.run("rebuild", "--json").json
        assert not any(found["rows"].values()), found
        assert (found["people"], found["traits"], found["segments"]) == ([], [], [])
        assert {message["level"] for message in now.messages()} <= {"info", "debug", "warning"}
    for name, value in postgres.variables.items():
        monkeypatch.setenv(name, value)
    composition = Composition(root)
    with composition.state.read() as reader:
        assert (reader.progress(LOG), reader.progress(ROUND)) == (composition.log.head(), 0)
        assert replayed(reader) == partition(reader)
    composition.state.close()
    composition.log.close()


def a_segment_comes(shop: Shop) -> None:
    """A segment with a destination is planned and applied from the command line."""
    until(lambda: shop.rounds() > 2, "rounds of two workers")
    for folder, name, text in (
        ("segments", "buyers", SEGMENT.format(key="buyers")),
        ("destinations", "crm", DESTINATION.format(url=shop.receiver.url())),
    ):
        file = shop.root / "definitions" / folder / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    plan = shop.run("plan", "--json").json
    [entering] = [e for c in plan["changes"] for e in c["effects"] if e["what"] == "entering"]
    assert entering["count"] >= plan["position"] > 0  # each event is of another person
    applied = shop.run("apply", "--at", plan["position"], "--json").json
    assert (applied["version"], applied["in_force"]) == (2, True)


def other_people_come(shop: Shop) -> None:
    """Other identity rules are planned and applied by the API; the worker derives the state anew."""
    family = [
        {"type": "identify", "userId": name, "traits": {"email": "family@example.org"}}
        for name in ("ann", "bob")
    ]
    assert send(shop.served.collector, shop.keys["write_key"], *family).status_code == 200
    until(lambda: shop.api("GET", "segments")["data"], "the API to follow")
    until(lambda: shop.asked("GET", "profiles/user_id:bob").status_code == 200, "both to be folded")
    assert len(shop.people()) == 2
    rules = shop.root / "definitions/identity/person.yaml"
    rules.write_text(rules.read_text().replace("{type: user_id, limit: 1}", "{type: user_id, limit: 2}"))
    plan = shop.api("POST", "definitions/plan")
    merges = plan["what_if"]["merges"]
    assert (merges["count"], merges["people"]) == (1, 2)
    done = shop.api("POST", "definitions/apply", at=plan["position"])
    assert (done["version"], done["applied"]) == (3, True)
    until(lambda: shop.api("GET", "definitions")["in_force"] == 3, "the rules to be in force")
    assert len(shop.people()) == 1
