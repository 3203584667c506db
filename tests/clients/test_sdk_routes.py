"""What SDKs fetch, pixels, strict requests and dry runs, over real HTTP."""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cauce.vocabulary.moment import parse_iso
from tests.clients.collector_process import SOURCE, RunningCollector

SCRIPT = b"console.log('the script')" * 20
PART = "queryString.bundle.0123.js"


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCollector]:
    folder = tmp_path_factory.mktemp("sdk")
    (folder / "standalone.js").write_bytes(SCRIPT)
    (folder / PART).write_bytes(b"part()")
    (folder.parent / "secret.js").write_bytes(b"secret")
    settings = {"CAUCE_COLLECTOR__SDK_FOLDER": str(folder), "CAUCE_COLLECTOR__CACHE_SECONDS": "60"}
    with RunningCollector(tmp_path_factory.mktemp("spaces") / "space", settings) as running:
        yield running


@pytest.fixture(scope="module")
def client(collector: RunningCollector) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=collector.url, trust_env=False) as made:
        yield made


def event(**fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Seen", "userId": "ann", "messageId": str(uuid4())} | fields


# Settings and script


def test_settings(collector: RunningCollector, client: httpx.Client) -> None:
    answer = client.get(f"/v1/projects/{collector.key}/settings", headers={"Origin": "https://shop.example"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=60"
    told = answer.json()
    assert told["integrations"] == {
        "Segment.io": {
            "apiKey": collector.key,
            "apiHost": f"127.0.0.1:{collector.port}/v1",
            "protocol": "http",
            "unbundledIntegrations": [],
            "addBundledMetadata": True,
            "deliveryStrategy": {"config": {"keepalive": True}},
        }
    }
    assert told["plan"]["track"] == {"__default": {"enabled": True, "integrations": {}}}
    assert told["metrics"] == {"sampleRate": 0}
    again = client.get(answer.request.url, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])


def test_settings_name_the_host_and_scheme_that_were_asked(
    collector: RunningCollector, client: httpx.Client
) -> None:
    headers = {"Host": "events.shop.example", "X-Forwarded-Proto": "https"}
    told = client.get(f"/v1/projects/{collector.key}/settings", headers=headers).json()
    mine = told["integrations"]["Segment.io"]
    assert (mine["apiHost"], mine["protocol"]) == ("events.shop.example/v1", "https")
    strange = {"Host": 'a"b c'}
    told = client.get(f"/v1/projects/{collector.key}/settings", headers=strange).json()
    assert told["integrations"]["Segment.io"]["apiHost"] == f"127.0.0.1:{collector.port}/v1"


def test_settings_name_the_public_url(tmp_path: Path) -> None:
    settings = {"CAUCE_COLLECTOR__PUBLIC_URL": "https://shop.example/events/"}
    with RunningCollector(tmp_path / "space", settings) as running:
        mine = httpx.get(f"{running.url}/v1/projects/{running.key}/settings").json()["integrations"]
        assert mine["Segment.io"]["apiHost"] == "shop.example/events/v1"
        answer = httpx.get(f"{running.url}/analytics.js/v1/{running.key}/analytics.min.js")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_sdk")


@pytest.mark.parametrize("path", ["/v1/projects/{}/settings", "/analytics.js/v1/{}/analytics.min.js"])
@pytest.mark.parametrize("key", ["nobody", "%00", "..%2F..", "%ff", "x" * 300])
def test_an_unknown_key_is_told_so_and_not_remembered(client: httpx.Client, path: str, key: str) -> None:
    answer = client.get(path.format(key))
    assert answer.status_code == 404
    assert answer.json()["code"] in ("unknown_write_key", "not_found")
    if answer.json()["code"] == "unknown_write_key":
        assert answer.headers["cache-control"] == "no-store"


def test_the_script(collector: RunningCollector, client: httpx.Client) -> None:
    path = f"/analytics.js/v1/{collector.key}/analytics.min.js"
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert (plain.status_code, plain.content) == (200, SCRIPT)
    assert plain.headers["content-type"].startswith("text/javascript")
    squeezed = client.get(path, headers={"Accept-Encoding": "gzip, br"})
    assert (squeezed.content, squeezed.headers["content-encoding"]) == (SCRIPT, "gzip")
    assert int(squeezed.headers["content-length"]) == len(gzip.compress(SCRIPT))
    assert client.get(path, headers={"If-None-Match": plain.headers["etag"]}).status_code == 304
    part = client.get(f"/analytics-next/bundles/{PART}")
    assert (part.content, "immutable" in part.headers["cache-control"]) == (b"part()", True)


@pytest.mark.parametrize(
    "name", ["nothing.js", "..%2Fsecret.js", "%2e%2e/secret.js", "a%00.js", ".js", "x.map"]
)
def test_no_file_outside_the_folder_is_given(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/analytics-next/bundles/{name}")
    assert answer.status_code == 404
    assert b"secret" not in answer.content


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_what_is_fetched_is_not_posted(
    collector: RunningCollector, client: httpx.Client, method: str
) -> None:
    for path in (f"/v1/projects/{collector.key}/settings", "/v1/pixel/track"):
        assert client.request(method, path).status_code == 405


def test_every_answer_says_what_it_cost(collector: RunningCollector, client: httpx.Client) -> None:
    for answer in (
        client.get("/health"),
        client.get("/nothing"),
        client.options("/v1/track"),
        client.get(f"/v1/projects/{collector.key}/settings"),
        client.post("/v1/track", json=event(writeKey=collector.key), headers={"Origin": "https://a.example"}),
        client.get("/v1/pixel/track"),
    ):
        name, _, duration = answer.headers["server-timing"].partition(";dur=")
        assert (name, 0 <= float(duration) < 10_000) == ("collect", True)
        assert answer.headers["timing-allow-origin"] == "*"


# Pixels


def pixel(body: Any, *, encode: Any = base64.b64encode, strip: bool = False) -> str:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    encoded = encode(text).decode()
    return encoded.rstrip("=") if strip else encoded


def is_picture(answer: httpx.Response) -> bool:
    return (
        answer.status_code == 200
        and answer.headers["content-type"] == "image/gif"
        and answer.headers["cache-control"] == "no-store"
        and answer.content[:6] == b"GIF89a"
        and len(answer.content) == 42
    )


@pytest.mark.parametrize("call", ["identify", "track", "page", "screen", "group", "alias"])
@pytest.mark.parametrize("prefix", ["/v1", ""])
def test_every_pixel(collector: RunningCollector, client: httpx.Client, prefix: str, call: str) -> None:
    body = event(writeKey=collector.key, groupId="acme", previousId="b", type=call)
    assert is_picture(client.get(f"{prefix}/pixel/{call}", params={"data": pixel(body)}))
    (row,) = (one for one in collector.logged() if one.message_id == body["messageId"])
    del body["writeKey"]
    assert (row.call, row.source, json.loads(row.body)) == (call, SOURCE, body)


ENCODINGS: list[dict[str, Any]] = [
    {},
    {"strip": True},
    {"encode": base64.urlsafe_b64encode},
    {"encode": base64.urlsafe_b64encode, "strip": True},
]


@pytest.mark.parametrize("how", ENCODINGS)
@pytest.mark.parametrize("note", ["", "a", "ab", "ñ?>~ÿ🦤>>>???"])
def test_base64_of_every_kind(
    collector: RunningCollector, client: httpx.Client, how: dict[str, Any], note: str
) -> None:
    body = event(writeKey=collector.key, properties={"note": note})
    data = pixel(json.dumps(body, ensure_ascii=False).encode(), **how)
    assert is_picture(client.get(f"/v1/pixel/track?data={data}"))  # a bare + in it means a space
    (row,) = (one for one in collector.logged() if one.message_id == body["messageId"])
    assert json.loads(row.body)["properties"] == {"note": note}


def test_whoever_looks_whether_the_picture_is_there_has_not_seen_it(
    collector: RunningCollector, client: httpx.Client
) -> None:
    body = event(writeKey=collector.key)
    answer = client.head(f"/v1/pixel/track?data={pixel(body)}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert body["messageId"] not in {one.message_id for one in collector.logged()}


def metric(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + " ")), 0.0)


def test_a_pixel_that_is_refused_is_a_picture_too(collector: RunningCollector, client: httpx.Client) -> None:
    key, before = collector.key, collector.reasons()
    refused = {
        "no_event_name": event(event=None, writeKey=key),
        "no_user_anon_id": event(userId=None, writeKey=key),
        "malformed_json": b'{"writeKey": "%s", "event": }' % key.encode(),
        "event_too_large": event(writeKey=key, properties={"text": "x" * 33_000}),
    }
    for body in refused.values():
        assert is_picture(client.get(f"/v1/pixel/track?data={pixel(body)}"))
    assert collector.reasons()[len(before) :] == list(refused)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?data=",
        "?data=%00",
        "?data=!!!",
        "?data=e30",
        "?data=" + "A" * 60_000,
        "?other=1",
        "?%ff=%fe",
    ],
)
def test_a_pixel_of_nobody_is_counted_and_not_kept(
    collector: RunningCollector, client: httpx.Client, query: str
) -> None:
    before = collector.refused()
    counted = [metric(client, f'cauce_collector_pixels_total{{status="{status}"}}') for status in (400, 401)]
    assert is_picture(client.get("/v1/pixel/track" + query))
    after = [metric(client, f'cauce_collector_pixels_total{{status="{status}"}}') for status in (400, 401)]
    assert sum(after) == sum(counted) + 1
    assert collector.refused() == before


