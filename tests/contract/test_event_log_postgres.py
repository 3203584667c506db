"""PostgreSQL keeps the contract of the event log, and what is particular to a server."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cauce.collect.service import Door, Request
from cauce.collect.settings import CollectSettings
from cauce.eventlog.plan import BySource, Plan
from cauce.eventlog.port import Outcome
from cauce.eventlog.postgres import PostgresLog
from cauce.eventlog.postgres_sealing import PostgresSealable
from cauce.eventlog.seal import seal
from cauce.eventlog.seal_process import start_sealing
from cauce.vocabulary.errors import Conflict, Transient
from cauce.vocabulary.event import Call, Position
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION
from cauce.vocabulary.moment import SECOND, Moment
from tests.contract.event_log_contract import (
    ACCEPTED,
    DUPLICATE,
    EventLogContract,
    EventLogProcessContract,
    everything,
    ids,
)
from tests.contract.event_log_engines import ENGINES, event, refused
from tests.contract.event_log_history_contract import EventLogHistoryContract
from tests.contract.event_log_postgres import sealable_opener, settle_in
from tests.property.event_texts import damaged
from tests.services.cutting_proxy import Cut, cutting
from tests.services.postgres import Place, own_cluster

SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cauce'"


@pytest.fixture(autouse=True)
def space(postgres: Place, tmp_path: Path) -> Path:
    """A folder whose log is on PostgreSQL."""
    settle_in(postgres, tmp_path)
    return tmp_path


@pytest.fixture
def log(postgres: Place, space: Path) -> Iterator[PostgresLog]:
    with closing(PostgresLog(*postgres, space)) as opened:
        yield opened


@pytest.fixture
def other(postgres: Place) -> Iterator[psycopg.Connection]:
    """Somebody else at the same server."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        yield connection


class TestPostgresLog(EventLogContract):
    engine_name = "postgres"


class TestPostgresLogProcesses(EventLogProcessContract):
    engine_name = "postgres"


class TestPostgresHistory(EventLogHistoryContract):
    engine_name = "postgres"


def test_an_append_always_waits_so_it_never_begins_on_the_event_loop(log: PostgresLog) -> None:
    assert log.begin_append([event("a")], [], now=Moment(0)) is None


def test_connections_cut_while_idle_go_unnoticed(log: PostgresLog, other: psycopg.Connection) -> None:
    log.append([event("a")], [], now=Moment(0))
    for number in range(3):
        assert len(other.execute(SESSIONS).fetchall()) >= 1
        assert log.head() == number + 1
        assert log.append([event(f"b-{number}")], [], now=Moment(0)) == [ACCEPTED]
    assert ids(log) == ["a", "b-0", "b-1", "b-2"]


@pytest.mark.parametrize("back", [True, False], ids=["server still there", "server unreachable"])
def test_a_commit_whose_answer_is_lost_counts_once(postgres: Place, space: Path, back: bool) -> None:
    with cutting(postgres.url) as (url, proxy), closing(PostgresLog(url, postgres.schema, space)) as log:
        log.append([event("first")], [], now=Moment(0))
        proxy.cuts = [Cut.AFTER]
        if back:
            assert log.append([event("a")], [refused("broken")], now=Moment(0)) == [ACCEPTED]
        else:
            # the connection is cut and no other can be made, until somebody asks again later
            proxy.cuts = [Cut.AFTER]
            threading.Thread(target=lambda: _close_when_cut(proxy), daemon=True).start()
            with pytest.raises(Transient, match="PostgreSQL"):
                log.append([event("a")], [], now=Moment(0))
            proxy.closed = False
        assert log.append([event("a"), event("b")], [], now=Moment(0)) == [DUPLICATE, ACCEPTED]
        assert ids(log) == ["first", "a", "b"]
        assert len(log.quarantined()) == int(back)


def _close_when_cut(proxy: object) -> None:
    while proxy.cuts:  # type: ignore[attr-defined]
        time.sleep(0.0001)
    proxy.closed = True  # type: ignore[attr-defined]


def test_a_commit_that_never_arrived_is_refused_as_a_whole(postgres: Place, space: Path) -> None:
    with cutting(postgres.url) as (url, proxy), closing(PostgresLog(url, postgres.schema, space)) as log:
        log.append([event("first")], [], now=Moment(0))
        proxy.cuts = [Cut.BEFORE]
        with pytest.raises(Transient, match="connection to PostgreSQL was lost"):
            log.append([event("a")], [refused("broken")], now=Moment(0))
        assert (ids(log), log.quarantined()) == (["first"], [])
        assert log.append([event("a")], [], now=Moment(0)) == [ACCEPTED]


