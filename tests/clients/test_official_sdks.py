"""The official Segment SDKs, unmodified, straight and through a hostile network: each message counts once."""

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from segment.analytics.client import Client

from tests.clients.collector_process import RunningCollector
from tests.clients.hostile_proxy import Deed, HostileProxy

NODE = Path(__file__).parent / "node"
MESSAGES = 48


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[RunningCollector]:
    with RunningCollector(tmp_path / "space") as running:
        yield running


@pytest.fixture
def proxy(collector: RunningCollector) -> Iterator[HostileProxy]:
    with HostileProxy(collector.port, seed=11) as hostile:
        yield hostile


def send_by_python(url: str, key: str, *, gzip: bool = False) -> set[str]:
    """Every call of the Python SDK in turn; the message ids sent."""
    failed: list[object] = []
    client = Client(
        key, host=url, gzip=gzip, upload_size=4, upload_interval=0.1, on_error=lambda e, _: failed.append(e)
    )
    sent = set()
    for number in range(MESSAGES // 6):
        user = f"user-{number}"
        calls = [
            client.identify(user, {"email": f"{user}@mail.example", "plan": "gold"}),
            client.track(user, "Order Completed", {"total": 42.5, "currency": "EUR"}),
            client.page(user, "Shop", "Home", {"path": "/"}),
            client.screen(user, "App", "Start"),
            client.group(user, "company-1", {"name": "Company"}),
            client.alias(f"old-{number}", user),
        ]
        sent.update(message["messageId"] for _, message in calls)
    client.shutdown()
    assert failed == []
    return sent


def send_by_node(url: str, key: str) -> set[str]:
    """Every call of the Node SDK in turn; the message ids sent."""
    if not (NODE / "node_modules" / "@segment" / "analytics-node").is_dir() or not shutil.which("node"):
        missing = "The Node SDK is not installed: `make test` installs it where npm is allowed."
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    ran = subprocess.run(
        ["node", NODE / "send.mjs", url, key, str(MESSAGES // 6)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout))


def check(collector: RunningCollector, sent: set[str]) -> None:
    """Exactly what was sent is in the log, each once, with its kind and its content."""
    rows = collector.logged()
    assert Counter(row.message_id for row in rows) == Counter(sent)
    assert collector.reasons() == []
    kinds = Counter(str(row.call) for row in rows)
    assert kinds == dict.fromkeys(("identify", "track", "page", "screen", "group", "alias"), MESSAGES // 6)
    orders = [json.loads(row.body) for row in rows if row.name == "Order Completed"]
    assert {order["properties"]["total"] for order in orders} == {42.5}
    assert {row.name for row in rows if str(row.call) == "page"} == {"Page Viewed"}


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
def test_python(collector: RunningCollector, gzip: bool) -> None:
    check(collector, send_by_python(collector.url, collector.key, gzip=gzip))


def test_python_through_a_hostile_network(collector: RunningCollector, proxy: HostileProxy) -> None:
    check(collector, send_by_python(proxy.url, collector.key, gzip=True))
    assert set(proxy.done) == set(Deed)


def test_node(collector: RunningCollector) -> None:
    check(collector, send_by_node(collector.url, collector.key))


def test_node_through_a_hostile_network(collector: RunningCollector, proxy: HostileProxy) -> None:
    check(collector, send_by_node(proxy.url, collector.key))
    assert set(proxy.done) == set(Deed)