def test_a_wrong_key_in_a_pixel(collector: RunningCollector, client: httpx.Client) -> None:
    before, body = metric(client, 'cauce_collector_pixels_total{status="401"}'), event(writeKey="nobody")
    assert is_picture(client.get(f"/v1/pixel/track?data={pixel(body)}"))
    assert metric(client, 'cauce_collector_pixels_total{status="401"}') == before + 1
    assert body["messageId"] not in {one.message_id for one in collector.logged()}


# Strict requests and dry runs


@pytest.fixture
def auth(collector: RunningCollector) -> tuple[str, str]:
    return (collector.key, "")


def strict(
    client: httpx.Client, path: str, body: Any, auth: tuple[str, str], value: str = "1"
) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(path, content=content, auth=auth, headers={"X-Strict": value})


def test_what_became_of_each_event(
    collector: RunningCollector, client: httpx.Client, auth: tuple[str, str]
) -> None:
    first, second = event(timestamp="2026-01-01T10:00:00Z"), event()
    body = {
        "batch": [
            first,
            {"type": "dance"},
            second,
            second,
            second | {"event": "Other"},
            [],
            event(userId=" "),
        ]
    }
    answer = strict(client, "/v1/batch", body, auth)
    assert answer.status_code == 400
    told = answer.json()
    assert [(one["index"], one["messageId"], one["outcome"]) for one in told["accepted"]] == [
        (0, first["messageId"], "accepted"),
        (2, second["messageId"], "accepted"),
        (3, second["messageId"], "duplicate"),
    ]
    assert told["accepted"][0]["time"] == "2026-01-01T10:00:00.000Z"
    codes = {one["index"]: one["code"] for one in told["refused"]}
    assert codes == {1: "unknown_call", 5: "not_an_object", 6: "no_user_anon_id", 4: "conflicting_repeat"}
    assert all(one["message"] for one in told["refused"])
    assert (told["code"], told["success"]) == ("unknown_call", False)
    assert len([one for one in collector.logged() if one.message_id == second["messageId"]]) == 1


