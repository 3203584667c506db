"""A served space that tells a table, a folder and a webhook, as its owners add, pause and look at them."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.webhook_receiver import Receiver, answer
from tests.story.command import cauce, succeed
from tests.story.serving import Served, send, served, until

SEGMENT = """\
key: gold
owner: marketing@example.org
rule: trait('plan') = 'gold'
destinations: [{names}]
"""
TABLE = """\
name: wh
owner: data@example.org
kind: sql
url: env:WH_URL
table: people
create: true
fields: [identifier.email, trait.plan, trait.orders]
"""
ORDERS = "name: orders\nowner: a\ncompute: event('Order Completed').count()\n"
DROP = "name: drop\nowner: a\nkind: file\nfolder: exports/drop\nschedule: daily at 03:00\n"
HOOK = """\
name: crm
owner: sales@example.org
kind: webhook
url: {url}
secret: file:secrets/crm
allow_private: true
backfill: true
fields: [identifier.email, trait.plan]
"""


class World:
    def __init__(self, folder: Path) -> None:
        self.root = folder / "space"
        self.keys = succeed("init", self.root, "--json").json
        self.warehouse = folder / "warehouse.db"
        (self.root / "secrets").mkdir(exist_ok=True)
        (self.root / "secrets/crm").write_text("a secret")
        self.define("traits/orders", ORDERS)
        self.define("destinations/wh", TABLE)
        self.define("destinations/drop", DROP)
        self.name("wh", "drop")
        self.now: Served

    def define(self, what: str, text: str) -> None:
        (self.root / f"definitions/{what}.yaml").write_text(text)

    def name(self, *names: str) -> None:
        self.define("segments/gold", SEGMENT.format(names=", ".join(names)))

    def apply(self) -> None:
        succeed("apply", "--force", "--space", self.root, WH_URL=self.url)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.warehouse}"

    def json(self, *arguments: object) -> Any:
        return succeed(*arguments, "--json", "--space", self.root, WH_URL=self.url).json

    def says(self, person: str, plan: str) -> None:
        call = {
            "type": "identify",
            "userId": person,
            "traits": {"email": f"{person}@example.org", "plan": plan},
        }
        assert send(self.now.collector, self.keys["write_key"], call).json() == {"success": True}

    def buys(self, person: str) -> None:
        call = {"type": "track", "userId": person, "event": "Order Completed"}
        assert send(self.now.collector, self.keys["write_key"], call).json() == {"success": True}

    def table(self) -> dict[str, tuple[bool, str, str]]:
        if not self.warehouse.exists():
            return {}
        connection = sqlite3.connect(self.warehouse)
        try:
            found = connection.execute("SELECT email, member, plan, orders FROM people").fetchall()
        except sqlite3.OperationalError:
            return {}
        finally:
            connection.close()
        return {email.partition("@")[0]: (bool(member), *traits) for email, member, *traits in found}

    def read(self, path: str, **given: str) -> Any:
        headers = {"Authorization": f"Bearer {self.keys['api_key']}"}
        url = f"{self.now.api}/api/v1/{path}"
        return httpx.get(url, params={"purpose": "support", **given}, headers=headers, trust_env=False).json()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    with served(made.root, WH_URL=made.url) as made.now:
        yield made


def told(receiver: Receiver) -> list[tuple[str, str, dict[str, str]]]:
    bodies = [json.loads(request.body) for request in receiver.requests]
    return [(one.get("userId"), one["event"], one["context"].get("traits", {})) for one in bodies]


def changes_go_to_every_kind_of_system(world: World) -> None:
    world.buys("ann")
    world.says("ann", "gold")
    world.says("bob", "gold")
    rows = {"ann": (True, "gold", "1"), "bob": (True, "gold", "0")}
    until(lambda: world.table() == rows, "two rows")

    with Receiver(lambda _: answer(200)) as receiver:
        world.define("destinations/crm", HOOK.format(url=receiver.url()))
        world.name("wh", "drop", "crm")
        world.apply()
        until(lambda: len(receiver.requests) == 2, "the present members")
        assert sorted(told(receiver), key=str) == [
            (one, "Audience Entered", {"email": f"{one}@example.org", "plan": "gold"})
            for one in ("ann", "bob")
        ]

        world.says("ann", "free")
        until(lambda: len(receiver.requests) == 3, "her leaving")
        assert told(receiver)[2] == ("ann", "Audience Exited", {"email": "ann@example.org", "plan": "free"})
        until(lambda: world.table()["ann"] == (False, "free", "1"), "her row")

        world.define("destinations/crm", HOOK.format(url=receiver.url()) + "paused: true\n")
        world.apply()
        paused = lambda: next(  # noqa: E731
            one for one in world.json("destination", "list") if one["name"] == "crm"
        )
        world.says("bob", "free")
        until(lambda: paused()["waiting"] == 1, "what waits")
        assert paused()["paused"] and len(receiver.requests) == 3
        world.define("destinations/crm", HOOK.format(url=receiver.url()))
        world.apply()
        until(lambda: len(receiver.requests) == 4, "what waited")
        assert told(receiver)[3][:2] == ("bob", "Audience Exited")

        tried = world.json("destination", "test", "crm")
        assert tried["answer"]["outcome"] == "delivered" and tried["sent"][0].startswith("POST http")
        assert told(receiver)[4][:2] == ("cauce-test", "Cauce Test")

    ledger = world.json("delivery", "list", "--person", "user_id:ann")
    done = {(one["destination"], one["change"], one["state"]) for one in ledger}
    assert done == {
        ("wh", "entered", "delivered"),
        ("wh", "left", "delivered"),
        ("crm", "entered", "delivered"),
        ("crm", "left", "delivered"),
        ("drop", "entered", "queued"),
        ("drop", "left", "queued"),
    }
    assert {one["profile_id"] for one in ledger} == {ledger[0]["profile_id"]}
    page = world.read("deliveries", person="email:ann@example.org")
    assert {one["id"] for one in page["data"]} == {one["id"] for one in ledger}


def systems_are_looked_at_and_tried(world: World) -> None:
    assert [one["name"] for one in world.read("destinations")["data"]][-2:] == ["drop", "wh"]
    shown = world.json("destination", "show", "drop")
    assert (
        shown == world.read("destinations/drop") and shown["kind"] == "file" and shown["run"]["number"] == 0
    )
    assert world.json("destination", "test", "drop")["answer"]["outcome"] == "delivered"
    assert list((world.root / "exports/drop").iterdir()) == []
    assert world.json("destination", "test", "wh")["answer"]["outcome"] == "delivered"
    assert "cauce-test" not in str(world.table())
    wrong = cauce("destination", "show", "dorp", "--space", world.root)
    assert wrong.code != 0 and "Did you mean drop?" in wrong.err
    assert "wh" in succeed("destination", "list", "--space", world.root).out


def what_waits_for_a_removed_system_is_dropped(world: World) -> None:
    (world.root / "definitions/destinations/drop.yaml").unlink()
    (world.root / "definitions/destinations/crm.yaml").unlink(missing_ok=True)
    world.name("wh")
    world.apply()
    dropped = until(lambda: world.json("delivery", "list", "--state", "dropped"), "what was dropped")
    assert {(one["destination"], one["error"]) for one in dropped} == {
        ("drop", "the destination was removed")
    }
    assert len(dropped) == 4


def test_systems_are_added_told_looked_at_and_removed(world: World) -> None:
    changes_go_to_every_kind_of_system(world)
    systems_are_looked_at_and_tried(world)
    what_waits_for_a_removed_system_is_dropped(world)
