"""The short way of tracking calls through HTTP: the same answers and events as on the ordinary one."""

import base64
import gzip
import hashlib
import inspect
import json
import random
import socket
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from uvicorn.protocols.http import flow_control, httptools_impl

from cauce.app.tracking_protocol import TrackingProtocol, protocol
from cauce.collect.settings import CollectSettings
from cauce.vocabulary.errors import Transient
from cauce.vocabulary.event import Logged, Position
from tests.clients.tracking_server import TrackingServer, read_answer, serving, until

BIG = "x" * 70_000
KEY = b"{key}"
BASIC = b"{basic}"


def event(number: int, **more: Any) -> bytes:
    return json.dumps({"event": "Seen", "userId": "ann", "messageId": f"m{number}", **more}).encode()


def post(
    body: bytes, path: str = "/v1/track", *headers: str, key: bool = True, version: str = "1.1"
) -> bytes:
    lines = [f"POST {path} HTTP/{version}", "Host: shop.example", f"Content-Length: {len(body)}", *headers]
    if key:
        lines.append(f"Authorization: Basic {BASIC.decode()}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def batch(*items: bytes, **more: Any) -> bytes:
    return b'{"batch": [' + b", ".join(items) + b'], "rest": ' + json.dumps(more).encode() + b"}"


def typed(number: int) -> bytes:
    return event(number, type="track")


CHUNKED = post(b"", "/v1/track", "Transfer-Encoding: chunked").replace(
    b"Content-Length: 0\r\n", b""
) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(event(60)), event(60))
FORM = "Content-Type: application/x-www-form-urlencoded"
PAGE = "Origin: https://shop.example"
LARGE = [event(n, type="track", text="x" * 7_000) for n in range(32, 48)]
KEY_BESIDE = b'{"writeKey": "%b", "batch": [%b]}' % (KEY, typed(22))
KEY_IN_BODY = event(21, writeKey="key").replace(b'"key"', b'"%b"' % KEY)

