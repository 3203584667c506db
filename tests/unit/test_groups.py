"""Groups: who belongs to them, what is known of them, and who may read that."""

import asyncio
import json
from pathlib import Path
from time import monotonic

import httpx
import pytest

from cauce.app.api import create_api
from cauce.app.cli.output import COMMAND_LINE
from cauce.app.compose import Composition
from cauce.app.follow_definitions import follow_definitions
from cauce.app.group_view import as_json, view_group
from cauce.app.new_space import make_space
from cauce.app.profile_view import view_profile
from cauce.app.worker import Worker
from cauce.govern.keys import KeyRing, KeyStore
from cauce.vocabulary.access import OPERATIONS, Purpose
from cauce.vocabulary.errors import NotAllowed, NotFound
from cauce.vocabulary.event import Accepted, Call, group_of
from cauce.vocabulary.moment import DAY, Moment, parse_iso, to_iso

NOW = parse_iso("2026-03-01T12:00:00Z")
READ = {"purpose": Purpose(OPERATIONS), "viewer": COMMAND_LINE}


def told(number: int, call: Call, age: int, source: str = "web", **body: object) -> Accepted:
    content = {"type": call, "messageId": f"m{number}", **body}
    time = Moment(NOW - age * DAY)
    name = str(body.get("event", ""))
    encoded = json.dumps(content).encode()
    return Accepted(message_id=f"m{number}", time=time, call=call, name=name, source=source, body=encoded)


EVENTS = [
    told(1, Call.GROUP, 9, anonymousId="d1", groupId="acme", traits={"name": "Acme", "plan": "free"}),
    told(2, Call.GROUP, 5, "crm", userId="u2", groupId="acme", traits={"plan": "pro", "name": None}),
    told(3, Call.TRACK, 3, userId="u3", event="Order", context={"groupId": "acme"}),
    told(4, Call.TRACK, 2, userId="u3", event="Order", context={"groupId": "other/one"}),
    told(5, Call.GROUP, 2, userId="none", groupId="lonely", traits={"name": "Lonely"}),
]


@pytest.fixture
def composition(tmp_path: Path):
    make_space(tmp_path / "space", now=NOW)
    composition = Composition(tmp_path / "space")
    follow_definitions(composition.pipeline, composition.log, composition.normalization)
    fold(composition, EVENTS)
    yield composition
    for store in (composition.log, composition.state, composition.control):
        store.close()


def fold(composition: Composition, events: list[Accepted]) -> None:
    composition.log.append(events, [], now=NOW)
    worker = Worker(composition.pipeline, composition.log, composition.normalization, lambda: NOW)
    while worker.step():
        pass


def test_a_group_has_a_golden_record_and_members(composition: Composition) -> None:
    shown = as_json(view_group(composition, " acme ", why=True, **READ))
    assert {name: value["value"] for name, value in shown["traits"].items()} == {"plan": "pro"}
    assert shown["traits"]["plan"]["source"] == "crm"
    assert [one["value"] for one in shown["why"]["plan"]["lost"]] == ["free"]
    assert [one["value"] for one in shown["why"]["name"]["lost"]] == ["Acme"]
    since = {one["identifiers"][0]["value"]: one["since"] for one in shown["members"]}
    assert since == {age[0]: to_iso(Moment(NOW - age[1] * DAY)) for age in (("d1", 9), ("u2", 5), ("u3", 3))}


def test_whom_nobody_is_still_tells_about_a_group(composition: Composition) -> None:
    lonely = view_group(composition, "lonely", **READ)  # the user id "none" is blocked
    assert lonely.traits["name"].value == "Lonely"
    assert lonely.members == []


def test_members_follow_the_people_they_become(composition: Composition) -> None:
    fold(composition, [told(9, Call.IDENTIFY, 1, userId="u2", anonymousId="d1")])
    members = view_group(composition, "acme", **READ).members
    assert [one.since for one in members if ("user_id", "u2") in one.identifiers] == [NOW - 9 * DAY]
    assert len(members) == 2
    person = view_profile(composition, "user_id:u2", at=NOW, **READ).profile
    assert {group: one.since for group, one in person.groups.items()} == {"acme": NOW - 9 * DAY}
    assert person.groups["acme"].traits["plan"].value == "pro"
    assert "plan" not in person.traits


def test_groups_are_listed_and_paged(composition: Composition) -> None:
    assert composition.groups.ids(**READ) == ["acme", "lonely", "other/one"]
    assert composition.groups.ids(**READ, after="acme", limit=1) == ["lonely"]
    page = view_group(composition, "acme", **READ, limit=2)
    assert len(page.members) == 2 and page.more_members


def test_reading_needs_a_purpose_and_an_event(composition: Composition) -> None:
    with pytest.raises(NotFound):
        view_group(composition, "nowhere", **READ)
    for read in (
        lambda: view_group(composition, "acme", purpose=Purpose("gossip"), viewer=COMMAND_LINE),
        lambda: composition.groups.ids(purpose=Purpose("gossip"), viewer=COMMAND_LINE),
    ):
        with pytest.raises(NotAllowed):
            read()


def test_the_api_shows_groups(composition: Composition) -> None:
    secret = KeyStore(composition.control).issue_api_key("reader", ["read"], now=NOW).secret
    app = create_api(composition, KeyRing(composition.control, monotonic), lambda: NOW)
    paths = ["groups", "groups/other/one", "groups/nowhere", "profiles/user_id:u3"]

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://x/api/v1/", headers=headers
        ) as client:
            found = [await client.get(path, params={"purpose": "operations"}) for path in paths]
            return [*found, await client.get("groups/acme")]

    groups, other, nowhere, person, purposeless = asyncio.run(ask())
    assert groups.json() == {"data": ["acme", "lonely", "other/one"]}
    assert [one["identifiers"][0]["value"] for one in other.json()["members"]] == ["u3"]
    assert nowhere.status_code == 404
    assert set(person.json()["groups"]) == {"acme", "other/one"}
    assert 400 <= purposeless.status_code < 500


@pytest.mark.parametrize(
    ("body", "call", "expected"),
    [
        ({"groupId": 7}, Call.GROUP, "7"),
        ({"groupId": "\uff21cme "}, Call.GROUP, "Acme"),
        ({"context": {"groupId": "g"}}, Call.TRACK, "g"),
        ({"groupId": "g"}, Call.TRACK, ""),
        ({"context": {"groupId": "g" * 501}}, Call.TRACK, ""),
        ({"context": {"groupId": "g" * 500}}, Call.TRACK, "g" * 500),
        ({"context": {"groupId": ["g"]}}, Call.TRACK, ""),
        ({"context": {"groupId": True}}, Call.TRACK, ""),
        ({"context": "g"}, Call.TRACK, ""),
        ({"context": {"groupId": "  "}}, Call.PAGE, ""),
    ],
)
def test_the_group_that_an_event_names(body: dict, call: Call, expected: str) -> None:
    assert group_of(body, call) == expected
