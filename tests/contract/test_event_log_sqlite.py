"""The embedded engine keeps the contract, and what is particular to its files."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import msgspec
import pyarrow.parquet as pq
import pytest

from cauce.eventlog.bulk import log_relation
from cauce.eventlog.columns import PLAIN
from cauce.eventlog.content import id_print
from cauce.eventlog.plan import BySource, Plan
from cauce.eventlog.runs import from_dict, write_run
from cauce.eventlog.seal import seal
from cauce.eventlog.seal_lock import sealer
from cauce.eventlog.seal_process import start_sealing
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.errors import CauceError, Conflict, Transient, Unsupported
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION, Normalization
from cauce.vocabulary.moment import Moment
from tests.contract.event_log_contract import (
    ACCEPTED,
    DUPLICATE,
    EventLogBeginningContract,
    EventLogContract,
    EventLogDiskContract,
    EventLogProcessContract,
    ids,
)
from tests.contract.event_log_engines import ENGINES, event


class TestSqliteLog(EventLogContract, EventLogBeginningContract):
    engine_name = "sqlite"


class TestSqliteLogProcesses(EventLogProcessContract, EventLogDiskContract):
    engine_name = "sqlite"


def filled(space: Path, count: int = 200, sealed_to: int = 0) -> list[str]:
    """A log with events ``id-0``… in a space; their ids."""
    log = SqliteLog(space)
    log.append([event(f"id-{n}", name=f"N{n % 3}") for n in range(count)], [], now=Moment(1))
    log.close()
    ENGINES["sqlite"].seal(space, Position(sealed_to))
    return [f"id-{n}" for n in range(count)]


def test_locked_log_is_a_passing_fault(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path, wait_seconds=0.05)
    holder = sqlite3.connect(tmp_path / "log.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert log.begin_append([event("a")], [], now=Moment(0)) is None
    with pytest.raises(Transient, match="locked"):
        log.append([event("a")], [], now=Moment(0))
    with pytest.raises(Transient, match="locked"):
        log.tick(Moment(0))
    holder.execute("ROLLBACK")
    holder.close()
    assert log.append([event("a")], [], now=Moment(0)) == [ACCEPTED]
    pending = log.begin_append([event("b")], [], now=Moment(0))
    assert pending is not None
    with pytest.raises(Transient, match="does not end"):
        log.append([event("c")], [], now=Moment(0))
    pending.commit()
    log.close()


@pytest.mark.parametrize("damage", ["empty", "half", "overwritten", "missing"])
def test_damaged_database_is_told_clearly(tmp_path: Path, damage: str) -> None:
    filled(tmp_path, 2_000, sealed_to=100)
    path = tmp_path / "log.db"
    size = path.stat().st_size
    assert not (tmp_path / "log.db-wal").exists()
    if damage == "missing":
        path.unlink()
    elif damage == "overwritten":
        path.write_bytes(b"no database at all " * 1_000)
    else:
        os.truncate(path, 0 if damage == "empty" else size // 2)
    with pytest.raises(Conflict, match="The event log is damaged") as caught:
        SqliteLog(tmp_path)
    assert caught.value.code == "damaged_log"
    assert "backup" in caught.value.hint


def test_damage_inside_is_told_when_it_is_read(tmp_path: Path) -> None:
    filled(tmp_path, 2_000)
    with (tmp_path / "log.db").open("r+b") as file:
        page = int.from_bytes(file.read(18)[16:], "big")
        file.seek(14 * page)
        assert file.write(b"\xff" * page) == page
        assert file.seek(0, 2) > 15 * page, "the page is within the events"
    log = SqliteLog(tmp_path)
    with pytest.raises(CauceError, match="damaged"):
        ids(log)
    log.close()


def test_log_of_another_version_is_not_touched(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    connection = sqlite3.connect(tmp_path / "log.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Unsupported, match="version 99"):
        SqliteLog(tmp_path)


@pytest.mark.parametrize("damage", ["missing", "short", "changed", "header", "foreign", "named wrongly"])
def test_damaged_run_file_is_made_again(tmp_path: Path, damage: str) -> None:
    foreign = tmp_path / "foreign" / "log"
    foreign.parent.mkdir()
    filled(foreign.parent, sealed_to=40)
    known = filled(tmp_path, sealed_to=40)
    files = sorted((tmp_path / "log").glob("*.ids"))
    sound = {path.name: path.read_bytes() for path in files}
    for path in files:
        data = bytearray(path.read_bytes())
        if damage == "missing":
            path.unlink()
        elif damage == "short":
            path.write_bytes(data[:-16])
        elif damage == "changed":
            data[len(data) // 3] ^= 1
            path.write_bytes(data)
        elif damage == "header":
            data[0] ^= 1
            path.write_bytes(data)
        elif damage == "named wrongly":
            path.rename(path.with_name(path.name.replace("-", "-9")))
        else:
            shutil.copy(foreign / path.name, path)
    log = SqliteLog(tmp_path)
    assert set(log.append([event(one) for one in known], [], now=Moment(0))) == {DUPLICATE}
    log.close()
    assert sound.items() <= {p.name: p.read_bytes() for p in (tmp_path / "log").glob("*.ids")}.items()
    log = SqliteLog(tmp_path)
    assert log.append([event("new")], [], now=Moment(0)) == [ACCEPTED]
    log.close()


@pytest.mark.parametrize(
    "name", ["_0000000000000001-0000000000000200.ids", "1-2.ids", "_0000000000000001-x.ids"]
)
def test_run_files_of_another_history_are_not_believed(tmp_path: Path, name: str) -> None:
    """As after a log.db was restored from a backup that is older than the folder of sealed files."""
    known = filled(tmp_path, 100, sealed_to=100)
    log = SqliteLog(tmp_path)
    (seed,) = log._appender._connection.execute("SELECT value FROM fixed WHERE name = 'seed'").fetchone()
    prints = {id_print(one, seed): b"12345678" for one in [*known, "lost"]}
    write_run(tmp_path / "log", from_dict(1, 200, prints), seed)
    (tmp_path / "log" / f"_{1:016}-{200:016}.ids").rename(tmp_path / "log" / name)
    assert log.append([event("lost"), event("id-0")], [], now=Moment(0)) == [ACCEPTED, DUPLICATE]
    seal(tmp_path, Position(50), lambda _: DEFAULT_NORMALIZATION)
    assert not (tmp_path / "log" / name).exists()
    log.close()


def test_run_file_that_a_killed_sealer_left_is_replaced(tmp_path: Path) -> None:
    known = filled(tmp_path, 100)
    (tmp_path / "log").mkdir(exist_ok=True)
    log = SqliteLog(tmp_path)
    (seed,) = log._appender._connection.execute("SELECT value FROM fixed WHERE name = 'seed'").fetchone()
    write_run(
        tmp_path / "log", from_dict(1, 30, {id_print(one, seed): b"12345678" for one in known[:30]}), seed
    )
    for upto in (20, 60, 100):
        seal(tmp_path, Position(upto), lambda _: DEFAULT_NORMALIZATION)
    assert set(log.append([event(one) for one in known], [], now=Moment(0))) == {DUPLICATE}
    log.close()


def test_failure_while_looking_leaves_the_log_usable(tmp_path: Path) -> None:
    filled(tmp_path, 10)
    log = SqliteLog(tmp_path)
    log.catch_up()
    other = sqlite3.connect(tmp_path / "log.db")
    other.execute("ALTER TABLE sealed RENAME TO hidden")
    with pytest.raises(CauceError, match="no such table"):
        log.begin_append([event("a")], [], now=Moment(0))
    with pytest.raises(CauceError, match="no such table"):
        log.append([event("a")], [], now=Moment(0))
    other.execute("ALTER TABLE hidden RENAME TO sealed")
    other.close()
    assert log.append([event("a"), event("id-1")], [], now=Moment(0)) == [ACCEPTED, DUPLICATE]
    log.close()


@pytest.mark.parametrize("damage", ["missing", "cut off"])
def test_damaged_sealed_file_is_told_clearly(tmp_path: Path, damage: str) -> None:
    filled(tmp_path, sealed_to=60)
    path = sorted((tmp_path / "log").glob("*.parquet"))[0]
    if damage == "missing":
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size // 2)
    log = SqliteLog(tmp_path)
    with pytest.raises(Conflict, match=f"{path.name} (is missing|has [0-9]+ bytes)"):
        log.read(Position(0), 10)
    assert log.read(Position(60), 1)[0].message_id == "id-60"
    log.close()


def test_second_sealer_is_refused_and_told_who_seals(tmp_path: Path) -> None:
    filled(tmp_path)
    with sealer(tmp_path):
        with pytest.raises(Conflict, match=f"Process {os.getpid()} is sealing"):
            seal(tmp_path, Position(10), lambda _: DEFAULT_NORMALIZATION)
        process = start_sealing(tmp_path, Position(10), Plan(BySource({})))
        _, complaint = process.communicate()
        assert process.returncode == 1
        assert f"Process {os.getpid()} is sealing".encode() in complaint


def test_sealing_process_normalizes_as_told_for_each_source(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    web = event("a", '{"userId":"Ann"}')
    log.append([web, msgspec.structs.replace(web, message_id="b", source="crm")], [], now=Moment(0))
    lower = Normalization({"user_id": "lower"})
    process = start_sealing(tmp_path, Position(2), Plan(BySource({"crm": lower})))
    told, complaint = process.communicate()
    assert (process.returncode, complaint) == (0, b"")
    assert told.startswith(b'{"events":2,"files":1,')
    rows = pq.read_table(tmp_path / "log" / log.sealed()[0].file, partitioning=None).to_pylist()
    assert [row["identifiers"] for row in rows] == [["user_id:Ann"], ["user_id:ann"]]
    log.close()


def test_full_disk_stops_sealing_and_loses_nothing(tmp_path: Path) -> None:
    known = filled(tmp_path, 2_000)
    line = [sys.executable, "-m", "tests.contract.event_log_process", "sqlite", str(tmp_path)]
    process = subprocess.run([*line, "seal_full", "2000"], capture_output=True, text=True, check=False)
    assert process.stdout == "refused\n"
    log = SqliteLog(tmp_path)
    assert ids(log) == known
    seal(tmp_path, Position(2_000), lambda _: DEFAULT_NORMALIZATION)
    assert ids(log) == known
    assert [one.events for one in log.sealed()] == [2_000]
    log.close()


def test_sealed_file_has_what_the_architecture_promises(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    bodies = {
        "b": '{"userId":"U1","context":{"traits":{"email":"Ann@Example.org"}}}',
        "c": '{"anonymousId":"a-1","userId":null,"context":"odd","n":99999999999999999999}',
        "a": '{"nobody":1}',
        "d": '{"context":{"traits":{"email":"ANN@example.org"}},"userId":"U1"}',
    }
    events = [event(name, body, name=name.upper()) for name, body in bodies.items()]
    log.append([*events, event("e", bodies["a"], name="A")], [], now=Moment(7))
    seal(tmp_path, log.head(), lambda _: DEFAULT_NORMALIZATION)
    (made,) = log.sealed()
    assert made.file == "0000000000000001-0000000000000005.parquet"
    rows = pq.read_table(tmp_path / "log" / made.file, partitioning=None).to_pylist()
    assert [(row["name"], row["position"]) for row in rows] == [
        ("A", 3),
        ("A", 5),
        ("B", 1),
        ("C", 2),
        ("D", 4),
    ]
    by_name = {row["name"]: row for row in rows}
    assert by_name["B"]["identifiers"] == ["user_id:U1", "email:ann@example.org"]
    assert by_name["C"]["identifiers"] == ["anonymous_id:a-1"]
    assert by_name["A"]["identifiers"] == []
    assert by_name["A"]["signature"] is None
    assert by_name["B"]["signature"] == by_name["D"]["signature"] != by_name["C"]["signature"]
    assert by_name["C"]["body"] == bodies["c"]
    assert log.head() == 5
    connection = sqlite3.connect(tmp_path / "log.db")
    assert connection.execute("SELECT count(*) FROM event").fetchone() == (0,)
    connection.close()
    assert log.append([event("f")], [], now=Moment(7)) == [ACCEPTED]
    assert log.head() == 6
    log.close()


ODD_BODIES = [
    '{"userId":' + "9" * 5_000 + "}",
    '{"userId":"\\ud800"}',
    '{"traits":' + '{"a":' * 5_000 + "1" + "}" * 5_000 + "}",
    '{"userId":"a","userId":["b"]}',
    '{"context":{"traits":7,"device":[],"externalIds":{}}}',
    '{"context":{"externalIds":[1,{"id":1e400,"type":"\\ud800","collection":"u","encoding":"none"}]}}',
    '{"userId":1e999999999,"anonymousId":-0.0}',
    "[]",
    "",
    "no JSON at all",
]


@pytest.mark.parametrize("body", ODD_BODIES, ids=range(len(ODD_BODIES)))
def test_no_body_stops_sealing(tmp_path: Path, body: str) -> None:
    log = SqliteLog(tmp_path)
    log.append([event("a", "{}"), event("odd", body or " "), event("b", "{}")], [], now=Moment(0))
    made = seal(tmp_path, log.head(), lambda _: DEFAULT_NORMALIZATION)
    assert [one.events for one in made] == [3]
    assert [row.body for row in log.read(Position(0), 3)] == [b"{}", (body or " ").encode(), b"{}"]
    log.close()


def test_runs_are_merged_and_old_ones_removed(tmp_path: Path) -> None:
    known = filled(tmp_path, 500, sealed_to=500)
    names = sorted(path.name for path in (tmp_path / "log").glob("*.ids"))
    assert len(names) < 5
    assert names[0].startswith("_0000000000000001-")
    log = SqliteLog(tmp_path)
    assert set(log.append([event(one) for one in known], [], now=Moment(0))) == {DUPLICATE}
    log.close()


@pytest.mark.parametrize("sealed_to", [0, 120, 200])
@pytest.mark.parametrize("upto", [0, 70, 150, 200])
def test_bulk_relation_is_the_log_up_to_a_position(tmp_path: Path, sealed_to: int, upto: int) -> None:
    filled(tmp_path, sealed_to=sealed_to)
    log = SqliteLog(tmp_path)
    expected = [
        (r.position, r.received, r.time, r.call.value, r.name, r.message_id, r.source, r.body.decode())
        for r in log.read(Position(0), upto)
    ]
    with (
        duckdb.connect() as connection,
        log.snapshot(Position(upto)) as found,
        log_relation(connection, found, lambda _: DEFAULT_NORMALIZATION) as view,
    ):
        log.append([event("later")], [], now=Moment(1))
        plain = f"SELECT {', '.join(PLAIN.names)} FROM {view} ORDER BY position"
        assert connection.execute(plain).fetchall() == expected
        types = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {view}").fetchall()}
    assert types["body"] == "VARCHAR"
    assert types["received"] == "BIGINT"
    log.close()
