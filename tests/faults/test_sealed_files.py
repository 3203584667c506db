"""Sealed files in trouble: disks full, kills while compacting, damage and its repair, readers in between."""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb
import pytest

from cauce.app.sealing import Sealing
from cauce.eventlog.bulk import log_relation
from cauce.eventlog.compact import compact
from cauce.eventlog.history import columns_of
from cauce.eventlog.plan import BySource, Plan
from cauce.eventlog.seal import seal
from cauce.eventlog.seal_lock import sealer
from cauce.eventlog.sqlite import SqliteLog
from cauce.eventlog.sqlite_sealing import SqliteSealable
from cauce.vocabulary.errors import Conflict, Transient
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION
from cauce.vocabulary.moment import Moment
from tests.contract.event_log_contract import everything, ids
from tests.contract.event_log_engines import event
from tests.contract.event_log_history_contract import run

PLAN = Plan(BySource({}))
WITH_P = Plan(BySource({}), frozenset({("properties", "p")}))
DAMAGES = ["missing", "cut off", "flipped"]
DEADLINE = 60


@pytest.fixture
def space(tmp_path: Path) -> Path:
    """A log of 400 events, 300 of them sealed into six files."""
    log = SqliteLog(tmp_path)
    bodies = (f'{{"userId":"u{n}","properties":{{"p":{n},"q":"{n}","r":null}}}}' for n in range(400))
    log.append([event(f"id-{n}", body, name=f"N{n % 3}") for n, body in enumerate(bodies)], [], now=Moment(0))
    seal(tmp_path, Position(300), lambda _: DEFAULT_NORMALIZATION, rows_per_file=50)
    log.close()
    return tmp_path


@pytest.fixture
def log(space: Path) -> Iterator[SqliteLog]:
    opened = SqliteLog(space)
    yield opened
    opened.close()


def files(space: Path) -> list[Path]:
    return sorted((space / "log").glob("*.parquet"))


