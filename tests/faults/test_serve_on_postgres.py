"""A space served over PostgreSQL: killed processes, a server that is gone for a while, connections cut."""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.faults.endurance import (
    CREW,
    Sender,
    Trouble,
    kill_crew,
    kills,
    more,
    refusals,
    serving_child,
    survive,
    waiting,
    workers_of,
)
from tests.services.postgres import Cluster, Place, own_cluster
from tests.story.serving import Served, until

SEED = int(os.environ.get("CAUCE_SEED", "11"))
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cauce'"
ROUNDS = """
SELECT coalesce(sum(n_tup_ins), 0) FROM pg_stat_user_tables WHERE schemaname = %s AND relname = 'fold_lane'
"""


@pytest.fixture
def kept(postgres: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place where this process, too, finds the space."""
    for name, value in postgres.variables.items():
        monkeypatch.setenv(name, value)
    return postgres


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A server of one's own, and the settings of a space on it in the environment."""
    with own_cluster() as cluster:
        for name, value in variables(cluster).items():
            monkeypatch.setenv(name, value)
        yield cluster


def variables(cluster: Cluster) -> dict[str, str]:
    return Place(cluster.url, "cauce").variables


def gone_for(cluster: Cluster, seconds: float, *, crash: bool, workers: int) -> Trouble:
    """The server stops, or crashes, and comes back: senders are told to wait, workers wait by themselves."""

    def trouble(serving: Served, sender: Sender, _: random.Random) -> None:
        more(sender)
        before = workers_of(serving, workers)
        cluster.stop(crash=crash)
        deadline = time.monotonic() + seconds
        refusals(sender)
        while time.monotonic() < deadline:
            refusals(sender)
        for worker in before:
            waiting(serving, worker)
        cluster.start()
        more(sender)
        assert workers_of(serving, workers) == before

    return trouble


def started_in_the_dark(cluster: Cluster) -> Trouble:
    """Everything is killed while the server is gone: what is started anew waits for it, and refuses."""

    def trouble(serving: Served, sender: Sender, _: random.Random) -> None:
        more(sender)
        cluster.stop(crash=True)
        refusals(sender)
        killed = [serving_child(serving, "collector"), *workers_of(serving)]
        for one in killed:
            one.kill()
            one.wait(30)
        refusals(sender)
        collector, workers = serving_child(serving, "collector"), workers_of(serving)
        for worker in workers:
            waiting(serving, worker)
        cluster.start()
        more(sender)
        assert serving_child(serving, "collector") == collector
        assert workers_of(serving) == workers

    return trouble


def cut_for(url: str, seconds: float) -> Trouble:
    """All connections are cut, again and again."""

    def trouble(_: Served, sender: Sender, rng: random.Random) -> None:
        more(sender)
        deadline = time.monotonic() + seconds
        with psycopg.connect(url, autocommit=True) as other:
            while time.monotonic() < deadline:
                other.execute(CUT)
                time.sleep(rng.uniform(0.02, 0.5))
        more(sender)

    return trouble


def folding_together(place: Place, trouble: Trouble) -> Trouble:
    """The same trouble for workers who shared at least one round."""

    def shared() -> int:
        with psycopg.connect(place.url) as connection:
            found = connection.execute(ROUNDS, (place.schema,)).fetchone()
            return int(found[0]) if found else 0

    def both(serving: Served, sender: Sender, rng: random.Random) -> None:
        trouble(serving, sender, rng)
        until(shared, "a round of several workers")

    return both


def test_six_kills(tmp_path: Path, kept: Place) -> None:
    survive(tmp_path, kills(6), SEED, **kept.variables)


def test_two_workers_and_six_kills(tmp_path: Path, kept: Place) -> None:
    survive(tmp_path, folding_together(kept, kill_crew(6)), SEED, **kept.variables, **CREW)


@pytest.mark.parametrize(("crash", "workers"), [(False, 1), (True, 2)], ids=["stopped", "crashed"])
def test_the_server_is_gone_for_five_seconds(
    tmp_path: Path, cluster: Cluster, crash: bool, workers: int
) -> None:
    crew = CREW if workers == 2 else {}
    trouble = gone_for(cluster, 5, crash=crash, workers=workers)
    survive(tmp_path, trouble, SEED, **variables(cluster), **crew)


def test_what_starts_while_the_server_is_gone_waits_for_it(tmp_path: Path, cluster: Cluster) -> None:
    survive(tmp_path, started_in_the_dark(cluster), SEED, **variables(cluster), **CREW)


def test_connections_are_cut_in_the_middle_of_transactions(tmp_path: Path, kept: Place) -> None:
    survive(tmp_path, cut_for(kept.url, 6), SEED, **kept.variables)


@pytest.mark.soak
def test_fifty_kills(tmp_path: Path, kept: Place) -> None:
    survive(tmp_path, kills(50), SEED, **kept.variables)


@pytest.mark.soak
def test_two_workers_and_fifty_kills(tmp_path: Path, kept: Place) -> None:
    survive(tmp_path, folding_together(kept, kill_crew(50)), SEED, **kept.variables, **CREW)


@pytest.mark.soak
def test_the_server_is_gone_for_a_minute(tmp_path: Path, cluster: Cluster) -> None:
    trouble = gone_for(cluster, 60, crash=True, workers=2)
    survive(tmp_path, trouble, SEED, **variables(cluster), **CREW)


@pytest.mark.soak
def test_connections_are_cut_for_a_minute(tmp_path: Path, kept: Place) -> None:
    survive(tmp_path, cut_for(kept.url, 60), SEED, **kept.variables)
