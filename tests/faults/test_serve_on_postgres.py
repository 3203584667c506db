"""A space served over PostgreSQL: killed processes, a server that is gone for a while, connections cut."""

import os
import random
import time
from pathlib import Path

import psycopg
import pytest

from tests.faults.endurance import Sender, kills, survive
from tests.services.postgres import Cluster, Place, own_cluster
from tests.story.serving import Served, until

SEED = int(os.environ.get("CAUCE_SEED", "11"))
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cauce'"


@pytest.fixture
def kept(postgres: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place where this process, too, finds the space."""
    for name, value in postgres.variables.items():
        monkeypatch.setenv(name, value)
    return postgres


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch):
    """A server of one's own, and the settings of a space on it in the environment."""
    with own_cluster() as cluster:
        for name, value in variables(cluster).items():
            monkeypatch.setenv(name, value)
        yield cluster


def variables(cluster: Cluster) -> dict[str, str]:
    return Place(cluster.url, "cauce").variables


def more(sender: Sender, count: int = 300) -> None:
    """Wait until so many more events were acknowledged."""
    wanted = len(sender.acknowledged) + count
    until(lambda: len(sender.acknowledged) >= wanted, "events to be acknowledged again")


def gone_for(cluster: Cluster, seconds: float, crash: bool):
    """The server stops, or crashes, and comes back."""

    def trouble(_: Served, sender: Sender, __: random.Random) -> None:
        more(sender)
        cluster.stop(crash=crash)
        refused = sender.unanswered
        until(lambda: sender.unanswered > refused, "a sender to be refused")
        time.sleep(seconds)
        cluster.start()
        more(sender)

    return trouble


def cut_for(url: str, seconds: float):
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


def test_six_kills(tmp_path: Path, kept: Place) -> None:
    survive(tmp_path, kills(6), SEED, **kept.variables)


@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "crashed"])
def test_the_server_is_gone_for_five_seconds(tmp_path: Path, cluster: Cluster, crash: bool) -> None:
    survive(tmp_path, gone_for(cluster, 5, crash), SEED, **variables(cluster))


def test_connections_are_cut_in_the_middle_of_transactions(tmp_path: Path, kept: Place) -> None:
    survive(tmp_path, cut_for(kept.url, 6), SEED, **kept.variables)


@pytest.mark.soak
def test_fifty_kills(tmp_path: Path, kept: Place) -> None:
    survive(tmp_path, kills(50), SEED, **kept.variables)


@pytest.mark.soak
def test_the_server_is_gone_for_a_minute(tmp_path: Path, cluster: Cluster) -> None:
    survive(tmp_path, gone_for(cluster, 60, crash=True), SEED, **variables(cluster))


@pytest.mark.soak
def test_connections_are_cut_for_a_minute(tmp_path: Path, kept: Place) -> None:
    survive(tmp_path, cut_for(kept.url, 60), SEED, **kept.variables)
