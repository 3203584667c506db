"""The unmodified official SDKs, straight and through a hostile proxy: every message id counts once."""

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rudderstack.analytics.client
import segment.analytics

from tests.clients.collector_process import RunningCollector
from tests.clients.hostile_proxy import MISFORTUNES, HostileProxy

NODE = Path(__file__).parent / "node"
CALLS = ["track", "identify", "page", "screen", "group", "alias"]
EVENTS = 240
SECONDS = 60


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[RunningCollector]:
    with RunningCollector(tmp_path / "space") as running:
        yield running


@pytest.fixture(params=["straight", "hostile"])
def way(request: pytest.FixtureRequest, collector: RunningCollector) -> Iterator[str]:
    """The URL to send to."""
    if request.param == "straight":
        yield collector.url
        return
    with HostileProxy(collector.port, seed=7, misfortunes=28) as proxy:
        yield proxy.url
    assert len(proxy.happened) == len(MISFORTUNES) + 1, proxy.happened


def check(collector: RunningCollector, sent: list[str]) -> None:
    logged = collector.logged()
    assert len(sent) == EVENTS
    assert Counter(event.message_id for event in logged) == Counter(set(sent))
    assert Counter(event.call.value for event in logged) == {call: EVENTS // len(CALLS) for call in CALLS}
    assert collector.reasons() == []


CLIENTS = {"segment": segment.analytics.Client, "rudderstack": rudderstack.analytics.client.Client}


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("maker", CLIENTS)
def test_python(collector: RunningCollector, way: str, maker: str, gzip: bool) -> None:
    errors: list[Exception] = []
    client = CLIENTS[maker](
        collector.key,
        host=way,
        gzip=gzip,
        thread=4,
        upload_size=5,
        upload_interval=0.05,
        max_retries=30,
        on_error=lambda error, _: errors.append(error),
    )
    sent = [_call(client, number) for number in range(EVENTS)]
    client.flush()  # waits until the queue is empty: all consumers have sent
    client.join()
    assert errors == []
    check(collector, sent)


def _call(client: Any, number: int) -> str:
    match CALLS[number % len(CALLS)]:
        case "track":
            made = client.track("ann", "Order Completed", {"revenue": number + 0.5, "note": "ñandú 🦤"})
        case "identify":
            made = client.identify("ann", {"email": "ann@example.org", "visits": number})
        case "page":
            made = client.page(anonymous_id="browser-1", name="Home")
        case "screen":
            made = client.screen(anonymous_id="phone-1", name="Home")
        case "group":
            made = client.group("ann", "acme", {"name": "Acme"})
        case _:
            made = client.alias("browser-1", "ann")
    succeeded, message = made
    assert succeeded
    return str(message["messageId"])


@pytest.mark.parametrize("script", [("send.mjs",), ("send_rudder.mjs", "gzip"), ("send_rudder.mjs", "plain")])
def test_node(collector: RunningCollector, way: str, script: tuple[str, ...]) -> None:
    node = shutil.which("node")
    if not node or not (NODE / "node_modules").is_dir():
        missing = "Node.js or tests/clients/node/node_modules is missing: `make test` installs them"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    ran = subprocess.run(
        [node, script[0], way, collector.key, str(EVENTS), *script[1:]],
        cwd=NODE,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [line for line in lines if line["error"]] == []
    check(collector, [line["messageId"] for line in lines])
