"""The API over a real space: made, fed through the log, folded, and asked over HTTP."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from threading import Event, Thread
from time import monotonic, sleep

import httpx
import pytest
import uvicorn

from cauce.activate.deliverer import Deliverer
from cauce.activate.destinations import ready
from cauce.activate.settings import ActivateSettings
from cauce.app.api import create_api
from cauce.app.compose import Composition
from cauce.app.follow_definitions import follow_definitions
from cauce.app.new_space import make_space
from cauce.app.worker import Worker
from cauce.govern.keys import KeyRing, KeyStore
from cauce.vocabulary.event import Accepted, Call, Refused
from cauce.vocabulary.moment import DAY, Moment, parse_iso, to_iso
from tests.faults.webhook_receiver import Receiver, answer

NOW = parse_iso("2026-03-01T12:00:00Z")
SUPPORT = {"purpose": "support"}


def track(name, number, at=NOW, call=Call.TRACK, **body):
    content = {"type": call, "messageId": f"m{number}", "timestamp": to_iso(at), **body}
    if call is Call.TRACK:
        content["event"] = name
    return Accepted(
        message_id=f"m{number}",
        time=at,
        call=call,
        name=name,
        source="web",
        body=json.dumps(content).encode(),
    )


EVENTS = [
    track("Product Added", 1, NOW - 2 * DAY, anonymousId="a/1"),
    track(
        "", 2, NOW - DAY, Call.IDENTIFY, userId="u1", anonymousId="a/1", traits={"email": "Ann@example.org"}
    ),
    track("", 3, NOW, Call.IDENTIFY, userId="u1", traits={"email": "ann@new.example", "visits": 1.10}),
    *[track("Order Completed", 10 + n, userId=f"b{n}") for n in range(5)],
]


@pytest.fixture(scope="module")
def receiver():
    with Receiver(lambda _: answer(404)) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def composition(tmp_path_factory, receiver):
    root = tmp_path_factory.mktemp("api") / "space"
    make_space(root, now=NOW)
    (root / "secret").write_text("whsec")
    (root / "definitions/destinations/crm.yaml").write_text(
        "name: crm\nowner: o\nkind: webhook\nsecret: file:secret\nallow_private: true\n"
        f"url: {receiver.url()}\n"
    )
    buyers = root / "definitions/segments/recent_buyers.yaml"
    buyers.write_text(buyers.read_text() + "destinations: [crm]\n")
    composition = Composition(root)
    refused = Refused(reason="not_json", detail="The body is no JSON.", source="web", body=b"{\xff")
    composition.log.append(EVENTS, [refused], now=NOW)
    follow_definitions(composition.pipeline, composition.log, composition.normalization)
    worker = Worker(composition.pipeline, composition.log, composition.normalization, lambda: NOW)
    while worker.step():
        pass
    return composition


@pytest.fixture(scope="module")
def keys(composition):
    store = KeyStore(composition.control)
    return {
        "reader": store.issue_api_key("reader", ["read"], now=NOW).secret,
        "writer": store.issue_api_key("writer", ["write"], now=NOW).secret,
        "source": store.issue_write_key("web", now=NOW).secret,
    }


@contextmanager
def served(composition, key, clock):
    """A client of the API, which runs during the block."""
    app = create_api(composition, KeyRing(composition.control, monotonic), clock)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", ws="none"))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = Thread(target=server.run, args=([listener],))
    thread.start()
    until(lambda: server.started)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def client(composition, keys):
    with served(composition, keys["reader"], lambda: NOW) as client:
        yield client


def test_a_profile_is_found_by_any_identifier_and_says_where_values_come_from(client):
    one = client.get("/api/v1/profiles/user_id:u1", params=SUPPORT)
    assert one.status_code == 200 and one.headers["content-type"] == "application/json"
    person = one.json()
    assert {"type": "email", "value": "ann@example.org"} in person["identifiers"]
    assert person["traits"]["email"] == {
        "value": "ann@new.example",
        "source": "web",
        "time": "2026-03-01T12:00:00.000Z",
        "received": "2026-03-01T12:00:00.000Z",
        "message_id": "m3",
    }
    assert set(person["segments"]) == {"left_the_cart"} and "why" not in person
    for other in (
        "email:ANN@new.example",
        "email:ann%40example.org",
        "anonymous_id:a/1",
        "anonymous_id:a%2F1",
    ):
        assert client.get(f"/api/v1/profiles/{other}", params=SUPPORT).json() == person


def test_a_profile_that_is_read_slowly_holds_nobody_up(composition, keys):
    begun, go_on = Event(), Event()

    def slow_clock():
        begun.set()
        go_on.wait(20)
        return NOW

    with served(composition, keys["reader"], slow_clock) as client, ThreadPoolExecutor(1) as aside:
        slow = aside.submit(client.get, "/api/v1/profiles/user_id:u1", params=SUPPORT, timeout=30)
        try:
            assert begun.wait(10)
            assert client.get("/health", timeout=5).json() == {"status": "ok"}
            assert not slow.done()
        finally:
            go_on.set()
        assert slow.result().status_code == 200


def test_why_says_which_values_lost(client):
    why = client.get("/api/v1/profiles/user_id:u1", params={**SUPPORT, "why": "true"}).json()["why"]
    assert why["email"]["rule"] == "newest"
    assert [value["value"] for value in why["email"]["lost"]] == ["Ann@example.org"]


def test_exact_numbers_stay_exact(client):
    assert b'"value":1.1,' in client.get("/api/v1/profiles/user_id:u1", params=SUPPORT).content


def test_segments_with_their_sizes(client):
    found = {one["key"]: one for one in client.get("/api/v1/segments").json()["data"]}
    assert {key: one["members"] for key, one in found.items()} == {"left_the_cart": 1, "recent_buyers": 5}
    assert found["recent_buyers"]["destinations"] == ["crm"]
    assert client.get("/api/v1/segments/recent_buyers").json() == found["recent_buyers"]


def test_members_page_by_page(client):
    seen, cursor, pages = [], "0", 0
    while cursor is not None:
        page = client.get(
            "/api/v1/segments/recent_buyers/members", params={**SUPPORT, "limit": 2, "cursor": cursor}
        ).json()
        seen += [one["identifiers"][0]["value"] for one in page["data"]]
        cursor, pages = page["cursor"]["next"], pages + 1
        assert page["cursor"]["has_more"] == (cursor is not None)
    assert pages == 3 and sorted(seen) == ["b0", "b1", "b2", "b3", "b4"]


def test_why_a_person_is_in_a_segment(client):
    path = "/api/v1/segments/left_the_cart/why/user_id:u1"
    found = client.get(path, params=SUPPORT).json()
    assert found["member"] and found["reason"]["holds"] and found["at"] == "2026-03-01T12:00:00.000Z"
    assert len(found["reason"]["reasons"]) == 2
    later = client.get(path, params={**SUPPORT, "at": "2026-04-01"}).json()
    assert later["member"] and not later["reason"]["holds"]


def test_positions_and_quarantine(client):
    assert client.get("/api/v1/positions").json() == {
        "head": 8,
        "folded": 8,
        "lag": 0,
        "behind_seconds": None,
        "quarantine": {"not_json": 1},
    }
    page = client.get("/api/v1/quarantine", params=SUPPORT).json()
    assert [(one["reason"], one["body"]) for one in page["data"]] == [("not_json", "{\\xff")]
    assert page["cursor"] == {"next": None, "has_more": False, "limit": 100}


def deliver(composition):
    destinations = ready(
        composition.definitions.destinations.values(), environment={}, folder=composition.space.root
    )
    settings, stop = ActivateSettings(poll_seconds=0.01), Event()
    deliverer = Deliverer(composition.state, destinations, lambda: Moment(NOW + 1), Random(1), settings)
    thread = Thread(target=deliverer.run, args=(stop,))
    thread.start()
    return lambda: (stop.set(), deliverer.wake(), thread.join())


def until(true):
    deadline = monotonic() + 10
    while not true():
        assert monotonic() < deadline
        sleep(0.01)


def test_dead_letters_are_listed_and_replayed(client, composition, keys, receiver):
    def dead():
        return client.get("/api/v1/deliveries", params={**SUPPORT, "state": "dead"}).json()["data"]

    stop = deliver(composition)
    until(lambda: len(dead()) == 5)
    stop()
    one = dead()[0]
    assert (one["destination"], one["segment"], one["change"]) == ("crm", "recent_buyers", "entered")
    assert (one["status"], one["error"], one["attempts"]) == (404, "answered 404", 1)
    told = client.get(f"/api/v1/deliveries/{one['id']}", params=SUPPORT).json()
    assert told["body"]["messageId"] == one["id"]
    assert [receipt["outcome"] for receipt in told["receipts"]] == ["refused"]
    first = client.get("/api/v1/deliveries", params={**SUPPORT, "limit": 3}).json()
    rest = client.get("/api/v1/deliveries", params={**SUPPORT, "cursor": first["cursor"]["next"]}).json()
    assert len({row["id"] for row in first["data"] + rest["data"]}) == 5

    writer = {"Authorization": f"Bearer {keys['writer']}"}
    post = f"/api/v1/deliveries/{one['id']}/replay"
    assert client.post(post, params=SUPPORT).json()["code"] == "not_allowed"
    assert client.post(post, params=SUPPORT, headers=writer).json() == {"queued": 1, "superseded": 0}
    assert client.post(post, params=SUPPORT, headers=writer).status_code == 404
    every = "/api/v1/deliveries/replay"
    assert client.post(every, params=SUPPORT, headers=writer).status_code == 400
    ads = client.post(every, params={**SUPPORT, "destination": "ads"}, headers=writer)
    assert ads.json() == {"queued": 0, "superseded": 0}
    assert client.post(every, params={**SUPPORT, "all": True}, headers=writer).json()["queued"] == 4
    assert dead() == []


def test_metrics_name_no_person(client):
    client.get("/api/v1/profiles/email:nobody@nowhere.example", params=SUPPORT)
    text = client.get("/api/v1/metrics").text
    assert text == text.strip() + "\n"
    for line in (
        "cauce_log_head 8",
        "cauce_log_folded 8",
        'cauce_quarantined_inputs{reason="not_json"} 1',
        'cauce_segment_members{segment="recent_buyers"} 5',
        'cauce_api_requests_total{route="/profiles/{identifier:path}",status="404"} ',
        'cauce_api_request_seconds_bucket{route="/profiles/{identifier:path}",le="+Inf"} ',
    ):
        assert line in text
    assert "nobody" not in text and "example" not in text and "u1" not in text
    assert client.get("/metrics").status_code == 200


def test_health_needs_no_key(client):
    for path in ("/health", "/api/v1/health"):
        assert client.get(path, headers={"Authorization": ""}).json() == {"status": "ok"}


PROTECTED = ["profiles/user_id:u1", "segments", "segments/recent_buyers/members", "positions", "log/files"]


@pytest.mark.parametrize(
    "path", [*PROTECTED, "quarantine", "deliveries", "metrics", "segments/left_the_cart/why/user_id:u1"]
)
def test_nothing_else_is_read_without_a_key_that_may_read(client, keys, path):
    for key in ("", "Bearer", "Bearer wrong", f"Bearer {keys['source']}", f"Basic {keys['reader']}"):
        refused = client.get(f"/api/v1/{path}", params=SUPPORT, headers={"Authorization": key})
        assert (refused.status_code, refused.json()["code"]) == (401, "unknown_key")
        assert refused.headers["www-authenticate"] == "Bearer"
    writer = {"Authorization": f"Bearer {keys['writer']}"}
    assert client.get(f"/api/v1/{path}", params=SUPPORT, headers=writer).status_code == 403


PERSONAL = ["profiles/user_id:u1", "segments/recent_buyers/members", "quarantine", "deliveries"]


@pytest.mark.parametrize("path", [*PERSONAL, "segments/left_the_cart/why/user_id:u1"])
def test_personal_data_is_read_for_a_declared_purpose_only(client, path):
    missing = client.get(f"/api/v1/{path}")
    assert missing.status_code == 400 and "purpose: Field required" in missing.json()["detail"]
    wrong = client.get(f"/api/v1/{path}", params={"purpose": "suport"})
    assert wrong.status_code == 403 and "Did you mean support?" in wrong.json()["hint"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("profiles/user_id:nobody", 404, "not_found"),
        ("profiles/nothing", 400, "invalid_input"),
        ("segments/recent_byers", 404, "not_found"),
        ("segments/recent_byers/members", 404, "not_found"),
        ("segments/recent_buyers/members?cursor=x", 400, "invalid_input"),
        ("segments/recent_buyers/members?limit=0", 400, "invalid_input"),
        ("segments/recent_buyers/why/user_id:u1?at=tomorrow", 400, "invalid_input"),
        ("quarantine?cursor=-1", 400, "invalid_input"),
        ("deliveries?state=lost", 400, "invalid_input"),
        ("deliveries/unknown", 404, "not_found"),
        ("nowhere", 404, "not_found"),
    ],
)
def test_what_is_wrong_is_said_as_a_problem(client, path, status, code):
    problem = client.get(f"/api/v1/{path}", params=SUPPORT if "?" not in path else None)
    if "?" in path:
        problem = client.get(f"/api/v1/{path}&purpose=support")
    assert problem.headers["content-type"] == "application/problem+json"
    document = problem.json()
    assert (problem.status_code, document["status"], document["code"]) == (status, status, code)
    assert document["detail"] and document["hint"] and document["title"] and document["type"]


def test_a_wrong_method_is_a_problem_too(client):
    refused = client.delete("/api/v1/segments")
    assert refused.status_code == 405 and refused.json()["code"] == "method_not_allowed"
    assert refused.headers["allow"] == "GET"


def test_the_openapi_document_describes_answers_and_problems(client):
    document = client.get("/api/v1/openapi.json").json()
    schemas = document["components"]["schemas"]

    def refer(node):
        if isinstance(node, dict):
            yield from [node["$ref"]] if "$ref" in node else []
            for inner in node.values():
                yield from refer(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from refer(inner)

    names = {ref.removeprefix("#/components/schemas/") for ref in refer(document)}
    assert names and names <= set(schemas)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"], path
    assert document["paths"]["/api/v1/profiles/{identifier}"]["get"]["security"] == [{"HTTPBearer": []}]


def test_refused_input_is_repaired_and_replayed(client, keys):
    writer = {"Authorization": f"Bearer {keys['writer']}"}
    [refused] = client.get("/api/v1/quarantine", params=SUPPORT).json()["data"]
    one = f"/api/v1/quarantine/{refused['number']}"
    assert client.get(one, params=SUPPORT).json() == refused
    asked = {"reason": "not_json", "repair": {"set": {"userId": "u1"}}, "dry_run": True}
    assert client.post("/api/v1/quarantine/replay", params=SUPPORT, json=asked).status_code == 403
    tried = client.post("/api/v1/quarantine/replay", params=SUPPORT, json=asked, headers=writer).json()
    assert (tried["inputs"], tried["replayed"], tried["refused"]) == (1, 0, {"invalid_utf8": 1})
    right = b'{"type": "track", "userId": "u1", "event": "Paid", "properties": {"total": 19.90}}'
    dry = {**SUPPORT, "dry_run": True}
    done = client.post(f"{one}/replay", params=dry, content=right, headers=writer).json()
    assert (done["accepted"], done["examples"][0]["events"]) == (1, [right.decode()])
    nothing = client.post("/api/v1/quarantine/discard", params=SUPPORT, json={"reason": "x"}, headers=writer)
    assert nothing.json() == {"discarded": 0}
    assert client.get(one, params=SUPPORT).json() == refused
    gone = client.post("/api/v1/quarantine/999/replay", params=SUPPORT, content=right, headers=writer)
    assert gone.status_code == 404


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"numbers": ["x"]}', b"{}", b'{"repair": {"sett": 1}}', b"\xff"]
)
@pytest.mark.parametrize("act", ["replay", "discard"])
def test_a_replay_that_names_nothing_or_rubbish_is_refused(client, act, body):
    refused = client.post(f"/api/v1/quarantine/{act}", params=SUPPORT, content=body)
    assert refused.status_code == 400, refused.text
