"""Webhooks: deliveries per second with store, signature and receipts, how soon one arrives, and what a
dead neighbour costs; how well a rate is held; rows per second of files and tables.

``python -m bench.webhook`` prints the figures.
"""

import asyncio
import multiprocessing
import random
import socket
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from cauce.activate.destinations import FileTarget, SqlTarget, Target, WebhookTarget, ready
from cauce.activate.exchange import Exchange
from cauce.activate.fields import columns_of
from cauce.activate.file_run import FileRun
from cauce.activate.files import write_rows
from cauce.activate.payload import Shape
from cauce.activate.secrets import Secret
from cauce.activate.service import Activation
from cauce.activate.settings import ActivateSettings
from cauce.activate.tables import TableRow, TableWriter
from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.definitions import FileDef, FileFormat, SqlDef
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.membership import MembershipChange
from cauce.vocabulary.moment import HOUR, SECOND, Moment, now
from cauce.vocabulary.profile import ProfileKey

DELIVERIES = 10_000
TARGET = 1_500
PACED, PACED_SECONDS = 100, 10
LATEST_MS = 250
RATE, ERROR, COST, ROUNDS = 200, 2, 5, 3
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
        elif b"seen-" in body:
            self._delays.append(now())

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


def _queue(
    records: SqliteRecords,
    numbers: Sequence[int],
    person: str = "user-",
    names: Sequence[str] = ("crm",),
    shapes: Mapping[str, Shape] | None = None,
) -> None:
    with records.write() as transaction:
        Activation({"buyers": names}, shapes).queue(transaction, _changes(numbers, person))


def _webhook(name: str, url: str, rate: int = 10_000) -> WebhookTarget:
    return WebhookTarget(
        name=name, url=httpx.URL(url), secret=Secret(b"secret"), allow_private=True, rate=rate, timeout=10
    )


@contextmanager
def _delivering(records: SqliteRecords, *targets: Target) -> Iterator[Deliverer]:
    deliverer = Deliverer(records, targets, now, random.Random(1), SETTINGS)
    stop = Event()
    thread = Thread(target=deliverer.run, args=(stop,))
    thread.start()
    try:
        yield deliverer
    finally:
        stop.set()
        deliverer.wake()
        thread.join()


def _wait_until_delivered(records: SqliteRecords, count: int, name: str = "crm") -> None:
    deliveries = Deliveries(records, now, lambda *_: None)
    while deliveries.attempts().get((name, "delivered"), 0) < count:
        sleep(0.02)


def _throughput(folder: Path, url: str, dead: Mapping[str, str]) -> tuple[float, float]:
    """Deliveries per second, and processor microseconds for each, beside neighbours that are ``dead``."""
    records = SqliteRecords(folder / "state.db", STATE)
    for first in range(0, DELIVERIES, 500):
        _queue(records, range(first, first + 500), names=["crm", *dead])
    neighbours = [_webhook(name, where) for name, where in dead.items()]
    started, busy = perf_counter(), process_time()
    with _delivering(records, _webhook("crm", url), *neighbours):
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
    with _delivering(records, _webhook("crm", url)):
        started = monotonic()
        for number in range(PACED * PACED_SECONDS):
            sleep(max(0.0, started + number / PACED - monotonic()))
            _queue(records, [number], person="due-")
        _wait_until_delivered(records, PACED * PACED_SECONDS)
    records.close()
    return sorted(delay * 1_000 / SECOND for delay in delays())


@contextmanager
def _dead() -> Iterator[dict[str, str]]:
    """Three receivers that are down: one refuses, one never answers, one does not even take connections."""
    with socket.socket() as closed, socket.socket() as hung, socket.socket() as full:
        closed.bind(("127.0.0.1", 0))
        hung.bind(("127.0.0.1", 0))
        hung.listen(1_000)
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        places = {"refuses": closed, "hangs": hung, "black hole": full}
        yield {name: f"http://127.0.0.1:{one.getsockname()[1]}/" for name, one in places.items()}
        for one in waiting:
            one.close()


def _neighbour_cost(folder: Path, url: str) -> tuple[float, float, float, float]:
    """Deliveries per second, processor time of each, and the shares of both that a dead neighbour costs.

    Alone and beside each in turn, and the best of each, as other work on the machine only slows down.
    """
    rates: dict[str, list[float]] = {}
    busy: dict[str, list[float]] = {}
    with _dead() as dead:
        for turn in range(ROUNDS):
            for name in ("", *dead):
                place = folder / f"{name or 'alone'}-{turn}"
                place.mkdir()
                rate, microseconds = _throughput(place, url, {name: dead[name]} if name else {})
                rates.setdefault(name, []).append(rate)
                busy.setdefault(name, []).append(microseconds)
    alone, worked = max(rates.pop("")), min(busy.pop(""))
    slower, dearer = min(map(max, rates.values())), max(map(min, busy.values()))
    return alone, worked, 1 - slower / alone, dearer / worked - 1