def test_connections_cut_again_and_again_lose_and_double_nothing(
    postgres: Place, space: Path, log: PostgresLog, other: psycopg.Connection
) -> None:
    chance = random.Random()
    ended = threading.Event()

    def cut() -> None:
        while not ended.is_set():
            other.execute(SESSIONS)
            time.sleep(chance.random() * 0.1)

    refusals = groups = 0
    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        while groups < 60 or refusals < 3:
            events = [event(f"id-{groups}-{n}") for n in range(5)]
            while True:
                try:
                    outcomes = log.append(events, [], now=Moment(groups))
                    break
                except Transient:
                    refusals += 1
            assert len(set(outcomes)) == 1
            groups += 1
    finally:
        ended.set()
        cutter.join()
    assert ids(log) == [f"id-{group}-{n}" for group in range(groups) for n in range(5)]
    with closing(PostgresLog(*postgres, space)) as again:
        assert set(again.append([event(one) for one in ids(log)], [], now=Moment(0))) == {DUPLICATE}


@pytest.mark.parametrize("crash", [False, True])
def test_a_server_that_stops_and_comes_back(tmp_path: Path, crash: bool) -> None:
    with own_cluster() as cluster, closing(PostgresLog(cluster.url, "cauce", tmp_path)) as log:
        log.append([event("a")], [], now=Moment(5))
        cluster.stop(crash=crash)
        for attempt in (
            lambda: log.append([event("b")], [], now=Moment(0)),
            lambda: log.read(Position(0), 1),
            lambda: log.tick(Moment(0)),
            log.head,
            log.catch_up,
        ):
            with pytest.raises(Transient) as caught:
                attempt()
            assert "not-a-secret" not in str(caught.value)
        cluster.start()
        assert log.append([event("a"), event("b")], [], now=Moment(0)) == [DUPLICATE, ACCEPTED]
        assert [(row.message_id, row.received) for row in everything(log)] == [("a", 5), ("b", 5)]


def test_a_lock_that_stays_taken_is_a_passing_fault(
    postgres: Place, space: Path, log: PostgresLog, other: psycopg.Connection
) -> None:
    log.append([event("a")], [], now=Moment(0))
    with closing(PostgresLog(*postgres, space, wait_seconds=0.1)) as hasty:
        with other.transaction():
            key = (1 << 32) + _oid(other, postgres)
            other.execute("SELECT pg_advisory_xact_lock(%s)", (key,))
            with pytest.raises(Transient):
                hasty.append([event("b")], [], now=Moment(0))
            assert ids(hasty) == ["a"]
        assert hasty.append([event("b")], [], now=Moment(0)) == [ACCEPTED]


def _oid(connection: psycopg.Connection, place: Place) -> int:
    row = connection.execute("SELECT %s::regclass::oid", (f"{place.schema}.event",)).fetchone()
    return int(row[0]) if row else 0


def test_a_full_disk_refuses_an_append_as_a_whole(
    postgres: Place, log: PostgresLog, other: psycopg.Connection
) -> None:
    """The server's own error, raised by a trigger in the middle of the rows."""
    log.append([event("first")], [], now=Moment(0))
    name = postgres.schema
    other.execute(
        f"CREATE FUNCTION {name}.full() RETURNS trigger LANGUAGE plpgsql AS "  # type: ignore[arg-type]
        "$$ BEGIN IF NEW.message_id = 'c' THEN RAISE EXCEPTION USING ERRCODE = '53100'; END IF;"
        " RETURN NEW; END $$"
    )
    other.execute(
        f"CREATE TRIGGER filling BEFORE INSERT ON {name}.event FOR EACH ROW EXECUTE FUNCTION {name}.full()"
    )  # type: ignore[arg-type]
    with pytest.raises(Transient, match="disk is full"):
        log.append([event(one) for one in "abcd"], [refused("broken")], now=Moment(0))
    other.execute(f"DROP TRIGGER filling ON {name}.event")  # type: ignore[arg-type]
    assert (ids(log), log.quarantined()) == (["first"], [])
    assert log.append([event(one) for one in "abcd"], [], now=Moment(0)) == [ACCEPTED] * 4


def test_commits_are_durable_whatever_the_server_says(
    postgres: Place, log: PostgresLog, other: psycopg.Connection
) -> None:
    other.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
    try:
        log.append([event("a")], [], now=Moment(0))
        found = log._appender._connection.open().execute("SHOW synchronous_commit").fetchone()
        assert found == ("on",)
    finally:
        other.execute("ALTER ROLE CURRENT_USER RESET synchronous_commit")


