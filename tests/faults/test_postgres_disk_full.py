"""The disk of the PostgreSQL server is full: senders are told to wait, workers wait, nothing is lost."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.faults.endurance import CREW, Sender, Trouble, more, refusals, survive, waiting, workers_of
from tests.services.postgres import Cluster, Place, own_cluster
from tests.services.small_disk import small_disk
from tests.story.serving import Served, until

SEED = int(os.environ.get("CAUCE_SEED", "13"))
DISK_MEGABYTES = 256
FILE_MEGABYTES = 1


def full(
    fill: Callable[[], None],
    free: Callable[[], None],
    seen: Callable[[Served, psutil.Process], None],
    again: Callable[[], None] = lambda: None,
) -> Trouble:
    """No room is left while workers have something to fold; then there is room again.

    ``seen`` waits until a worker has met it; ``again`` is done while senders wait for their answers.
    """

    def trouble(serving: Served, sender: Sender, _: random.Random) -> None:
        more(sender)
        workers = workers_of(serving)
        for worker in workers:
            worker.suspend()
        more(sender, 1_000)
        fill()
        for worker in workers:
            worker.resume()
        refusals(sender)
        for worker in workers:
            seen(serving, worker)
        free()
        more(sender, meanwhile=again)
        assert workers_of(serving) == workers

    return trouble


def out_of_disk(serving: Served, worker: psutil.Process) -> None:
    waiting(serving, worker, "PostgreSQL refused: its disk is full.")


def beyond_quota(serving: Served, _: psutil.Process) -> None:
    """Only the log's rows are more than a file may hold; the tables of the state are smaller."""
    until(lambda: "its files cannot be written" in serving.log.read_text(), "the collector to say why")


def survive_on(cluster: Cluster, folder: Path, trouble: Trouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve a space with two workers on that server."""
    variables = Place(cluster.url, "cauce").variables
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    survive(folder, trouble, SEED, **variables, **CREW)


def test_the_disk_of_the_tables_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_disk(DISK_MEGABYTES) as disk, own_cluster() as cluster:
        cluster.keep_tables_in(disk.folder)
        survive_on(cluster, tmp_path, full(disk.fill, disk.free, out_of_disk), monkeypatch)


def test_the_files_of_the_server_cannot_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the end of a quota: a limit of its processes stands in for it where nothing can be mounted."""
    with own_cluster(wal_megabytes=FILE_MEGABYTES) as cluster:
        limit, lift = (lambda size=size: cluster.limit_files(size) for size in (FILE_MEGABYTES, None))
        survive_on(cluster, tmp_path, full(limit, lift, beyond_quota), monkeypatch)


@pytest.mark.soak
def test_the_whole_disk_of_the_server_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its write-ahead log, too: it crashes for that, and ends if it finds no room to recover."""
    with small_disk(DISK_MEGABYTES) as disk, own_cluster(disk.folder) as cluster:
        survive_on(cluster, tmp_path, full(disk.fill, disk.free, waiting, cluster.revive), monkeypatch)