def _rate_error(folder: Path, url: str, arrivals: Callable[[], list[int]]) -> float:
    """By how much, in percent, the receiver saw another rate than the limit, over ``PACED_SECONDS``."""
    records = SqliteRecords(folder / "rate.db", STATE)
    count = RATE * (PACED_SECONDS + 2)
    for first in range(0, count, 500):
        _queue(records, range(first, min(first + 500, count)), person="seen-")
    with _delivering(records, _webhook("crm", url, RATE)):
        _wait_until_delivered(records, count)
    records.close()
    seen = sorted(arrivals())
    span = PACED_SECONDS * SECOND
    inside = [bisect_left(seen, start + span) - index for index, start in enumerate(seen[: RATE * 2])]
    return max(abs(one - RATE * PACED_SECONDS) for one in inside) / (RATE * PACED_SECONDS) * 100


def _table_rows(folder: Path) -> tuple[float, float]:
    """Changes per second into an SQLite table, and rows per second of bare inserts in as large batches."""
    definition = SqlDef(name="wh", owner="bench", url="env:U", table="people", create=True)
    records = SqliteRecords(folder / "table.db", STATE)
    for first in range(0, DELIVERIES, 500):
        _queue(records, range(first, first + 500), names=["wh"], shapes={"wh": Shape.of(definition)})
    target = SqlTarget(definition=definition, url=Secret(f"sqlite:///{folder}/warehouse.db".encode()))
    started = perf_counter()
    with _delivering(records, target):
        _wait_until_delivered(records, DELIVERIES, "wh")
    took = perf_counter() - started
    records.close()
    writer = TableWriter(target)
    rows = [
        TableRow({"profile_id": f"bare-{number}", "segment": "s", "sequence": 1, "at": None}, True)
        for number in range(DELIVERIES)
    ]
    started = perf_counter()
    for first in range(0, DELIVERIES, 500):
        writer.write(rows[first : first + 500])
    return DELIVERIES / took, DELIVERIES / (perf_counter() - started)


def _file_rows(folder: Path) -> tuple[float, float]:
    """Changes per second into a CSV file with its receipts, and rows per second of the file alone."""
    definition = FileDef(name="drop", owner="bench", folder="out", schedule="hourly")
    records = SqliteRecords(folder / "file.db", STATE)
    moment = [now()]
    [target] = ready([definition], environment={}, folder=folder)
    assert isinstance(target, FileTarget)
    run = FileRun(records, target, ["buyers"], None, lambda: moment[0], SETTINGS)
    run.due(moment[0])
    for first in range(0, DELIVERIES, 500):
        _queue(records, range(first, first + 500), names=["drop"], shapes={"drop": Shape.of(definition)})
    moment[0] = Moment(moment[0] + HOUR)
    started = perf_counter()
    assert run.due(moment[0])
    run.do(lambda: None)
    took = perf_counter() - started
    records.close()
    columns = columns_of(definition)
    row = {column.name: "x" * 20 for column in columns}
    started = perf_counter()
    write_rows(folder / "bare.csv", FileFormat.CSV, columns, (row for _ in range(DELIVERIES * 10)))
    return DELIVERIES / took, DELIVERIES * 10 / (perf_counter() - started)


def run() -> list[Figure]:
    """Deliver a backlog, then changes as they come, to a receiver in another process."""
    with tempfile.TemporaryDirectory() as temporary, _receiver() as (url, delays):
        folder = Path(temporary)
        rate, microseconds, cost, work = _neighbour_cost(folder, url)
        floor = asyncio.run(_bare(httpx.URL(url)))
        late = _delays(folder, url, delays)
        error = _rate_error(folder, url, delays)
        table, bare_table = _table_rows(folder)
        file, bare_file = _file_rows(folder)
    p50, p99 = (late[int(len(late) * share)] for share in (0.5, 0.99))
    return [
        Figure("the worst dead neighbour costs", cost * 100, "%", f"< {COST} %", cost * 100 < COST),
        Figure("processor time it adds", work * 100, "%", "", True),
        Figure(f"rate of {RATE}/s missed by", error, "%", f"≤ {ERROR} %", error <= ERROR),
        Figure("changes into an SQL table (SQLite)", table, "/s", "", True, table / bare_table, "bare rows"),
        Figure("changes into a CSV file", file, "/s", "", True, file / bare_file, "the file alone"),
        Figure("webhooks delivered", rate, "/s", f"≥ {TARGET:,}", rate >= TARGET, rate / floor, FLOOR),
        Figure("processor time of a delivery", microseconds, "µs", "", True),
        Figure(f"change → webhook arrives, {PACED}/s, p50", p50, "ms", "", True),
        Figure(f"change → webhook arrives, {PACED}/s, p99", p99, "ms", f"≤ {LATEST_MS}", p99 <= LATEST_MS),
    ]


if __name__ == "__main__":
    for figure in run():
        sys.stdout.write(f"{figure.what}: {figure.value:,.1f} {figure.unit}, {figure.ratio or 0:.2f}\n")
