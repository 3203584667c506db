"""Appending to the log on PostgreSQL: events per second, beside bare COPY, and with several appenders.

Groups of 300 events with random UUIDs, 2 % of them repeats, a durable commit for each,
on a log that already holds some. The floor is the same rows copied into a bare table of
the same server with the same groups and commits, in turns. Several appenders are threads
with logs of their own, as collectors would be. The server is a throwaway one with fsync.
"""

import os
import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg

from bench.eventlog_append import _event, _random_id
from bench.figures import Figure
from cauce.eventlog.postgres import PostgresLog
from cauce.vocabulary.event import Accepted
from cauce.vocabulary.moment import Moment
from tests.services.postgres import own_cluster

_GROUP = 300
_GROUPS = int(os.environ.get("CAUCE_BENCH_GROUPS", "300"))
_HELD = 100_000
_APPENDERS = 4
_REPEATS = 0.02
_BARE = """
CREATE TABLE bare (position bigint PRIMARY KEY, received bigint, time bigint, call text, name text,
  message_id text, source text, body bytea)
"""


def run() -> list[Figure]:
    """One appender beside bare COPY, then several at once beside one."""
    rng = random.Random(5)
    with own_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        with closing(PostgresLog(cluster.url, "cauce", Path(folder))) as log:
            for _ in range(0, _HELD, 10_000):
                log.append([_event(_random_id(rng)) for _ in range(10_000)], [], now=Moment(0))
            with psycopg.connect(cluster.url, autocommit=True) as bare:
                bare.execute(_BARE)
                log_seconds, floor_seconds = _in_turns(log, bare, rng)
        several = _together(cluster.url, Path(folder), rng)
    events = _GROUP * _GROUPS
    rate, ratio = events / log_seconds, floor_seconds / log_seconds
    return [
        Figure(
            f"append on PostgreSQL, groups of {_GROUP}",
            rate,
            "events/s",
            "≥ 0.5",
            ratio >= 0.5,
            ratio,
            "copying into a bare table",
        ),
        Figure(
            f"  {_APPENDERS} appenders at once",
            several,
            "events/s",
            "≥ 0.8",
            several / rate >= 0.8,
            several / rate,
            "one appender",
        ),
    ]


def _in_turns(log: PostgresLog, bare: psycopg.Connection, rng: random.Random) -> tuple[float, float]:
    """Seconds of the log and of the floor, group by group."""
    spent = floor = 0.0
    for group in _groups(rng, _GROUPS):
        started = time.perf_counter()
        log.append(group, [], now=Moment(0))
        ended = time.perf_counter()
        _copy(bare, group)
        spent, floor = spent + ended - started, floor + time.perf_counter() - ended
    return spent, floor


def _copy(bare: psycopg.Connection, group: list[Accepted]) -> None:
    with bare.transaction(), bare.cursor() as cursor:
        row = cursor.execute("SELECT coalesce(max(position), 0) FROM bare").fetchone()
        position = row[0] if row else 0
        with cursor.copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "int8", "int8", "text", "text", "text", "text", "bytea"])
            for number, one in enumerate(group, position + 1):
                copy.write_row(
                    (number, 0, one.time, one.call.value, one.name, one.message_id, one.source, one.body)
                )


def _together(url: str, folder: Path, rng: random.Random) -> float:
    """Events per second of all appenders."""
    works = [list(_groups(rng, _GROUPS // _APPENDERS)) for _ in range(_APPENDERS)]
    logs = [PostgresLog(url, "cauce", folder) for _ in works]
    for log in logs:
        log.catch_up()

    def append(log: PostgresLog, groups: list[list[Accepted]]) -> None:
        for group in groups:
            log.append(group, [], now=Moment(0))

    with ThreadPoolExecutor(_APPENDERS) as pool:
        started = time.perf_counter()
        list(pool.map(append, logs, works))
        seconds = time.perf_counter() - started
    for log in logs:
        log.close()
    return _GROUP * sum(map(len, works)) / seconds


def _groups(rng: random.Random, count: int) -> list[list[Accepted]]:
    sent: list[Accepted] = [_event(_random_id(rng))]
    groups = []
    for _ in range(count):
        group = [
            rng.choice(sent) if rng.random() < _REPEATS else _event(_random_id(rng)) for _ in range(_GROUP)
        ]
        sent.extend(group)
        groups.append(group)
    return groups


if __name__ == "__main__":
    for figure in run():
        print(f"{figure.what:45} {figure.value:12,.1f} {figure.unit:10} {figure.ratio or 0:.2f}")
