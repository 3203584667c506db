"""Two workers on PostgreSQL: kills, cut connections and a crashed server change nothing of the state."""

import os
import random
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import psycopg
import pytest

from bench.folding import accepted
from cauce.app.pipeline import CLOCK, LOG, ROUND
from cauce.eventlog.sqlite import SqliteLog
from cauce.storage.postgres import PostgresRecords
from cauce.storage.records import STATE, Records
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import read_event
from cauce.vocabulary.moment import DAY, SECOND, Moment
from demo.load import calls
from tests.property.small_company import START, composed, tables
from tests.services.postgres import Cluster, own_cluster
from tests.story.serving import until

IN_TRANSACTIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'cauce' AND xact_start IS NOT NULL
"""
ROUNDS = "SELECT coalesce(sum(n_tup_ins), 0) FROM pg_stat_user_tables WHERE relname = 'fold_lane'"


def filled(folder: Path, count: int) -> SqliteLog:
    """A log of a few hundred people, received within some days, so that timers come due meanwhile."""
    log, stream = SqliteLog(folder), accepted(calls(people=300, seed=3, until=START))
    received = START
    while chunk := list(islice(stream, min(50, count))):
        log.append(chunk, [], now=Moment(received))
        received += 1_800 * SECOND
        count -= len(chunk)
    return log


class Crew:
    """Workers in processes of their own; one that was killed is replaced."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._started = 0
        self._processes: list[subprocess.Popen[bytes]] = []

    def hire(self) -> None:
        self._started += 1
        url, schema, folder, now = self._arguments
        command = [sys.executable, "-m", "tests.faults.fold_process", url, schema, folder]
        self._processes.append(subprocess.Popen([*command, f"w{self._started}", now]))

    def kill(self, rng: random.Random) -> None:
        victim = rng.choice(self._processes)
        self._processes.remove(victim)
        victim.kill()
        victim.wait()

    def dismiss(self) -> None:
        ended = [process for process in self._processes if process.poll() is not None]
        for process in self._processes:
            process.kill()
            process.wait()
        assert not ended, "a worker ended by itself"


def ask(cluster: Cluster, statement: str) -> int:
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        found = connection.execute(statement).fetchone()  # type: ignore[arg-type]
        return int(found[0]) if found else 0


def disturb(cluster: Cluster, crew: Crew, rng: random.Random, times: int) -> None:
    for number in range(times):
        time.sleep(rng.uniform(0.1, 0.8))
        if number % 3 == 1:
            ask(cluster, IN_TRANSACTIONS)
        else:
            crew.kill(rng)
            crew.hire()
    until(lambda: ask(cluster, ROUNDS), "a round of several workers")
    cluster.stop(crash=True)
    time.sleep(1)
    cluster.start()


def undisturbed(folder: Path, log: SqliteLog, clock: Moment) -> dict[str, list[tuple[object, ...]]]:
    records: Records = SqliteRecords(folder / "undisturbed.db", STATE)
    pipeline = composed(records)
    how = pipeline.identity.ruleset.normalization
    rows = log.read(0, 1_000_000)  # type: ignore[arg-type]
    for start in range(0, len(rows), 700):
        pipeline.fold([read_event(row, how) for row in rows[start : start + 700]])
    pipeline.pass_time(clock)
    found = tables(records)
    records.close()
    return found


def survive(folder: Path, events: int, times: int, seed: int) -> None:
    log, rng = filled(folder, events), random.Random(seed)
    now = log.read(log.head() - 1, 1)[0].received + 2 * DAY  # type: ignore[arg-type]
    with own_cluster() as cluster:
        records = PostgresRecords(cluster.url, "faults", STATE, durable=False)
        crew = Crew(cluster.url, "faults", str(folder), str(now))
        crew.hire()
        crew.hire()
        try:
            disturb(cluster, crew, rng, times)

            def folded() -> bool:
                with records.read() as reader:
                    done = reader.progress(LOG) == log.head() and reader.progress(CLOCK) >= now
                    return done and not reader.progress(ROUND)

            until(folded, "the workers to fold all")
        finally:
            crew.dismiss()
        with records.read() as reader:
            clock = Moment(reader.progress(CLOCK))
        found, expected = tables(records), undisturbed(folder, log, clock)
        records.close()
    log.close()
    assert len(expected["identity_profile"]) > 100
    assert len(expected["membership_change"]) > 100
    for name, rows in expected.items():
        assert found[name] == rows, name


def test_six_disturbances(tmp_path: Path) -> None:
    survive(tmp_path, events=6_000, times=6, seed=20260302)


@pytest.mark.soak
def test_sixty_disturbances(tmp_path: Path) -> None:
    survive(tmp_path, events=100_000, times=60, seed=int(os.environ.get("CAUCE_SEED", "11")))