def damage(path: Path, how: str) -> None:
    if how == "missing":
        path.unlink()
    elif how == "cut off":
        os.truncate(path, path.stat().st_size // 2)
    else:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0x10
        path.write_bytes(data)


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow beyond a kilobyte, in this process and those it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("how", DAMAGES)
def test_damage_is_named_and_the_same_file_put_back_heals_it(
    space: Path, log: SqliteLog, tmp_path_factory: pytest.TempPathFactory, how: str
) -> None:
    whole = everything(log)
    backup = tmp_path_factory.mktemp("backup")
    path = files(space)[2]
    shutil.copy(path, backup)
    damage(path, how)
    fresh = SqliteLog(space)
    with pytest.raises(Conflict, match=path.name) as caught:
        everything(fresh)
    assert (caught.value.code, path.name in caught.value.hint) == ("damaged_log", True)
    assert fresh.read(Position(0), 100) == whole[:100]
    assert fresh.read(Position(150), 250) == whole[150:]
    if how != "flipped":  # a size tells nothing of a byte: the doctor and reading in order do
        with pytest.raises(Conflict, match=path.name), fresh.snapshot(log.head()):
            pass
    shutil.copy(backup / path.name, path)
    assert everything(fresh) == whole
    with fresh.snapshot(log.head()) as found:
        assert len(found.files) == 6
    fresh.close()


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_file_keeps_nothing_else_from_being_sealed(
    space: Path, log: SqliteLog, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    whole = everything(log)
    path = files(space)[0]
    sound = path.read_bytes()
    damage(path, how)
    seal(space, Position(400), lambda _: DEFAULT_NORMALIZATION)
    assert log.sealed_upto() == 400
    compact(space, WITH_P)
    assert path.name in caplog.text
    assert log.sealed()[0].file == path.name
    path.write_bytes(sound)
    assert everything(log) == whole
    compact(space, WITH_P)
    assert all(("properties", "p") in known.paths for known in log.statistics().values())
    assert everything(log) == whole


def test_compaction_on_a_full_disk_loses_nothing_and_is_repeated(space: Path, log: SqliteLog) -> None:
    whole, before = everything(log), log.sealed()
    with full_disk(), pytest.raises(Transient, match="stopped"):
        compact(space, WITH_P)
    assert (log.sealed(), everything(log)) == (before, whole)
    assert not [*(space / "log").glob("*.tmp")]
    assert compact(space, WITH_P)
    assert everything(log) == whole
    assert len(log.sealed()) < len(before)


def test_history_on_a_full_disk_appends_nothing(space: Path, log: SqliteLog) -> None:
    whole = everything(log)
    arriving = [event(f"old-{n}") for n in range(200)]
    with full_disk(), pytest.raises(Transient):
        list(log.append_sealed(columns_of(arriving), PLAN, clock=lambda: Moment(9)))
    assert everything(log) == whole
    assert log.append([event("next")], [], now=Moment(9))
    (told,) = log.append_sealed(columns_of(arriving), PLAN, clock=lambda: Moment(9))
    assert told.accepted == 200
    assert len(everything(log)) == 601


def test_the_worker_seals_later_what_a_full_disk_refused(space: Path, log: SqliteLog) -> None:
    opener = partial(SqliteSealable, space)
    sealing = Sealing(space, log, lambda: PLAN, opener, at_least=50, hot=0)
    with full_disk():
        sealing.consider(Position(400))
        ended(sealing)
    assert log.sealed_upto() == 300
    again = Sealing(space, log, lambda: PLAN, opener, at_least=50, hot=0)
    again.consider(Position(400))
    ended(again)
    assert log.sealed_upto() == 400
    assert len(everything(log)) == 400


def ended(sealing: Sealing) -> None:
    process = sealing._process
    assert process is not None
    process.wait(DEADLINE)
    sealing.end()


def test_killed_compaction_loses_and_doubles_nothing(space: Path, log: SqliteLog) -> None:
    chance = random.Random()
    whole = everything(log)
    for round_ in range(12):
        run("sqlite", space, "compaction", round_ % 3, chance.randrange(1, 220))
        other = SqliteLog(space)
        assert everything(other, 33) == everything(log) == whole
        other.close()
    assert run("sqlite", space, "compaction", 0, 0) == 0
    assert everything(log) == whole
    assert {path.name for path in files(space)} == {one.file for one in log.sealed()}
    assert not [*(space / "log").glob("*.tmp")]
    repeats = [event(row.message_id, row.body.decode()) for row in whole]
    assert {outcome.value for outcome in log.append(repeats, [], now=Moment(1))} == {"duplicate"}


def test_a_second_compaction_is_refused(space: Path) -> None:
    with sealer(space), pytest.raises(Conflict, match="sealing this log") as caught:
        compact(space, PLAN)
    assert caught.value.code == "already_sealing"


def test_readers_keep_what_compaction_replaces(space: Path, log: SqliteLog) -> None:
    with (
        duckdb.connect() as lake,
        log.snapshot(Position(350)) as found,
        log_relation(lake, found, PLAN.how) as view,
    ):
        old = {one.range.file for one in found.files}
        log.append([event("later")], [], now=Moment(5))
        seal(space, log.head(), lambda _: DEFAULT_NORMALIZATION)
        compact(space, WITH_P)
        assert old.isdisjoint(path.name for path in files(space))
        rows = lake.execute(
            f"SELECT position, message_id, signature FROM {view} ORDER BY position"
        ).fetchall()
    assert [row[:2] for row in rows] == [(n + 1, f"id-{n}") for n in range(350)]
    assert len({row[2] for row in rows}) == 350
    assert not [*(space / "log" / ".pinned").iterdir()]
    assert len(ids(log)) == 401


def test_pins_of_a_killed_reader_are_removed(space: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from cauce.eventlog.sqlite import SqliteLog\n"
        "log = SqliteLog(Path(sys.argv[1]))\n"
        "with log.snapshot(log.head()): print('holding', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(space)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    compact(space, WITH_P)
    pins = [*(space / "log" / ".pinned").glob("*/*.parquet")]
    assert len(pins) == 6  # the reader lives
    process.send_signal(signal.SIGKILL)
    process.communicate()
    compact(space, PLAN)
    deadline = time.monotonic() + DEADLINE
    while [*(space / "log" / ".pinned").iterdir()] and time.monotonic() < deadline:
        compact(space, PLAN)
    assert not [*(space / "log" / ".pinned").iterdir()]
