"""A space on PostgreSQL from its first day, and one that moves there and back, as their users see it."""

import json
from pathlib import Path

import pytest

from tests.faults.webhook_receiver import Receiver
from tests.services.postgres import Place
from tests.story.command import cauce, succeed
from tests.story.serving import Served, send, served, until

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
SEGMENT = """
key: golden
owner: sales@example.org
rule: "trait('plan') = 'gold'"
destinations: [crm]
"""
DESTINATION = """\
name: crm
owner: sales@example.org
kind: webhook
url: {url}
secret: env:CRM_SECRET
allow_private: true
"""
SECRET = {"CRM_SECRET": "open-sesame"}


def space_of(folder: Path, receiver: Receiver, **variables: str) -> tuple[Path, str]:
    """A space with a segment that tells a webhook, and its write key."""
    root = folder / "space"
    key = succeed("init", root, "--json", **variables).json["write_key"]
    (root / "definitions/segments/golden.yaml").write_text(SEGMENT)
    (root / "definitions/destinations/crm.yaml").write_text(DESTINATION.format(url=receiver.url()))
    (folder / "contacts.csv").write_text(CONTACTS)
    (folder / "mapping.yaml").write_text(MAPPING)
    return root, key


def entered(receiver: Receiver) -> list[str]:
    """Who entered, as the receiver was told."""
    return [json.loads(one.body)["userId"] for one in receiver.requests]


def golden(serving: Served, key: str, user: str) -> None:
    """Somebody becomes golden."""
    told = send(serving.collector, key, {"type": "identify", "userId": user, "traits": {"plan": "gold"}})
    assert told.status_code == 200


def test_a_space_on_postgresql(tmp_path: Path, postgres: Place) -> None:
    with Receiver() as receiver:
        variables = postgres.variables
        root, key = space_of(tmp_path, receiver, **variables)
        with served(root, **variables, **SECRET) as serving:
            mapping = ("--mapping", tmp_path / "mapping.yaml", "--space", root)
            brought = succeed("import", tmp_path / "contacts.csv", *mapping, "--json", **variables).json
            assert brought["accepted"] == 3
            golden(serving, key, "ann")
            until(lambda: len(entered(receiver)) >= 3, "the webhook to be told")
            assert sorted(entered(receiver)) == ["1", "3", "ann"]
            shown = succeed("segment", "members", "golden", "--json", "--space", root, **variables)
            assert len(shown.json) == 3
            again = succeed("import", tmp_path / "contacts.csv", *mapping, "--json", **variables).json
            assert again["duplicate"] == 3
        assert not list(root.glob("*.db*")), "nothing is kept in files but what is sealed"
        assert "moved" not in cauce("doctor", "--space", root, **variables).err


def test_a_space_that_moves_to_postgresql_and_back(tmp_path: Path, postgres: Place) -> None:
    with Receiver() as receiver:
        variables = postgres.variables
        root, key = space_of(tmp_path, receiver)
        with served(root, **SECRET) as serving:
            golden(serving, key, "ann")
            until(lambda: entered(receiver) == ["ann"], "the webhook to be told")
            busy = cauce("migrate", "--to", postgres.url, "--schema", postgres.schema, "--space", root)
            assert busy.code == 4
            assert "served already" in busy.err
        to = ("migrate", "--to", postgres.url, "--schema", postgres.schema, "--space", root)
        moved = succeed(*to, "--json").json
        assert moved["tables"]["log.event"]["rows"] == 1
        assert moved["tables"]["state.delivery"]["rows"] == 1
        assert "not-a-secret" not in json.dumps(moved)
        with served(root, **variables, **SECRET) as serving:
            golden(serving, key, "bob")
            until(lambda: len(entered(receiver)) >= 2, "the webhook to be told")
        told = succeed("migrate", "--to", "sqlite", "--replace", "--space", root, **variables)
        assert "rows moved and compared" in told.out
        with served(root, **SECRET) as serving:
            golden(serving, key, "eve")
            until(lambda: len(entered(receiver)) >= 3, "the webhook to be told")
        assert entered(receiver) == ["ann", "bob", "eve"]
        assert "moved away from the schema" in cauce("log", "stats", "--space", root, **variables).err


@pytest.mark.parametrize("to", ["", "mysql://x", "postgresql"])
def test_a_place_that_is_none_is_refused(tmp_path: Path, to: str) -> None:
    root = tmp_path / "space"
    succeed("init", root)
    refused = cauce("migrate", "--to", to, "--space", root)
    assert refused.code == 2
    assert "postgresql://" in refused.err
