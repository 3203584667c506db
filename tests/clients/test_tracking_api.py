"""The tracking API over real HTTP: the rows of ``field.md`` 2.1 as a table, and what lies behind them."""

import gzip
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import uuid4

import httpx
import pytest

from tests.clients.collector_process import SOURCE, RunningCollector

LONG = "x" * (33 * 1024)
MANY = {str(number): number for number in range(301)}


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCollector]:
    with RunningCollector(tmp_path_factory.mktemp("spaces") / "space") as running:
        yield running


@pytest.fixture(scope="module")
def client(collector: RunningCollector) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=collector.url, auth=(collector.key, "")) as made:
        yield made


def track(**fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Order Completed", "userId": "ann", "messageId": str(uuid4())} | fields


def stored(collector: RunningCollector, message_id: str) -> list[Any]:
    return [event for event in collector.logged() if event.message_id == message_id]


def many(count: int) -> dict[str, Any]:
    return {"batch": [{"type": "track", "event": "e", "userId": "u", "messageId": str(uuid4())}] * count}


ROWS = [
    # what is sent, where, the answer, the reason in quarantine
    ("accepted", "/v1/track", track(), 200, None),
    ("event over 32 KB", "/v1/track", track(properties={"text": LONG}), 400, "event_too_large"),
    ("batch over 500 KB", "/v1/batch", {"batch": [track(t=LONG[:30_000])] * 18}, 400, "body_too_large"),
    ("bad JSON", "/v1/track", b'{"userId": "ann", ', 400, "malformed_json"),
    ("bad JSON, batch", "/v1/batch", b'{"batch": [', 400, "malformed_json"),
    ("batch over 2,500 events", "/v1/batch", many(2_501), 200, "batch_too_long"),
    ("2,500 events", "/v1/batch", many(2_500), 200, None),
    ("neither userId nor anonymousId", "/v1/track", {"event": "e"}, 200, "no_user_anon_id"),
    ("track without event", "/v1/track", {"userId": "ann"}, 200, "no_event_name"),
    ("groupId over 500", "/v1/group", {"userId": "ann", "groupId": "g" * 501}, 200, "identifier_too_long"),
    ("groupId empty", "/v1/group", {"userId": "ann", "groupId": ""}, 200, "no_group_id"),
    ("context.groupId empty", "/v1/track", track(context={"groupId": ""}), 200, "empty_context_group_id"),
    ("over 300 properties", "/v1/track", track(properties=MANY), 200, "too_many_properties"),
    ("over 300 traits", "/v1/identify", {"userId": "a", "traits": MANY}, 200, "too_many_properties"),
    ("messageId over 100", "/v1/track", track(messageId="m" * 101), 200, "message_id_too_long"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS]
)
def test_response_codes(
    collector: RunningCollector, client: httpx.Client, path: str, body: Any, status: int, reason: str | None
) -> None:
    before = collector.reasons()
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post(path, content=content)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "*"
    if status == 200:
        assert answer.json() == {"success": True}
    else:
        assert set(answer.json()) == {"success", "code", "message"}
        assert answer.json()["code"] == reason
    assert collector.reasons()[len(before) :] == ([reason] if reason else [])


CALLS: dict[str, dict[str, Any]] = {
    "identify": {"userId": "ann", "traits": {"email": "ann@example.org"}},
    "track": {"userId": "ann", "event": "Order Completed"},
    "page": {"anonymousId": "browser-1", "name": "Home"},
    "screen": {"anonymousId": "phone-1", "name": "Home"},
    "group": {"userId": "ann", "groupId": "acme"},
    "alias": {"userId": "ann", "previousId": "browser-1"},
}


@pytest.mark.parametrize("prefix", ["/v1", ""])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("short", [False, True])
def test_every_path(
    collector: RunningCollector, client: httpx.Client, prefix: str, call: str, short: bool
) -> None:
    body = CALLS[call] | {"messageId": str(uuid4())}
    answer = client.post(f"{prefix}/{call[0] if short else call}", json=body)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    (event,) = stored(collector, body["messageId"])
    assert (event.call, event.source, event.body) == (call, SOURCE, answer.request.content)


@pytest.mark.parametrize("path", ["/v1/batch", "/batch", "/v1/b", "/b"])
def test_every_path_of_batches(collector: RunningCollector, client: httpx.Client, path: str) -> None:
    items = [{"type": call, "messageId": str(uuid4())} | fields for call, fields in CALLS.items()]
    answer = client.post(path, json={"batch": items, "sentAt": "2026-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [len(stored(collector, item["messageId"])) for item in items] == [1] * len(items)


def test_a_browser_sends_text_from_another_origin(collector: RunningCollector) -> None:
    body = track(writeKey=collector.key)
    headers = {"Content-Type": "text/plain", "Origin": "https://shop.example"}
    answer = httpx.post(f"{collector.url}/v1/t", content=json.dumps(body), headers=headers)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
    (event,) = stored(collector, body["messageId"])
    assert collector.key.encode() not in event.body


def test_a_phone_sends_gzip(collector: RunningCollector) -> None:
    item = track()
    body = {"batch": [item], "writeKey": collector.key, "sentAt": "2026-01-01T00:00:00Z"}
    answer = httpx.post(
        f"{collector.url}/b",
        content=gzip.compress(json.dumps(body).encode()),
        headers={"Content-Type": "text/plain", "Content-Encoding": "gzip"},
    )
    assert answer.status_code == 200
    assert len(stored(collector, item["messageId"])) == 1


def test_preflight(collector: RunningCollector) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-retry-count",
    }
    answer = httpx.options(f"{collector.url}/v1/batch", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == asked["Access-Control-Request-Headers"]


@pytest.mark.parametrize("key", ["", "nobody"])
def test_an_unknown_key_is_refused_and_nothing_kept(collector: RunningCollector, key: str) -> None:
    before, body = collector.refused(), track()
    answer = httpx.post(f"{collector.url}/v1/track", json=body, auth=(key, "") if key else None)
    assert (answer.status_code, answer.json()["code"]) == (401, "unknown_write_key")
    assert stored(collector, body["messageId"]) == []
    assert collector.refused() == before


def test_a_repeat_counts_once_and_the_first_wins(collector: RunningCollector, client: httpx.Client) -> None:
    """SEG-DEDUP-01 and -02."""
    first = track(sentAt="2026-01-01T00:00:00Z")
    for body in (first, first | {"sentAt": "2026-01-01T00:00:09Z"}, first | {"properties": {"other": True}}):
        assert client.post("/v1/track", json=body).status_code == 200
    other = first | {"messageId": str(uuid4())}
    assert client.post("/v1/track", json=other).status_code == 200
    (event,) = stored(collector, first["messageId"])
    assert json.loads(event.body) == first
    assert len(stored(collector, other["messageId"])) == 1
    assert collector.reasons()[-1] == "conflicting_repeat"


def test_strict_mode_says_what_was_refused(collector: RunningCollector, client: httpx.Client) -> None:
    good = track()
    body = {"batch": [good, {"type": "track", "userId": "ann"}]}
    answer = client.post("/v1/batch", json=body, headers={"X-Strict": "1"})
    assert answer.status_code == 400
    told = answer.json()
    assert (told["success"], told["code"]) == (False, "no_event_name")
    refused = [{"index": 1, "code": "no_event_name", "message": "A track call names its event."}]
    assert told["refused"] == refused
    (accepted,) = told["accepted"]
    assert (accepted["index"], accepted["messageId"]) == (0, good["messageId"])
    assert accepted["outcome"] == "accepted"
    assert len(stored(collector, good["messageId"])) == 1


def test_a_body_in_chunks(collector: RunningCollector, client: httpx.Client) -> None:
    items = [track(properties={"n": number}) for number in range(1_000)]
    text = json.dumps({"batch": items}).encode()
    chunks = [text[at : at + 7_000] for at in range(0, len(text), 7_000)]
    assert client.post("/v1/batch", content=iter(chunks)).status_code == 200
    held = {event.message_id for event in collector.logged()}
    assert all(item["messageId"] in held for item in items)


def test_an_endless_body_is_not_read_to_its_end(collector: RunningCollector, client: httpx.Client) -> None:
    answer = client.post("/v1/batch", content=(b"x" * 65_536 for _ in range(160)))
    assert (answer.status_code, answer.json()["code"]) == (400, "body_too_large")
    reason, body = collector.refused()[-1]
    assert (reason, len(body)) == ("body_too_large", 4_096)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/track", 405), ("PUT", "/v1/batch", 405), ("POST", "/v1/nothing", 404), ("GET", "/", 404)],
)
def test_other_methods_and_paths(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert not answer.json()["success"]


def test_what_sdks_say_of_themselves_is_discarded(collector: RunningCollector, client: httpx.Client) -> None:
    before = len(collector.logged())
    assert client.post("/v1/m", json={"series": []}).status_code == 200
    assert len(collector.logged()) == before


def test_health_and_metrics(client: httpx.Client) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    assert client.head("/health").status_code == 200
    assert client.get("/ready").json() == {"status": "ready"}
    before = _metrics(client)
    client.post("/v1/track", json=track())
    client.post("/v1/track", json={"userId": "ann"})
    after = _metrics(client)
    for name in (
        'requests_total{status="200"}',
        'events_total{outcome="accepted"}',
        'quarantined_total{reason="no_event_name"}',
        "commit_seconds_count",
    ):
        assert after[name] > before.get(name, 0), name
    assert after["waiting_events"] == 0


def _metrics(client: httpx.Client) -> dict[str, float]:
    lines = [line for line in client.get("/metrics").text.splitlines() if not line.startswith("#")]
    pairs = [line.rsplit(" ", 1) for line in lines]
    return {name.removeprefix("cauce_collector_"): float(value) for name, value in pairs}


def test_the_time_is_that_of_the_server(collector: RunningCollector, client: httpx.Client) -> None:
    body = track(timestamp="2040-01-01T00:00:00Z", sentAt="2040-01-01T00:00:10Z")
    client.post("/v1/track", json=body)
    (event,) = stored(collector, body["messageId"])
    assert 10_000_000 <= event.received - event.time < 15_000_000


def test_a_form_carries_json(collector: RunningCollector, client: httpx.Client) -> None:
    for wrap in (lambda text: text, lambda text: f"data={quote_plus(text)}", quote):
        body = track(properties={"note": "a+b & c"})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/v1/track", content=wrap(json.dumps(body)), headers=headers).status_code == 200
        (event,) = stored(collector, body["messageId"])
        assert json.loads(event.body) == body
