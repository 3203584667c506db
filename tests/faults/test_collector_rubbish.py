"""Rubbish sent to a real collector: never a 500, a lost neighbour, a dead process, a log that cannot seal."""

import base64
import gzip
import itertools
import json
import random
import signal
import socket
import zlib
from collections.abc import Iterator
from urllib.parse import quote_from_bytes

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cauce.collect.scan import elements
from cauce.eventlog.seal import seal
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.event import Position, read_event
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION
from tests.clients.collector_process import RunningCollector
from tests.property.event_texts import assert_every_engine_can_read, damaged

PATHS = ["/v1/track", "/v1/identify", "/v1/batch", "/b", "/t", "/v1/group", "/v1/alias", "/v1/validate"]
TYPES = [
    "application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "\xff",
    "",
]
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCollector]:
    """At the end everything it accepted must be readable, and must seal."""
    with RunningCollector(tmp_path_factory.mktemp("rubbish") / "space") as running:
        first = running.process.pid
        yield running
        assert running.process.poll() is None
        assert running.process.pid == first
        assert running.stop() in (0, -signal.SIGTERM)
    log = SqliteLog(running.space)
    before = log.read(Position(0), 1_000_000)
    assert len(before) > 100
    for event in before:
        assert_every_engine_can_read(event.body)
        read_event(event, DEFAULT_NORMALIZATION)
    seal(running.space, log.head(), lambda _: DEFAULT_NORMALIZATION)
    assert log.sealed_upto() == log.head()
    assert log.read(Position(0), 1_000_000) == before
    log.close()


@pytest.fixture(scope="module")
def client(collector: RunningCollector) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=collector.url, auth=(collector.key, ""), timeout=30, trust_env=False) as made:
        yield made


def good() -> tuple[str, bytes]:
    """A valid event no test has sent before, and its id."""
    message_id = f"good-{next(NUMBERS)}"
    event = {"type": "track", "event": "e", "userId": "u", "messageId": message_id}
    return message_id, json.dumps(event).encode()


def holds(collector: RunningCollector, ids: list[str]) -> bool:
    return {event.message_id for event in collector.logged()} >= set(ids)


SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SOME
@given(
    body=damaged() | st.binary(max_size=200),
    path=st.sampled_from(PATHS),
    type_=st.sampled_from(TYPES),
    squeeze=st.booleans(),
)
def test_bodies(client: httpx.Client, body: bytes, path: str, type_: str, squeeze: bool) -> None:
    content = gzip.compress(body) if squeeze else body
    answer = client.post(path, content=content, headers={"Content-Type": type_.encode("latin-1")})
    assert answer.status_code in (200, 400)


QUERIES = st.binary(max_size=200) | damaged() | damaged().map(base64.b64encode)
ROUTES = [
    "/v1/pixel/{}",
    "/v1/projects/{}/settings",
    "/analytics.js/v1/{}/analytics.min.js",
    "/analytics-next/bundles/{}.js",
    "/{}",
]


@SOME
@given(query=QUERIES, call=st.sampled_from(["track", "identify", "page", "alias", "dance"]))
def test_pixels(client: httpx.Client, query: bytes, call: str) -> None:
    answer = client.get(f"/v1/pixel/{call}?data={quote_from_bytes(query)}")
    assert answer.status_code == (404 if call == "dance" else 200)


@SOME
@given(
    route=st.sampled_from(ROUTES),
    part=st.binary(max_size=40),
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "PATCH"]),
    headers=st.dictionaries(
        st.sampled_from(
            ["Origin", "Host", "If-None-Match", "Accept-Encoding", "Access-Control-Request-Headers"]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30),
    ),
)
def test_what_sdks_fetch(
    client: httpx.Client, route: str, part: bytes, method: str, headers: dict[str, str]
) -> None:
    sent = {name: value.strip().encode("latin-1") for name, value in headers.items()}
    answer = client.request(method, route.format(quote_from_bytes(part, safe="")), headers=sent)
    assert answer.status_code in (200, 400, 401, 404, 405)


@SOME
@given(texts=st.lists(damaged(), min_size=1, max_size=4))
def test_neighbours(collector: RunningCollector, client: httpx.Client, texts: list[bytes]) -> None:
    bad = [text for text in texts if text.strip() and elements(b"[" + text + b"]") == [text.strip()]]
    neighbours = [good() for _ in range(len(bad) + 1)]
    items = [neighbours[0][1]]
    for text, (_, neighbour) in zip(bad, neighbours[1:], strict=True):
        items += [text, neighbour]
    answer = client.post("/v1/batch", content=b'{"batch":[' + b",".join(items) + b"]}")
    assert answer.status_code == 200
    assert holds(collector, [message_id for message_id, _ in neighbours])


def bomb() -> bytes:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(squeezer.compress(b"[" * 1_000_000) for _ in range(200)) + squeezer.flush()


CORPUS = {
    "bomb": bomb,
    "bomb in a bomb": lambda: gzip.compress(gzip.compress(b"0" * 50_000_000)),
    "cut gzip": lambda: gzip.compress(b'{"batch": []}')[:12],
    "10 MB string": lambda: b'{"batch": ["' + b"x" * 10_000_000 + b'"]}',
    "10 MB of brackets": lambda: b"[" * 10_000_000,
    "500 KB of brackets": lambda: b'{"batch":' + b"[" * 500_000,
    "500 KB of objects": lambda: b'{"a":' * 100_000,
    "500 KB of quotes": lambda: b'"' * 500_000,
    "500 KB of escaped quotes": lambda: b'{"batch":["' + b'\\"' * 250_000,
    "500 KB of commas": lambda: b'{"batch":[' + b"," * 500_000 + b"]}",
    "500 KB of digits": lambda: b'{"batch":[' + b"7" * 500_000 + b"]}",
    "exponents": lambda: b'{"batch":[' + b",".join([b'{"a":1e999}'] * 2_000) + b"]}",
    "names": lambda: b'{"batch":[{' + b",".join(b'"%d":1' % number for number in range(5_000)) + b"}]}",
    "UTF-16": lambda: '{"batch": []}'.encode("utf-16"),
    "random bytes": lambda: random.Random(1).randbytes(100_000),
    "nothing": lambda: b"",
}
GOOD_BATCHES = {"exponents", "names", "500 KB of digits"}
"""Only their events are rubbish."""


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track"])
@pytest.mark.parametrize("name", CORPUS)
def test_corpus(collector: RunningCollector, client: httpx.Client, path: str, name: str) -> None:
    answer = client.post(path, content=CORPUS[name]())
    assert answer.status_code == (200 if name in GOOD_BATCHES and path == "/v1/batch" else 400)
    message_id, event = good()
    assert client.post("/v1/track", content=event).status_code == 200
    assert holds(collector, [message_id])


@pytest.mark.parametrize(
    "request_",
    [
        b"GARBAGE\r\n\r\n",
        b"POST /v1/track HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/track HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"POST /v1/track HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /v1/tr\xffck HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
        b"POST /v1/track HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /v1/track HTTP/1.1\r\n" + b"x-filler: " + b"y" * 200_000 + b"\r\n\r\n",
    ],
)
def test_requests_that_are_no_http(
    collector: RunningCollector, client: httpx.Client, request_: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", collector.port), timeout=10) as connection:
        connection.sendall(request_)
        connection.shutdown(socket.SHUT_WR)
        try:
            answer = connection.recv(1_000)
        except ConnectionResetError:
            answer = b""
    assert b" 500 " not in answer
    assert client.get("/ready").status_code == 200
