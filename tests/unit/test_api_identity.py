"""What the API answers of identity: why, the feed of moves, graphs and external ids, also to rubbish."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cauce.app.compose import Composition
from cauce.govern.keys import KeyStore
from cauce.vocabulary.moment import DAY, Moment, to_iso
from tests.unit.test_api import served
from tests.unit.test_identity_why import EVENTS, START, made, people

SUPPORT = {"purpose": "support"}
NOW = Moment(START + 100 * DAY)


@pytest.fixture(scope="module")
def composition(tmp_path_factory: pytest.TempPathFactory) -> Composition:
    folder: Path = tmp_path_factory.mktemp("identity")
    return made(folder, EVENTS)


@pytest.fixture(scope="module")
def client(composition: Composition) -> Iterator[httpx.Client]:
    key = KeyStore(composition.control).issue_api_key("reader", ["read"], now=NOW).secret
    with served(composition, key, lambda: NOW) as client:
        yield client


def why(client: httpx.Client, one: str, other: str, **asked: str) -> httpx.Response:
    return client.get("/api/v1/identity/why", params={**SUPPORT, "one": one, "other": other, **asked})


def test_why_is_answered_now_and_as_of_a_date(client: httpx.Client) -> None:
    now = why(client, "user_id:ann", "anonymous_id:tablet").json()
    assert (now["verdict"], now["obstacles"][0]["reason"]) == ("two_people", "limit")
    assert now["obstacles"][0]["kept"]["sources"][0]["first_event"]["message_id"] == "m4"
    assert {one["message"]: one["works"] for one in now["changes"]}["change.raise_limit"] is True
    then = why(client, "user_id:ann", "anonymous_id:tablet", as_of=to_iso(Moment(START + 3 * DAY))).json()
    assert then["verdict"] == "one_person"
    quick = why(client, "user_id:ann", "anonymous_id:tablet", events="false").json()
    assert quick["obstacles"][0]["kept"]["sources"][0]["first_event"] is None


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"one": "user_id:ann"}, 400),
        ({"one": "user_id", "other": "user_id:ann"}, 400),
        ({"one": "user_id:ann", "other": "user_id:ann", "as_of": "yesterday"}, 400),
        ({"one": "user_id:ann", "other": "user_id:\x00ñ"}, 200),
    ],
)
def test_rubbish_is_refused_with_a_problem(client: httpx.Client, asked: dict[str, str], status: int) -> None:
    found = client.get("/api/v1/identity/why", params={**SUPPORT, **asked})
    assert found.status_code == status
    assert client.get("/api/v1/identity/why", params={**asked, "purpose": "fun"}).status_code in (400, 403)
    assert client.get("/api/v1/identity/why", params=asked, headers={"Authorization": ""}).status_code == 401


def test_the_feed_of_moves_replayed_page_by_page_gives_the_people(
    client: httpx.Client, composition: Composition
) -> None:
    found: dict[str, str] = {}
    cursor = "0"
    while cursor:
        page = client.get("/api/v1/identity/moves", params={**SUPPORT, "cursor": cursor, "limit": "2"}).json()
        for move in page["data"]:
            assert found.get(move["identifier"]) == move["former_profile_id"]
            found[move["identifier"]] = move["profile_id"]
        cursor = page["cursor"]["next"]
    assert found == people(composition)
    assert client.get("/api/v1/identity/moves").status_code == 400


def test_a_graph_and_external_ids_by_any_identifier(client: httpx.Client) -> None:
    graph = client.get("/api/v1/profiles/email:Ann%40x.example/graph", params=SUPPORT).json()
    assert {one["standing"] for one in graph["identifiers"]} == {"anchor", "member", "other_person"}
    assert [link["reason"]["reason"] for link in graph["links"] if not link["held"]] == ["limit", "limit"]
    path = "/api/v1/profiles/user_id:bob/external_ids"
    first = client.get(path, params={**SUPPORT, "limit": "2"}).json()
    assert first["cursor"] == {"url": path, "has_more": True, "next": "2", "limit": 2}
    rest = client.get(path, params={**SUPPORT, "next": first["cursor"]["next"]}).json()
    assert rest["data"] == [
        {
            "source_id": "web",
            "collection": "users",
            "id": "tablet",
            "type": "anonymous_id",
            "created_at": "2024-05-02T10:00:00.000Z",
            "encoding": "none",
            "first_message_id": "m1",
        }
    ]
    assert not rest["cursor"]["has_more"]
    for unknown in ("graph", "external_ids"):
        assert client.get(f"/api/v1/profiles/user_id:x/{unknown}", params=SUPPORT).status_code == 404
