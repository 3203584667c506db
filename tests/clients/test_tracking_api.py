"""The tracking API over real HTTP: the rows of ``field.md`` 2.1 as a table, and what lies behind them."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.clients.collector_process import RunningCollector

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