@pytest.mark.parametrize("value", ["0", "false", "False", ""])
def test_strictness_can_be_off(client: httpx.Client, auth: tuple[str, str], value: str) -> None:
    assert strict(client, "/v1/track", event(event=None), auth, value).json() == {"success": True}


def test_all_is_well(client: httpx.Client, auth: tuple[str, str]) -> None:
    answer = strict(client, "/v1/track", event(messageId=None), auth)
    assert (answer.status_code, answer.json()["refused"]) == (200, [])
    (accepted,) = answer.json()["accepted"]
    assert (accepted["index"], len(accepted["messageId"])) == (0, 36)
    assert parse_iso(accepted["time"])


WHOLE = [
    (b"{", "malformed_json"),
    (b"\x1f\x8b broken", "bad_compression"),
    (json.dumps({"batch": [{}] * 2_501}).encode(), "batch_too_long"),
    (b"x" * 600_000, "body_too_large"),
]


@pytest.mark.parametrize(("body", "code"), WHOLE, ids=[code for _, code in WHOLE])
def test_a_refusal_of_the_whole_request_has_no_index(
    client: httpx.Client, auth: tuple[str, str], body: bytes, code: str
) -> None:
    for path in ("/v1/batch", "/v1/validate"):
        answer = strict(client, path, body, auth)
        assert answer.status_code == 400
        assert [(one["index"], one["code"]) for one in answer.json()["refused"]] == [(None, code)]
        assert answer.json()["accepted"] == []


def test_nothing_of_a_dry_run_is_kept(
    collector: RunningCollector, client: httpx.Client, auth: tuple[str, str]
) -> None:
    before = (len(collector.logged()), len(collector.refused()))
    for path in ("/v1/validate", "/validate"):
        good = client.post(path, json=event(), auth=auth)
        assert (good.status_code, good.json()["success"]) == (200, True)
        assert "outcome" not in good.json()["accepted"][0]
        bad = client.post(path, json={"batch": [event(), event(event=None)]}, auth=auth)
        assert bad.status_code == 400
        assert [(one["index"], one["code"]) for one in bad.json()["refused"]] == [(1, "no_event_name")]
        untyped = client.post(path, json=event(type=None), auth=auth)
        assert [one["code"] for one in untyped.json()["refused"]] == ["unknown_call"]
        assert client.post(path, json=event()).status_code == 401
        assert client.post(path, json=event(writeKey=collector.key)).status_code == 200
        assert client.get(path).status_code == 405
    assert (len(collector.logged()), len(collector.refused())) == before


def test_old_events_keep_their_times(
    collector: RunningCollector, client: httpx.Client, auth: tuple[str, str]
) -> None:
    old = [event(timestamp=f"20{year}-05-04T03:02:01Z") for year in (10, 15, 20)]
    body = {"historicalMigration": True, "sentAt": "2031-01-01T00:00:00Z", "batch": old}
    assert client.post("/v1/batch", json=body, auth=auth).status_code == 200
    times = {one.message_id: one.time for one in collector.logged()}
    assert [times[one["messageId"]] for one in old] == [parse_iso(one["timestamp"]) for one in old]
