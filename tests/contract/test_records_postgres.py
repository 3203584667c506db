"""PostgreSQL keeps the contract of ``Records``, and says in our words what the server refuses."""

import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from cauce.storage.postgres import PostgresRecords
from cauce.storage.records import Records
from cauce.vocabulary.errors import BadSettings, Transient
from tests.contract.records_contract import TABLES, RecordsContract, thing
from tests.services.postgres import Place, own_cluster


class TestPostgres(RecordsContract):
    @pytest.fixture
    def records(self, postgres: Place) -> Iterator[Records]:
        made = PostgresRecords(*postgres, TABLES, durable=False)
        yield made
        made.close()


@pytest.fixture
def store(postgres: Place) -> Iterator[PostgresRecords]:
    made = PostgresRecords(*postgres, TABLES)
    yield made
    made.close()


def cut(place: Place) -> int:
    """End every other connection of ours to the database."""
    with psycopg.connect(place.url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'cauce' AND pid <> pg_backend_pid()"
        )
        return len(found.fetchall())


def test_a_connection_cut_within_a_transaction_changes_nothing_and_is_made_again(
    store: PostgresRecords, postgres: Place
) -> None:
    with store.write() as transaction:
        transaction.put(thing, [(1, "kept", "", 0)])
    with pytest.raises(Transient), store.write() as transaction:
        transaction.put(thing, [(2, "lost", "", 0)])
        assert cut(postgres) > 0
        transaction.put(thing, [(3, "lost", "", 0)])
    with store.read() as reader:
        assert reader.rows(thing, "view", [1, 2, 3]) == [(1, "kept", "", 0)]


def test_each_call_says_that_the_connection_was_cut(store: PostgresRecords, postgres: Place) -> None:
    calls = (
        lambda one: one.rows(thing, "view", [1]),
        lambda one: one.put(thing, [(1, "x", "", 0)]),
        lambda one: one.remove(thing, "view", [1]),
        lambda one: one.clear(thing),
        lambda one: one.select(thing.select()),
    )
    for call in calls:
        with pytest.raises(Transient), store.lane() as transaction:
            cut(postgres)
            with pytest.raises(Transient):
                call(transaction)
            raise Transient("The block noticed.")


def test_idle_connections_that_were_cut_are_not_noticed(store: PostgresRecords, postgres: Place) -> None:
    with store.read(), store.read():
        pass
    assert cut(postgres) >= 2
    with store.write() as transaction, store.read() as reader:
        transaction.put(thing, [(1, "a", "", 0)])
        assert reader.rows(thing, "view", [1]) == []


def test_a_server_that_is_gone_is_a_passing_fault_and_its_return_is_noticed() -> None:
    with own_cluster() as cluster:
        records = PostgresRecords(cluster.url, "gone", TABLES)
        with records.write() as transaction:
            transaction.put(thing, [(1, "kept", "", 0)])
        cluster.stop(crash=True)
        for _ in range(2):
            with pytest.raises(Transient), records.read():
                pass
            with pytest.raises(Transient), records.write():
                pass
        cluster.start()
        with records.read() as reader:
            assert reader.rows(thing, "view", [1]) == [(1, "kept", "", 0)]
        records.close()


@pytest.mark.parametrize("wrong", ["password", "account", "database", "url"])
def test_wrong_settings_are_told_without_the_password(postgres: Place, wrong: str) -> None:
    parts = urlsplit(postgres.url)
    user, secret, server = parts.username, parts.password, f"{parts.hostname}:{parts.port}"
    url = {
        "password": urlunsplit(parts._replace(netloc=f"{user}:hunter2@{server}")),
        "account": urlunsplit(parts._replace(netloc=f"nobody:hunter2@{server}")),
        "database": urlunsplit(parts._replace(path="/nowhere")),
        "url": "postgresql://a:hunter2@[::1",
    }[wrong]
    with pytest.raises(BadSettings) as refused:
        PostgresRecords(url, postgres.schema, TABLES)
    assert "hunter2" not in str(refused.value)
    assert secret is None or secret not in str(refused.value)
    assert "store.url" in str(refused.value)


def test_too_many_connections_are_a_passing_fault(tmp_path: Path) -> None:
    with own_cluster() as cluster:
        with psycopg.connect(cluster.url, autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET max_connections = 8")
            admin.execute("ALTER SYSTEM SET superuser_reserved_connections = 0")
        cluster.stop()
        cluster.start()
        held = []
        try:
            with pytest.raises(psycopg.OperationalError):
                for _ in range(200):
                    held.append(psycopg.connect(cluster.url))
            with pytest.raises(Transient, match="too many"):
                PostgresRecords(cluster.url, "full", TABLES)
        finally:
            for connection in held:
                connection.close()
        PostgresRecords(cluster.url, "full", TABLES).close()


def test_lanes_run_beside_each_other_and_never_beside_a_writer(store: PostgresRecords) -> None:
    together, begun, seen = threading.Barrier(2), threading.Event(), []

    def lane(number: int) -> None:
        with store.lane() as transaction:
            together.wait(30)
            transaction.put(thing, [(number, "lane", "", 0)])
            begun.set()
            together.wait(30)

    def writer() -> None:
        begun.wait(30)
        with store.write() as transaction:
            seen.append(len(transaction.rows(thing, "view", [1, 2])))

    threads = [threading.Thread(target=lane, args=(n,)) for n in (1, 2)]
    threads.append(threading.Thread(target=writer))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [2]


def test_two_schemas_are_two_stores(postgres: Place) -> None:
    one, other = (PostgresRecords(postgres.url, postgres.schema + end, TABLES) for end in ("", "_b"))
    with one.write() as first, other.write() as second:
        first.put(thing, [(1, "one", "", 0)])
        assert second.rows(thing, "view", [1]) == []
    one.close()
    other.close()


def test_many_open_the_same_new_schema_at_once(postgres: Place) -> None:
    problems: list[BaseException] = []

    def open_it() -> None:
        try:
            PostgresRecords(*postgres, TABLES).close()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