REQUESTS: list[tuple[str, bytes, bool]] = [
    # what, the request, whether it goes the short way
    ("an event", post(event(1)), True),
    ("every call", post(event(2, type="x", groupId="g", previousId="p"), "/v1/group"), True),
    ("a short path", post(event(3), "/t"), True),
    ("a batch", post(batch(typed(4), typed(5)), "/v1/batch"), True),
    ("an empty batch", post(b'{"batch": []}', "/v1/batch"), True),
    ("a batch with a wrong event", post(batch(typed(6), b"{}"), "/v1/batch"), True),
    ("a batch with a broken event", post(batch(typed(7), b'{"a": }'), "/v1/batch"), True),
    ("a repeat", post(event(1)), True),
    ("a conflicting repeat", post(event(1, other=1)), True),
    ("no message id", post(b'{"event": "Seen", "userId": "u"}'), True),
    ("no body", post(b""), True),
    ("no JSON", post(b"{"), True),
    ("a track call without name", post(b'{"userId": "u"}'), True),
    ("too large an event", post(event(8, text="x" * 40_000)), True),
    ("an unknown key", post(event(9), "/v1/track", "Authorization: Basic bm9ib2R5Og==", key=False), True),
    ("a broken key", post(event(9), "/v1/track", "Authorization: Basic ???", key=False), True),
    ("no key", post(event(9), key=False), True),
    ("the key in the body", post(KEY_IN_BODY, key=False), True),
    ("the key of a batch", post(KEY_BESIDE, "/b", key=False), True),
    ("two keys", post(event(23), "/v1/track", "Authorization: Basic bm9ib2R5Og=="), True),
    ("gzip", post(gzip.compress(event(24), mtime=0), "/v1/track", "Content-Encoding: gzip"), True),
    ("a form", post(b"data=%7B%22userId%22%3A1%7D", "/v1/t", FORM), True),
    ("from a page", post(event(25), "/v1/t", PAGE, "Content-Type: text/plain"), True),
    ("odd writing of headers", post(event(26), "/v1/track", "oRiGiN:https://a.example", "X-A:  b  "), True),
    ("the last of a connection", post(event(27), "/v1/track", "Connection: close"), True),
    ("the last one, refused", post(b"[", "/v1/track", "Connection: close"), True),
    ("HTTP/1.0", post(event(28), version="1.0"), True),
    ("HTTP/1.0, kept alive", post(event(29), "/v1/track", "Connection: keep-alive", version="1.0"), True),
    ("strict", post(event(30), "/v1/track", "X-Strict: 1"), False),
    ("not strict", post(event(31), "/v1/track", "X-Strict: 0"), False),
    ("a large batch", post(batch(*LARGE), "/b"), False),
    ("too large a batch", post(batch(*[b'{"t": "%s"}' % BIG.encode()] * 9), "/b"), False),
    ("chunks", CHUNKED, False),
    ("an upgrade", post(event(61), "/v1/track", "Connection: Upgrade", "Upgrade: h2c"), False),
    ("a query", post(event(62), "/v1/track?a=b"), False),
    ("an encoded path", post(event(63), "/v1/%74rack"), False),
    ("another path", post(event(64), "/v1/nothing"), False),
    ("a dry run", post(batch(typed(65)), "/v1/validate"), False),
    ("another method", post(b"").replace(b"POST", b"GET"), False),
    ("a pre-flight", post(b"").replace(b"POST", b"OPTIONS"), False),
    ("a picture", b"GET /v1/pixel/track?data= HTTP/1.1\r\nHost: a\r\n\r\n", False),
    ("health", b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n", False),
    ("no HTTP", b"GARBAGE\r\n\r\n", False),
    ("contradictory lengths", post(event(66), "/v1/track", "Transfer-Encoding: chunked"), False),
]  # fmt: skip


UNREAD = {"no HTTP", "contradictory lengths", "an upgrade"}
"""The rest of these is not looked at."""


def filled(server: TrackingServer, request: bytes) -> bytes:
    """The request with this server's key; its length fits, because both keys are equally long."""
    basic = base64.b64encode(f"{server.key}:".encode())
    whole = request.replace(BASIC, basic)
    if KEY not in whole:
        return whole
    head, gap, body = whole.replace(KEY, server.key.encode()).partition(b"\r\n\r\n")
    before = len(request.partition(b"\r\n\r\n")[2])
    return head.replace(b"Content-Length: %d" % before, b"Content-Length: %d" % len(body)) + gap + body


def kept(server: TrackingServer) -> tuple[list[Logged], list[Any]]:
    """What is in the log and in quarantine, without this server's key."""
    return server.log.read(Position(0), 10_000), server.log.quarantined(limit=10_000)


Servers = tuple[TrackingServer, TrackingServer]
"""One on the short way, one on the ordinary one."""


@contextmanager
def both(folder: Path, **more: Any) -> Iterator[Servers]:
    with ExitStack() as stack:
        short = stack.enter_context(serving(folder / "short", short=True, **more))
        yield short, stack.enter_context(serving(folder / "ordinary", short=False, **more))


@contextmanager
def log_held(server: TrackingServer) -> Iterator[None]:
    """Nothing becomes durable meanwhile."""
    with closing(sqlite3.connect(server.space / "log.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def waiting(server: TrackingServer, count: int) -> None:
    until(lambda: server.app.intake.waiting_events == count)


# The same answers


def test_equal_answers_and_events(tmp_path: Path) -> None:
    with both(tmp_path) as (short, ordinary):
        for name, request, goes_short in REQUESTS:
            before = short.app.ordinary
            answer = short.ask(filled(short, request))
            assert answer == ordinary.ask(filled(ordinary, request)), name
            assert answer[0].startswith(b"HTTP/1.1 "), name
            went_ordinary = short.app.ordinary - before + (name in {"no HTTP", "contradictory lengths"})
            assert went_ordinary == (not goes_short), name
        assert kept(short) == kept(ordinary)
        assert len(kept(short)[0]) > 30
        assert len(kept(short)[1]) > 5
        assert short.app.intake.counters.requests == ordinary.app.intake.counters.requests
        served = [server.server.server_state.total_requests for server in (short, ordinary)]
        assert served[0] == served[1] > 30


def test_equal_answers_on_one_connection(tmp_path: Path) -> None:
    chosen = [one for _, one, short in REQUESTS if short and b"onnection:" not in one and b"/1.0" not in one]
    with both(tmp_path) as servers:
        told = []
        for server in servers:
            with server.connect() as connection:
                told.append([])
                for request in chosen:
                    connection.sendall(filled(server, request))
                    told[-1].append(read_answer(connection))
        assert told[0] == told[1]
        assert servers[0].app.ordinary == 0
        assert kept(servers[0]) == kept(servers[1])


def test_requests_in_pieces(tmp_path: Path) -> None:
    cuts = random.Random(5)
    with both(tmp_path) as (short, ordinary):
        for name, request, _ in REQUESTS:
            if name in UNREAD or len(request) > 200_000:
                continue
            places = sorted({0, len(request), *(cuts.randrange(len(request)) for _ in range(5))})
            told = []
            for server in (short, ordinary):
                text = filled(server, request)
                ends = [*places[1:-1], len(text)]
                told.append(server.ask(*[text[a:b] for a, b in zip(places, ends, strict=False)]))
            assert told[0] == told[1], name
        single = filled(short, post(event(70)))
        before = short.app.ordinary
        assert short.ask(*[single[at : at + 1] for at in range(len(single))])[0].startswith(b"HTTP/1.1 200")
        assert short.app.ordinary == before, "a slow sender goes the short way too"
        ordinary.ask(filled(ordinary, post(event(70))))
        assert kept(short) == kept(ordinary)


def test_a_sender_that_waits_to_be_asked_for_the_body(tmp_path: Path) -> None:
    told = []
    with both(tmp_path) as servers:
        for server in servers:
            whole = filled(server, post(event(1), "/v1/track", "Expect: 100-continue"))
            head = whole.index(b"\r\n\r\n") + 4
            with server.connect() as connection:
                server.send(connection, [whole[:head]])
                told.append([read_answer(connection)])
                server.send(connection, [whole[head:]])
                told[-1].append(read_answer(connection))
        assert told[0] == told[1]
        assert [answer[9:12] for answer in told[0]] == [b"100", b"200"]
        assert kept(servers[0]) == kept(servers[1])


def test_pipelined_requests_are_answered_in_order(tmp_path: Path) -> None:
    line = [
        post(event(1)),
        post(b"["),
        post(event(2), key=False),
        post(event(3)),
        b"GET /health HTTP/1.1\r\n\r\n",
    ]
    line += [post(event(4)), post(event(5), "/v1/track", "Connection: close"), post(event(6))]  # fmt: skip
    with both(tmp_path) as servers:
        for first in range(4):
            asked = line[first:]
            told = [
                server.ask(b"".join(filled(server, one) for one in asked), answers=len(asked) - 1)
                for server in servers
            ]
            assert told[0] == told[1]
            assert told[0][-1] == b"", "the connection ends where its sender said"
        assert servers[0].app.ordinary == sum(len(line) - first - 2 for first in range(4)), "but the first"
        assert kept(servers[0]) == kept(servers[1])


def test_a_request_that_comes_while_another_is_under_way(tmp_path: Path) -> None:
    with serving(tmp_path / "space", short=True) as server:
        with log_held(server), server.connect() as connection:
            server.send(connection, [filled(server, post(event(1)))])
            waiting(server, 1)
            server.send(connection, [filled(server, post(b"{"))[:40]])
            connection.sendall(filled(server, post(b"{"))[40:] + filled(server, post(event(2))))
            assert server.app.ordinary == 0, "it waits for its turn"
            connection.setblocking(False)
            with pytest.raises(BlockingIOError):
                connection.recv(1)
            connection.setblocking(True)
            rest = connection.dup()
        with rest:
            statuses = [read_answer(rest)[9:12] for _ in range(3)]
        assert statuses == [b"200", b"400", b"200"]
        assert server.app.ordinary == 2


# What is unable


class Unreadable:
    """Keys that cannot be read."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def verify(self, write_key: str) -> str | None:
        raise self.error


@pytest.mark.parametrize(("error", "status"), [(Transient("Gone."), b"503"), (RuntimeError("a bug"), b"500")])
def test_keys_that_cannot_be_read(tmp_path: Path, error: Exception, status: bytes) -> None:
    with both(tmp_path, keys=Unreadable(error)) as servers:
        told = [server.ask(filled(server, post(event(1)))) for server in servers]
        assert told[0] == told[1]
        assert told[0][0][9:12] == status


def test_a_log_that_refuses(tmp_path: Path) -> None:
    with both(tmp_path, lock_seconds=0.05) as servers:
        told = []
        for server in servers:
            with log_held(server):
                told.append(server.ask(filled(server, post(event(1)))))
            told[-1] += server.ask(filled(server, post(event(2))))
        assert told[0] == told[1]
        assert [answer[9:12] for answer in told[0]] == [b"503", b"200"]
        assert b"\r\nretry-after: 1\r\n" in told[0][0]
        assert kept(servers[0]) == kept(servers[1])


def test_too_much_waits(tmp_path: Path) -> None:
    told = []
    with both(tmp_path, limits=CollectSettings(waiting_events=1)) as servers:
        for server in servers:
            with log_held(server), server.connect() as connection:
                connection.sendall(filled(server, post(event(1))))
                waiting(server, 1)
                told.append(server.ask(filled(server, post(event(2)))))
                rest = connection.dup()
            with rest:
                assert read_answer(rest)[9:12] == b"200"
        assert told[0] == told[1]
        assert told[0][0][9:12] == b"429"


# Clients that go, clients that wait


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_goes_before_its_answer(
    tmp_path: Path, reset: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(tmp_path / "space", short=True) as server:
        with log_held(server):
            connection = server.connect()
            server.send(connection, [filled(server, post(event(1)))])
            waiting(server, 1)
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            until(lambda: not server.server.server_state.connections)
        waiting(server, 0)
        assert [one.message_id for one in kept(server)[0]] == ["m1"]
        assert server.ask(filled(server, post(event(2))))[0][9:12] == b"200"
        assert dict(server.app.intake.counters.requests) == {200: 2}
        assert server.server.server_state.total_requests == 1, "one was answered"
        assert caplog.records == []


def test_a_client_that_goes_in_the_midst_of_its_body(tmp_path: Path) -> None:
    with serving(tmp_path / "space", short=True) as server:
        with server.connect() as connection:
            server.send(connection, [filled(server, post(event(1)))[:-5]])
        until(lambda: not server.server.server_state.connections)
        assert kept(server) == ([], [])
        assert dict(server.app.intake.counters.requests) == {}


def test_idle_connections_end_and_waiting_ones_do_not(tmp_path: Path) -> None:
    with serving(tmp_path / "space", short=True, keep_alive_seconds=1) as server:
        with log_held(server), server.connect() as connection:
            connection.sendall(filled(server, post(event(1))))
            waiting(server, 1)
            with server.connect() as idle:
                idle.sendall(b"GET /health HTTP/1.1\r\n\r\n")
                assert read_answer(idle)
                assert read_answer(idle) == b"", "an idle connection ends"
            rest = connection.dup()
        with rest:
            assert read_answer(rest)[9:12] == b"200", "a second later it still waited for its answer"
            rest.sendall(filled(server, post(event(2))))
            assert read_answer(rest)[9:12] == b"200"
            assert read_answer(rest) == b"", "it ends when it has been idle in its turn"


def test_answers_that_nobody_reads_do_not_heap_up(tmp_path: Path) -> None:
    server = TrackingServer(tmp_path / "space", short=True)
    server.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
    server.start()
    request, sent = filled(server, post(event(1))), 0
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.connect(("127.0.0.1", server.port))
        while server.app.ordinary == 0:
            connection.sendall(request)
            sent += 1
            until(lambda wanted=sent: server.app.intake.counters.requests[200] == wanted)  # type: ignore[misc]
            assert sent < 6_000, "it keeps all answers"
        (mine,) = server.server.server_state.connections
        assert mine.transport.get_write_buffer_size() < 100_000  # type: ignore[union-attr]
        assert sent > 200, "those before went the short way"
        assert {read_answer(connection)[9:12] for _ in range(sent)} == {b"200"}
        connection.sendall(request)
        assert read_answer(connection)[9:12] == b"200"
        assert server.app.ordinary == 1, "and so does the next, when they are read"
    server.begin_stop()
    server.ended()


# The end


def test_a_stop_answers_what_is_under_way(tmp_path: Path) -> None:
    server = TrackingServer(tmp_path / "space", short=True).start()
    ask = [filled(server, post(event(number))) for number in range(3)]
    with server.connect() as idle, server.connect() as half:
        server.send(half, [ask[1][:-7]])
        with log_held(server), server.connect() as connection:
            server.send(connection, [ask[0]])
            waiting(server, 1)
            server.begin_stop()
            assert read_answer(idle) == b""
            server.send(half, [ask[1][-7:]])
            waiting(server, 2)
            rest = connection.dup()
        with rest:
            for one in (rest, half):
                answer = read_answer(one)
                assert answer[9:12] == b"200"
                assert b"\r\nconnection: close\r\n" in answer
                assert read_answer(one) == b""
        assert [one.message_id for one in kept(server)[0]] == ["m0", "m1"]
        assert server.app.ordinary == 0
        server.ended()


def test_a_stop_in_the_midst_of_a_large_body(tmp_path: Path) -> None:
    server = TrackingServer(tmp_path / "space", short=True).start()
    whole = filled(server, post(batch(*LARGE), "/b"))
    with server.connect() as connection:
        server.send(connection, [whole[:30_000]])
        (mine,) = server.server.server_state.connections
        server.begin_stop()
        until(lambda: not mine.cycle.keep_alive)  # type: ignore[union-attr]
        connection.sendall(whole[30_000:])
        answer = read_answer(connection)
        assert answer[9:12] == b"200"
        assert b"\r\nconnection: close\r\n" in answer
        assert read_answer(connection) == b""
    assert len(kept(server)[0]) == len(LARGE)
    assert server.app.ordinary == 1
    server.ended()


# The house it stands on


def test_uvicorn_is_as_the_short_way_knows_it() -> None:
    """When this fails, read what changed in these parts, see that the others of this file hold, and renew."""
    parts = (
        httptools_impl.HttpToolsProtocol,
        httptools_impl.RequestResponseCycle,
        flow_control.FlowControl,
    )
    text = "".join(inspect.getsource(part) for part in parts)
    assert protocol() is TrackingProtocol
    assert protocol("99.0.0") is httptools_impl.HttpToolsProtocol, "another one is not trusted"
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "1f0ad26f71ba02a7"
