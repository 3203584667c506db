"""The requests of mobile SDKs, replayed: what becomes of each field. The shapes say where they come from."""

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from cauce.vocabulary.event import read_event
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION
from cauce.vocabulary.moment import SECOND
from tests.clients.collector_process import SOURCE, RunningCollector

SHAPES = sorted((Path(__file__).parent / "shapes").glob("*.json"))
LONGEST_ROUND_TRIP = 20 * SECOND


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCollector]:
    with RunningCollector(tmp_path_factory.mktemp("mobile") / "space") as running:
        yield running


def send(collector: RunningCollector, shape: dict[str, Any]) -> httpx.Response:
    """Send the request of a shape as its SDK does; ``WRITE_KEY`` stands for the key."""
    request = shape["request"]
    content = json.dumps(shape["body"]).replace("WRITE_KEY", collector.key).encode()
    if request["gzip"]:
        content = gzip.compress(content)
    return httpx.post(
        collector.url + request["path"],
        content=iter([content[:100], content[100:]]) if request["chunked"] else content,
        headers=request["headers"],
        auth=(collector.key, "") if request["basic"] else None,
    )


@pytest.mark.parametrize("file", SHAPES, ids=lambda file: file.stem)
def test_every_field_has_its_meaning(collector: RunningCollector, file: Path) -> None:
    shape = json.loads(file.read_text())
    assert shape["provenance"].endswith("All values are invented.")
    for _ in range(2):  # an SDK that has not heard the answer sends the same again
        answer = send(collector, shape)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    rows = {row.message_id: row for row in collector.logged()}
    assert collector.reasons() == []
    for sent, expected in zip(shape["body"]["batch"], shape["expected"], strict=True):
        row = rows[expected["messageId"]]
        assert json.loads(row.body) == sent
        assert (row.call, row.name, row.source) == (expected["call"], expected["name"], SOURCE)
        late = row.received - row.time - int(expected["secondsBeforeReceipt"] * SECOND)
        assert 0 <= late < LONGEST_ROUND_TRIP
        event = read_event(row, DEFAULT_NORMALIZATION)
        assert [str(one) for one in event.identifiers] == expected["identifiers"]
        assert event.traits == expected.get("traits", {})
        assert plain(event.properties) == expected.get("properties", {})
        assert event.group == expected.get("group", "")


def plain(value: Any) -> Any:
    """Decimals as text: a shape names exact numbers so."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return str(value) if isinstance(value, Decimal) else value


@pytest.mark.parametrize("prefix", ["/v1", ""])
def test_a_phone_asks_for_its_settings(collector: RunningCollector, prefix: str) -> None:
    answer = httpx.get(f"{collector.url}{prefix}/projects/{collector.key}/settings")
    assert answer.status_code == 200
    mine = answer.json()["integrations"]
    assert list(mine) == ["Segment.io"]
    assert mine["Segment.io"]["apiHost"] == f"127.0.0.1:{collector.port}/v1"
