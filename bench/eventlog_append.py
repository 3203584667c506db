"""Appending to the event log: microseconds an event, and the memory of its index.

Groups of 300 events with random UUIDs, 2 % of them repeats, fsync at every
group, on logs that already hold so many events. Beside it the floor: the same
rows inserted into a bare SQLite table with the same groups and fsyncs.
``python -m bench.eventlog_append [HELD ...]`` prints JSON.
"""

import json
import random
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cauce.eventlog.port import Outcome
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.event import Accepted, Call
from cauce.vocabulary.moment import Moment

_GROUP = 300
_GROUPS = 500
_REPEATS = 0.02
CALL_BODY: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "userId": "user-123456",
    "timestamp": "2026-01-01T12:00:00.123Z",
    "properties": {
        "order_id": "o-123456",
        "total": 123.45,
        "currency": "EUR",
        "products": [{"sku": "A1", "price": 12.5, "quantity": 2}, {"sku": "B2", "price": 1.5}],
    },
    "context": {
        "library": {"name": "analytics-python", "version": "2.3"},
        "ip": "10.0.0.1",
        "page": {"url": "https://example.org/x", "path": "/x", "title": "Hello"},
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
    },
}


def run(held: Sequence[int] = (0, 1_000_000, 5_000_000)) -> list[dict[str, Any]]:
    """One row of figures for each number of events already held (ascending), in one growing log."""
    rng = random.Random(1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        log = SqliteLog(Path(folder))
        log.catch_up()
        bare = _bare(Path(folder) / "bare.db")
        for count in held:
            _fill(log, count, rng)
            rows.append({"held": count, **_measure(log, bare, rng)})
        log.close()
        bare.close()
    return rows


def _measure(log: SqliteLog, bare: sqlite3.Connection, rng: random.Random) -> dict[str, Any]:
    """Append and insert in turns, so that a disturbance of the disk meets both."""
    begin = commit = floor = processor = 0.0
    accepted = 0
    for group in _groups(rng):
        used = time.thread_time()
        times = [time.perf_counter()]
        pending = log.begin_append(group, [], now=Moment(0))
        times.append(time.perf_counter())
        if pending is None:
            raise RuntimeError("nobody else holds this log")
        pending.commit()
        times.append(time.perf_counter())
        processor += time.thread_time() - used
        _insert(bare, group)
        times.append(time.perf_counter())
        begin, commit, floor = (
            begin + times[1] - times[0],
            commit + times[2] - times[1],
            floor + times[3] - times[2],
        )
        accepted += pending.outcomes.count(Outcome.ACCEPTED)
    total = _GROUP * _GROUPS
    return {
        "microseconds_per_event": round((begin + commit) / total * 1e6, 2),
        "of_which_before_the_commit": round(begin / total * 1e6, 2),
        "processor_microseconds_per_event": round(processor / total * 1e6, 2),
        "bare_insert_microseconds": round(floor / total * 1e6, 2),
        "ratio_to_bare_insert": round(floor / (begin + commit), 2),
        "events_per_second": round(total / (begin + commit)),
        "accepted_share": round(accepted / total, 4),
        "index_bytes_per_id": round(log.index_bytes() / log.head(), 1),
    }


def _event(message_id: str) -> Accepted:
    body = json.dumps(CALL_BODY | {"messageId": message_id}, separators=(",", ":")).encode()
    return Accepted(
        message_id=message_id,
        time=Moment(1_767_268_800_000_000),
        call=Call.TRACK,
        name="Order Completed",
        source="web",
        body=body,
    )


def _random_id(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128)))


def _fill(log: SqliteLog, upto: int, rng: random.Random) -> None:
    """Short bodies: only the ids matter here."""
    for start in range(log.head(), upto, 10_000):
        ids = [_random_id(rng) for _ in range(min(10_000, upto - start))]
        log.append(
            [
                Accepted(message_id=i, time=Moment(0), call=Call.TRACK, name="A", source="s", body=b"{}")
                for i in ids
            ],
            [],
            now=Moment(0),
        )


def _groups(rng: random.Random) -> Iterator[list[Accepted]]:
    sent: list[Accepted] = []
    for _ in range(_GROUPS):
        group = []
        for _ in range(_GROUP):
            if sent and rng.random() < _REPEATS:
                group.append(rng.choice(sent))
            else:
                sent.append(_event(_random_id(rng)))
                group.append(sent[-1])
        yield group


def _bare(path: Path) -> sqlite3.Connection:
    """A table of the same columns, with fsync, that nobody looks ids up in."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE event (position INTEGER PRIMARY KEY, received, time, call, name, id, source, body)"
    )
    return connection


def _insert(bare: sqlite3.Connection, group: list[Accepted]) -> None:
    bare.execute("BEGIN IMMEDIATE")
    bare.executemany(
        "INSERT INTO event VALUES (NULL, 0, ?, 'track', ?, ?, ?, ?)",
        [(event.time, event.name, event.message_id, event.source, event.body) for event in group],
    )
    bare.execute("COMMIT")


if __name__ == "__main__":
    wanted = [int(word) for word in sys.argv[1:]]
    sys.stdout.write(json.dumps(run(wanted) if wanted else run(), indent=1) + "\n")
