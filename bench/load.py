"""A cheap HTTP load generator: raw sockets and epoll in a process of its own, requests made beforehand."""

import base64
import json
import random
import select
import socket
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple


class Plan(NamedTuple):
    """What one round sends: ``requests`` of ``batch`` events each (1: single track calls) to ``port``."""

    port: int
    key: str
    requests: int
    batch: int
    connections: int
    seed: int
    repeats: float = 0.02
    basic: str = ""
    """The write key as Basic authorization carries it."""


class Round(NamedTuple):
    """What one round measured; latencies in seconds."""

    events: int
    requests: int
    seconds: float
    p50: float
    p99: float
    statuses: dict[int, int]

    @property
    def events_per_second(self) -> float:
        """Events acknowledged per second."""
        return self.events / self.seconds

    @property
    def requests_per_second(self) -> float:
        """Requests answered per second."""
        return self.requests / self.seconds


def events(count: int, seed: int, repeats: float = 0.02) -> Iterator[dict[str, Any]]:
    """Track calls of about 600 bytes with random UUIDs; a share of ``repeats`` comes again unchanged."""
    rng = random.Random(seed)
    recent: list[dict[str, Any]] = []
    for number in range(count):
        if recent and rng.random() < repeats:
            yield rng.choice(recent)
            continue
        event = _event(rng, number)
        if len(recent) < 1000:
            recent.append(event)
        else:
            recent[number % 1000] = event
        yield event


def _uuid(rng: random.Random) -> str:
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _event(rng: random.Random, number: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "messageId": _uuid(rng),
        "userId": f"user-{number % 100_000}",
        "anonymousId": _uuid(rng),
        "timestamp": "2026-01-01T12:00:00.123Z",
        "properties": {
            "orderId": f"o{number}",
            "revenue": 123.45,
            "currency": "EUR",
            "products": [
                {"sku": "A1", "price": 12.5, "quantity": 2},
                {"sku": "B2", "price": 1.5, "quantity": 1},
            ],
        },
        "context": {
            "library": {"name": "analytics-python", "version": "2.3"},
            "ip": "10.0.0.1",
            "page": {"url": "https://example.org/x", "path": "/x", "title": "Hello"},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
        },
        "integrations": {},
    }


def requests(plan: Plan) -> list[bytes]:
    """The whole HTTP requests of a plan, ready to be sent."""
    source = events(plan.requests * plan.batch, plan.seed, plan.repeats)
    basic = base64.b64encode(f"{plan.key}:".encode()).decode()
    made = []
    for _ in range(plan.requests):
        if plan.batch == 1:
            path, body = "/v1/track", json.dumps(next(source)).encode()
        else:
            items = [next(source) for _ in range(plan.batch)]
            path, body = "/v1/batch", json.dumps({"batch": items, "sentAt": "2026-01-01T12:00:01Z"}).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Basic {basic}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def serve_rounds(pipe: Connection) -> None:
    """Entry of the generator's process: makes a plan's requests, says so, and sends them when told."""
    while (plan := pipe.recv()) is not None:
        made = requests(plan)
        pipe.send("ready")
        pipe.recv()
        pipe.send(drive(made, plan))


class _Lane:
    __slots__ = ("begun", "received", "rest", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.rest = memoryview(b"")
        self.received = b""
        self.begun = 0.0


def drive(made: Sequence[bytes], plan: Plan) -> Round:
    """Send all requests, each connection the next one as soon as it has its answer."""
    lanes = {}
    poll = select.epoll()
    for _ in range(min(plan.connections, len(made))):
        lane = _Lane(plan.port)
        lanes[lane.socket.fileno()] = lane
        poll.register(lane.socket, select.EPOLLIN)
    waiting = iter(made)
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    begun = time.perf_counter()
    for lane in lanes.values():
        _begin(lane, next(waiting), poll)
    while len(latencies) < len(made):
        for number, happened in poll.poll():
            lane = lanes[number]
            if happened & select.EPOLLOUT:
                _go_on(lane, poll)
            if happened & ~select.EPOLLOUT and (status := _answer(lane)):
                statuses[status] = statuses.get(status, 0) + 1
                latencies.append(time.perf_counter() - lane.begun)
                following = next(waiting, None)
                if following is not None:
                    _begin(lane, following, poll)
    seconds = time.perf_counter() - begun
    for lane in lanes.values():
        lane.socket.close()
    latencies.sort()
    return Round(
        events=len(made) * plan.batch,
        requests=len(made),
        seconds=seconds,
        p50=latencies[len(latencies) // 2],
        p99=latencies[len(latencies) * 99 // 100],
        statuses=statuses,
    )


def _begin(lane: _Lane, request: bytes, poll: select.epoll) -> None:
    lane.begun = time.perf_counter()
    try:
        sent = lane.socket.send(request)
    except BlockingIOError:
        sent = 0
    if sent < len(request):
        lane.rest = memoryview(request)[sent:]
        poll.modify(lane.socket, select.EPOLLIN | select.EPOLLOUT)


def _go_on(lane: _Lane, poll: select.epoll) -> None:
    try:
        lane.rest = lane.rest[lane.socket.send(lane.rest) :]
    except BlockingIOError:
        return
    if not lane.rest:
        poll.modify(lane.socket, select.EPOLLIN)


def _answer(lane: _Lane) -> int:
    """The status of the answer once it is whole, else 0."""
    data = lane.socket.recv(65_536)
    if not data:
        raise ConnectionError("the server closed the connection")
    lane.received += data
    head, gap, body = lane.received.partition(b"\r\n\r\n")
    if not gap:
        return 0
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
    if len(body) < length:
        return 0
    lane.received = b""
    return int(head[9:12])
