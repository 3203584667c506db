"""Webhooks: deliveries per second with store, signature and receipts, and how soon one arrives.

``python -m bench.webhook`` prints the figures.
"""

import asyncio
import multiprocessing
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Event, Thread
from time import monotonic, perf_counter, process_time, sleep

import httptools
import httpx

from bench.figures import Figure
from cauce.activate.deliverer import Deliverer
from cauce.activate.deliveries import Deliveries
from cauce.activate.destinations import WebhookTarget
from cauce.activate.exchange import Exchange
from cauce.activate.secrets import Secret
from cauce.activate.service import Activation
from cauce.activate.settings import ActivateSettings
from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.membership import MembershipChange
from cauce.vocabulary.moment import SECOND, now
from cauce.vocabulary.profile import ProfileKey

DELIVERIES = 10_000
TARGET = 1_500
PACED, PACED_SECONDS = 100, 10
LATEST_MS = 250
FLOOR = "the same requests without store, signature and receipts"
SETTINGS = ActivateSettings()


class _Receiver(asyncio.Protocol):
    """Answers 200 to everything, and remembers how long each body had been under way."""

    def __init__(self, delays: list[int]) -> None:
        self._delays = delays
        self._parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        if b"due-" in body:
            self._delays.append(now() - int(body.partition(b"due-")[2][:16]))

    def on_message_complete(self) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def _receive(parent: Connection) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        delays: list[int] = []
        server = await loop.create_server(lambda: _Receiver(delays), "127.0.0.1", 0)
        parent.send(server.sockets[0].getsockname()[1])
        while await loop.run_in_executor(None, parent.recv):
            parent.send(delays)
            delays.clear()

    asyncio.run(serve())


@contextmanager
def _receiver() -> Iterator[tuple[str, Callable[[], list[int]]]]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_receive, args=(theirs,))
    process.start()

    def delays() -> list[int]:
        ours.send(True)
        found: list[int] = ours.recv()
        return found

    try:
        yield f"http://127.0.0.1:{ours.recv()}/hook", delays
    finally:
        ours.send(False)
        process.join()


def _changes(numbers: Sequence[int], person: str) -> list[MembershipChange]:
    at = now()
    return [
        MembershipChange(
            sequence=number,
            segment="buyers",
            profile=ProfileKey(number),
            profile_id=f"profile-{number}",
            entered=True,
            at=at,
            position=Position(number),
            message_id=f"message-{number}",
            identifiers=(
                Identifier("user_id", f"{person}{at}"),
                Identifier("email", f"{number}@example.org"),
            ),
        )
        for number in numbers
    ]


def _queue(records: SqliteRecords, numbers: Sequence[int], person: str = "user-") -> None:
    with records.write() as transaction:
        Activation({"buyers": ["crm"]}).queue(transaction, _changes(numbers, person))


@contextmanager
def _delivering(records: SqliteRecords, url: str) -> Iterator[Deliverer]:
    crm = WebhookTarget(
        name="crm", url=httpx.URL(url), secret=Secret(b"secret"), allow_private=True, rate=10_000, timeout=10
    )
    deliverer = Deliverer(records, [crm], now, random.Random(1), SETTINGS)
    stop = Event()
    thread = Thread(target=deliverer.run, args=(stop,))
    thread.start()
    try:
        yield deliverer
    finally:
        stop.set()
        deliverer.wake()
        thread.join()


def _wait_until_delivered(records: SqliteRecords, count: int) -> None:
    deliveries = Deliveries(records, now, lambda *_: None)
    while deliveries.attempts().get(("crm", "delivered"), 0) < count:
        sleep(0.02)


def _throughput(folder: Path, url: str) -> tuple[float, float]:
    """Deliveries per second, and processor microseconds for each."""
    records = SqliteRecords(folder / "throughput.db", STATE)
    for first in range(0, DELIVERIES, 500):
        _queue(records, range(first, first + 500))
    started, busy = perf_counter(), process_time()
    with _delivering(records, url):
        _wait_until_delivered(records, DELIVERIES)
        took, worked = perf_counter() - started, process_time() - busy
    records.close()
    return DELIVERIES / took, worked / DELIVERIES * 1e6


async def _bare(url: httpx.URL) -> float:
    """Requests per second over as many connections, with nothing else around them."""
    request = b"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n" + b"x" * 500
    loop = asyncio.get_running_loop()
    left = DELIVERIES

    async def one() -> None:
        nonlocal left
        _, exchange = await loop.create_connection(lambda: Exchange(65_536), url.host, url.port)
        while left > 0:
            left -= 1
            await exchange.post(request)
        exchange.close()

    started = perf_counter()
    await asyncio.gather(*[one() for _ in range(SETTINGS.concurrency)])
    return DELIVERIES / (perf_counter() - started)


def _delays(folder: Path, url: str, delays: Callable[[], list[int]]) -> list[float]:
    """Milliseconds from a change's commit to its arrival, at ``PACED`` changes a second, ascending."""
    records = SqliteRecords(folder / "paced.db", STATE)
    with _delivering(records, url):
        started = monotonic()
        for number in range(PACED * PACED_SECONDS):
            sleep(max(0.0, started + number / PACED - monotonic()))
            _queue(records, [number], person="due-")
        _wait_until_delivered(records, PACED * PACED_SECONDS)
    records.close()
    return sorted(delay * 1_000 / SECOND for delay in delays())


def run() -> list[Figure]:
    """Deliver a backlog, then changes as they come, to a receiver in another process."""
    with tempfile.TemporaryDirectory() as temporary, _receiver() as (url, delays):
        folder = Path(temporary)
        rate, microseconds = _throughput(folder, url)
        floor = asyncio.run(_bare(httpx.URL(url)))
        late = _delays(folder, url, delays)
    p50, p99 = (late[int(len(late) * share)] for share in (0.5, 0.99))
    return [
        Figure("webhooks delivered", rate, "/s", f"≥ {TARGET:,}", rate >= TARGET, rate / floor, FLOOR),
        Figure("processor time of a delivery", microseconds, "µs", "", True),
        Figure(f"change → webhook arrives, {PACED}/s, p50", p50, "ms", "", True),
        Figure(f"change → webhook arrives, {PACED}/s, p99", p99, "ms", f"≤ {LATEST_MS}", p99 <= LATEST_MS),
    ]


if __name__ == "__main__":
    for figure in run():
        sys.stdout.write(f"{figure.what}: {figure.value:,.1f} {figure.unit}, {figure.ratio or 0:.2f}\n")