def test_a_folder_of_another_log_is_refused(postgres: Place, space: Path, log: PostgresLog) -> None:
    log.append([event("a"), event("b")], [], now=Moment(0))
    ENGINES["postgres"].seal(space, Position(1))
    files = sorted((space / "log").iterdir())
    foreign = postgres._replace(schema=f"{postgres.schema}_other")
    with closing(PostgresLog(*foreign, space)) as wrong:
        with pytest.raises(Conflict, match="do not belong together") as caught:
            wrong.append([event("c")], [], now=Moment(0))
        assert caught.value.code == "other_log"
        elsewhere = space / "elsewhere"
        elsewhere.mkdir()
        with closing(PostgresLog(*foreign, elsewhere)) as right:
            right.append([event("c")], [], now=Moment(0))
        with pytest.raises(Conflict, match="belongs to another log"):
            wrong.append([event("c")], [], now=Moment(0))
        with pytest.raises(Conflict, match="belongs to another log"):
            PostgresSealable(*foreign, space)
    assert sorted((space / "log").iterdir()) == files


def test_second_sealer_is_refused_and_told_who_seals(space: Path, log: PostgresLog) -> None:
    log.append([event(f"id-{n}") for n in range(100)], [], now=Moment(0))
    opener = sealable_opener(space)
    with closing(opener()) as holder, holder.alone():
        with pytest.raises(Conflict, match=r"is sealing this log \(server process \d+"):
            seal(space, Position(10), lambda _: DEFAULT_NORMALIZATION, opener=opener)
        process = start_sealing(space, Position(10), Plan(BySource({})), opener=opener)
        _, complaint = process.communicate()
        assert process.returncode == 1
        assert b"is sealing this log" in complaint
    process = start_sealing(space, Position(10), Plan(BySource({})), opener=opener)
    told, complaint = process.communicate()
    assert (process.returncode, complaint) == (0, b"")
    assert told.startswith(b'{"events":10,"files":1,')


def test_a_sealer_that_loses_its_connection_stops(
    space: Path, log: PostgresLog, other: psycopg.Connection
) -> None:
    log.append([event(f"id-{n}") for n in range(100)], [], now=Moment(0))
    opener = sealable_opener(space)
    with closing(opener()) as one, pytest.raises(Transient), one.alone():
        other.execute(SESSIONS)
        with suppress(Transient):
            one.ranges()
        one.ranges()
    assert ids(log) == [f"id-{n}" for n in range(100)]
    ENGINES["postgres"].seal(space, Position(100))
    assert log.sealed_upto() == 100


class OneKey:
    """A write key in memory; see ``WriteKeys``."""

    def verify(self, write_key: str) -> str | None:
        return "web" if write_key == "key" else None


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(damaged(), min_size=1, max_size=5),
    st.none() | st.sampled_from(list(Call)),
    st.randoms(use_true_random=False),
)
def test_the_door_lets_nothing_in_that_postgresql_cannot_hold(
    log: PostgresLog, texts: list[bytes], call: Call | None, chance: random.Random
) -> None:
    """NUL, lone surrogates, bytes that are no UTF-8: in texts they would fail the whole group."""
    door = Door(OneKey(), CollectSettings(), lambda: f"made-{chance.getrandbits(64)}")
    body = texts[0] if call else b'{"batch": [' + b",".join(texts) + b"]}"
    decision = door.decide(Request(call, b"Basic a2V5Og==", b"", body, Moment(1_767_268_800 * SECOND)))
    head, kept = log.head(), len(log.quarantined(limit=1_000_000))
    outcomes = log.append(decision.events, decision.refused, now=Moment(0))
    rows = log.read(head, 1_000)
    new = [one for one, outcome in zip(decision.events, outcomes, strict=True) if outcome is Outcome.ACCEPTED]
    assert [(row.body, row.message_id, row.name, row.source, row.call, row.time) for row in rows] == [
        (one.body, one.message_id, one.name, one.source, one.call, one.time) for one in new
    ]
    refusals = log.quarantined(limit=1_000_000)[kept:]
    assert {(one.body, one.reason, one.detail) for one in decision.refused} <= {
        (one.body, one.reason, one.detail) for one in refusals
    }


def test_a_client_that_vanished_within_an_append_frees_the_lock(space: Path, log: PostgresLog) -> None:
    """The operating system ends a killed process's connections, and with them its locks."""
    line = [sys.executable, "-m", "tests.contract.event_log_process", "postgres", str(space)]
    process = subprocess.Popen([*line, "append_forever", "0"], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    assert log.append([event("after")], [], now=Moment(0)) == [ACCEPTED]
