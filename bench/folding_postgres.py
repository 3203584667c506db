"""Fold on PostgreSQL with one and with two workers, beside a bare loop of the same row traffic."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import cast

import psutil
import psycopg

from bench.figures import Figure
from bench.folding import SEGMENTS, Shares, filled_log, steps
from cauce.activate.service import Activation
from cauce.app.pipeline import Pipeline
from cauce.app.rounds.worker import RoundWorker
from cauce.eventlog.sqlite import SqliteLog
from cauce.govern.access import Access
from cauce.identity.rules import default_rules, read_rules
from cauce.identity.service import Identity
from cauce.profile.service import Profiles
from cauce.segment.live import LiveSegment, LiveSegments
from cauce.storage import garbage
from cauce.storage.postgres import PostgresRecords
from cauce.storage.records import STATE, ManyWriters
from cauce.vocabulary.language import parse
from cauce.vocabulary.moment import Moment, now
from tests.services.postgres import Cluster, own_cluster

WARM_UP, MEASURED = 10_000, 40_000
TARGET, TARGET_RATIO = 5_000, 1.5
_BATCH = 500


def composed(url: str, schema: str) -> Pipeline:
    """The pipeline of ``bench.folding`` over PostgreSQL."""
    records = PostgresRecords(url, schema, STATE, durable=False)
    identity = Identity("person", read_rules(default_rules()))
    live = LiveSegments(LiveSegment(key, parse(rule), True) for key, rule in SEGMENTS.items())
    profiles = Profiles(records, identity, {}, Access(["operations"]).require)
    return Pipeline(records, identity, profiles, live, Activation({key: ["crm"] for key in SEGMENTS}))


def worker_of(pipeline: Pipeline, log: SqliteLog, name: str, until: Moment) -> RoundWorker:
    """A worker over an existing log."""
    how = pipeline.identity.ruleset.normalization
    records = cast(ManyWriters, pipeline.records)
    return RoundWorker(pipeline, log, lambda _: how, lambda: until, records=records, name=name)


def fold_upto(worker: RoundWorker, upto: int) -> None:
    """Fold until a position, with whoever else does."""
    while worker.position < upto:
        if not worker.step():
            sleep(0.001)


def main(url: str, schema: str, folder: str, name: str, until: str, *edges: str) -> None:
    """Entry of a worker's process: folds to each edge when a line comes, and says so."""
    garbage.look_seldom()  # as the worker's process does
    worker = worker_of(composed(url, schema), SqliteLog(Path(folder)), name, Moment(int(until)))
    for edge in edges:
        print("ready", flush=True)
        sys.stdin.readline()
        fold_upto(worker, int(edge))
    print("done", flush=True)


@contextmanager
def workers(count: int, *arguments: object) -> Iterator[list["subprocess.Popen[str]"]]:
    """So many workers in processes of their own."""
    url, schema, folder, *rest = map(str, arguments)
    command = [sys.executable, "-m", "bench.folding_postgres", url, schema, folder]
    found = [
        subprocess.Popen([*command, f"w{n}", *rest], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(count)
    ]
    try:
        yield found
    finally:
        for process in found:
            process.kill()
            process.wait()


def say(found: list["subprocess.Popen[str]"]) -> None:
    """Wait for a line of each."""
    for process in found:
        assert process.stdout is not None and process.stdout.readline(), "a worker failed"


def seconds_with(count: int, cluster: Cluster, folder: Path, until: Moment) -> float:
    """Seconds that so many workers take for the measured events."""
    schema = f"bench_{count}"
    edges = (WARM_UP, WARM_UP + MEASURED)
    with workers(count, cluster.url, schema, folder, int(until), *edges) as found:
        for _ in edges:
            say(found)
            started = perf_counter()
            for process in found:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
        say(found)
        return perf_counter() - started


def floor(cluster: Cluster) -> float:
    """Seconds of a bare loop that reads and writes as many rows as folding does, in as large batches."""
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        traffic = connection.execute(
            "SELECT sum(n_tup_ins + n_tup_upd) FROM pg_stat_user_tables WHERE schemaname = 'bench_1'"
        ).fetchone()
        rows = max(1, round(int(traffic[0]) / (WARM_UP + MEASURED))) if traffic else 1
        connection.execute("CREATE TABLE bare (key bigint PRIMARY KEY, value text NOT NULL)")
        connection.execute("SET synchronous_commit = off")
        started = perf_counter()
        for batch in range(0, MEASURED, _BATCH):
            keys = [n % (MEASURED * rows // 2) for n in range(batch * rows, (batch + _BATCH) * rows)]
            values = ['{"a":[1,2,3]}' * 4] * len(keys)
            with connection.transaction():
                connection.execute("SELECT * FROM bare WHERE key = ANY(%s)", (keys,)).fetchall()
                connection.execute(
                    "INSERT INTO bare SELECT * FROM unnest(%s::bigint[], %s::text[]) "
                    "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    (keys, values),
                )
        return perf_counter() - started


def share_of_steps(cluster: Cluster, folder: Path, until: Moment) -> list[Figure]:
    """Where a single worker's time goes, client and server."""
    worker = worker_of(composed(cluster.url, "bench_shares"), SqliteLog(folder), "alone", until)
    fold_upto(worker, WARM_UP)
    shares = Shares()
    undo = steps(shares)
    server = psutil.Process(cluster.pid)
    before, started, cpu = _cpu(server), perf_counter(), process_time()
    fold_upto(worker, WARM_UP + MEASURED // 4)
    wall, client, served = perf_counter() - started, process_time() - cpu, _cpu(server) - before
    for restore in undo:
        restore()
    total = sum(shares.seconds.values())
    figures = [
        Figure("  client's processor", 100 * client / wall, "% of wall", "", True),
        Figure("  server's processor", 100 * served / wall, "% of wall", "", True),
    ]
    return figures + [
        Figure(f"  share of {step}", 100 * taken / total, "% of client", "", True)
        for step, taken in sorted(shares.seconds.items(), key=lambda one: -one[1])
    ]


def _cpu(server: psutil.Process) -> float:
    return sum(sum(child.cpu_times()[:2]) for child in server.children())


def run() -> list[Figure]:
    """Fold the same log with one worker and with two."""
    with tempfile.TemporaryDirectory() as name, own_cluster() as cluster:
        folder, until = Path(name), now()
        filled_log(folder, WARM_UP + MEASURED, until).close()
        one = seconds_with(1, cluster, folder, until)
        two = seconds_with(2, cluster, folder, until)
        bare = floor(cluster)
        shares = share_of_steps(cluster, folder, until)
    rate, ratio = MEASURED / one, one / two
    return [
        Figure("fold on PostgreSQL, one worker", rate, "events/s", f"≥ {TARGET:,}", rate >= TARGET),
        Figure("fold on PostgreSQL, two workers", MEASURED / two, "events/s", "", True),
        Figure("two workers : one", ratio, "×", f"≥ {TARGET_RATIO}", ratio >= TARGET_RATIO),
        Figure("one worker : bare loop of the same rows", one / bare, "× its time", "", True),
        *shares,
    ]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(*sys.argv[1:])
    else:
        for figure in run():
            print(f"{figure.what:45} {figure.value:12,.1f} {figure.unit}")
