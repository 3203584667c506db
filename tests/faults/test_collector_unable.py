"""A log that cannot take events: the collector says so, stores nothing, and recovers by itself."""

import resource
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cauce.app.compose import Composition
from cauce.govern.keys import KeyKind, KeyStore
from cauce.vocabulary.moment import now
from tests.clients.collector_process import RunningCollector
from tests.story.serving import until

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[RunningCollector]:
    with RunningCollector(tmp_path / "space") as running:
        yield running


def event(**properties: Any) -> dict[str, Any]:
    message_id = str(uuid4())
    return {"event": "e", "userId": "u", "messageId": message_id, "properties": properties}


def post(collector: RunningCollector, body: Any) -> httpx.Response:
    path = "/v1/batch" if "batch" in body else "/v1/track"
    return httpx.post(collector.url + path, json=body, auth=(collector.key, ""), timeout=60, trust_env=False)


def ready(collector: RunningCollector) -> int:
    return httpx.get(f"{collector.url}/ready", trust_env=False).status_code


def assert_told_to_come_back(answer: httpx.Response) -> None:
    assert answer.status_code in (429, 503)
    assert int(answer.headers["retry-after"]) >= 1
    assert set(answer.json()) >= {"success", "code", "message"}
    assert not answer.json()["success"]


def test_a_full_disk(collector: RunningCollector) -> None:
    """The file size limit of the process stands in for the end of the disk."""
    first = event()
    assert post(collector, first).status_code == 200
    size = (collector.space / "log.db-wal").stat().st_size
    resource.prlimit(collector.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    lost = event(text="x" * 20_000)
    for body in (lost, {"batch": [dict(lost, type="track")]}, {"userId": "u"}):
        assert_told_to_come_back(post(collector, body))

    def not_ready_once_refused() -> bool:
        assert_told_to_come_back(post(collector, lost))
        return ready(collector) == 503

    until(not_ready_once_refused, "the collector to say that it is not ready")
    resource.prlimit(collector.process.pid, resource.RLIMIT_FSIZE, UNLIMITED)
    until(lambda: ready(collector) == 200, "it to be ready again, though nobody sends")
    assert collector.reasons() == []
    assert [one.message_id for one in collector.logged()] == [first["messageId"]]
    assert post(collector, lost).status_code == 200
    assert post(collector, {"userId": "u"}).status_code == 200
    assert [one.message_id for one in collector.logged()] == [first["messageId"], lost["messageId"]]
    assert collector.reasons() == ["no_event_name"]
    assert ready(collector) == 200


def test_a_log_that_another_process_holds_for_a_while(collector: RunningCollector) -> None:
    """Requests wait for it; health answers meanwhile, because the event loop does not wait."""
    answers: list[httpx.Response] = []
    bodies = [event() for _ in range(5)]
    threads = [
        threading.Thread(target=lambda body=body: answers.append(post(collector, body))) for body in bodies
    ]
    with closing(sqlite3.connect(collector.space / "log.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for thread in threads:
            thread.start()
        for _ in range(20):
            assert httpx.get(f"{collector.url}/health", timeout=1, trust_env=False).status_code == 200
        assert answers == []
        other.execute("ROLLBACK")
    for thread in threads:
        thread.join(30)
    assert [answer.status_code for answer in answers] == [200] * 5
    assert {one.message_id for one in collector.logged()} == {body["messageId"] for body in bodies}


def test_more_than_may_wait_is_told_to_come_back(tmp_path: Path) -> None:
    settings = {"CAUCE_COLLECTOR__WAITING_EVENTS": "30", "CAUCE_COLLECTOR__RETRY_SECONDS": "3"}
    batches = [{"batch": [event() | {"type": "track"} for _ in range(10)]} for _ in range(12)]
    answers: list[tuple[Any, httpx.Response]] = []
    with RunningCollector(tmp_path / "space", settings) as collector:
        threads = [
            threading.Thread(target=lambda batch=batch: answers.append((batch, post(collector, batch))))
            for batch in batches
        ]
        with closing(sqlite3.connect(collector.space / "log.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for thread in threads:
                thread.start()
            while len(answers) < 9:  # three fit
                httpx.get(f"{collector.url}/health", timeout=5, trust_env=False)
            other.execute("ROLLBACK")
        for thread in threads:
            thread.join(30)
        later = [answer for _, answer in answers if answer.status_code == 429]
        assert len(later) == 9
        for answer in later:
            assert_told_to_come_back(answer)
            assert answer.headers["retry-after"] == "3"
        sent = [batch for batch, answer in answers if answer.status_code == 200]
        expected = {one["messageId"] for batch in sent for one in batch["batch"]}
        assert {one.message_id for one in collector.logged()} == expected
        assert len(expected) == 30


def test_a_revoked_key_is_soon_refused(collector: RunningCollector) -> None:
    assert post(collector, event()).status_code == 200
    keys = KeyStore(Composition(collector.space).control)
    (key,) = [key for key in keys.list() if key.kind is KeyKind.WRITE]
    keys.revoke(key.id, now=now())
    deadline = time.monotonic() + 10
    while (status := post(collector, event()).status_code) == 200:
        assert time.monotonic() < deadline
    assert status == 401
