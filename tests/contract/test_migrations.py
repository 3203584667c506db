"""Stores of every revision since the first release come up, keep their rows, and go back."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, MetaData, inspect, select, text
from sqlalchemy.dialects import postgresql

from cauce.activate import records as _activate  # noqa: F401  every table of the state store is declared
from cauce.app.rounds import records as _rounds  # noqa: F401
from cauce.eventlog.postgres_tables import LOG
from cauce.eventlog.sqlite import SqliteLog
from cauce.govern.records import CONTROL
from cauce.identity import records as _identity  # noqa: F401
from cauce.profile import records as _profile  # noqa: F401
from cauce.segment import records as _segment  # noqa: F401
from cauce.storage import postgres as engine
from cauce.storage import sqlite
from cauce.storage.migrations.run import BASE, found_revision, migrate, revisions
from cauce.storage.postgres import PostgresRecords
from cauce.storage.records import STATE
from cauce.storage.revisions import FIRST, NEWEST, OlderStore
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.errors import Conflict, InvalidInput
from tests.contract.old_stores import old_file
from tests.services.postgres import Place

TABLES = {"state": STATE, "control": CONTROL, "log": LOG}
Opened = Callable[[], AbstractContextManager[Connection]]


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    if request.param == "sqlite":
        return partial(sqlite.altered, tmp_path / "store.db")
    place: Place = request.getfixturevalue("postgres")
    return partial(engine.altered, *place)


def shape(connection: Connection) -> dict[str, Any]:
    """Columns with type, collation and whether they may be null, keys and indexes of every table."""
    looking = inspect(connection)
    found = {}
    for name in sorted(looking.get_table_names()):
        columns = [(c["name"], str(c["type"]), c["nullable"]) for c in looking.get_columns(name)]
        key = looking.get_pk_constraint(name)["constrained_columns"]
        indexes = sorted(
            (i["name"], tuple(i["column_names"]), bool(i["unique"]), bool(i.get("dialect_options")))
            for i in looking.get_indexes(name)
        )
        found[name] = (columns, key, indexes)
    return found


def rows(connection: Connection, wanted: MetaData | None = None) -> dict[str, list[tuple[Any, ...]]]:
    names = [name for name in inspect(connection).get_table_names() if not name.endswith("_revision")]
    if wanted is not None:
        names = [name for name in names if name in wanted.tables]
    found = {name: connection.execute(text(f'SELECT * FROM "{name}"')) for name in names}
    return {
        name: sorted((tuple(map(ordered, row)) for row in some), key=repr) for name, some in found.items()
    }


def ordered(value: Any) -> Any:
    """Lists of ids in one order: the first release kept them as they came."""
    if isinstance(value, str) and value.startswith('{"'):
        lists = msgspec.json.decode(value)
        if all(isinstance(one, list) and all(type(n) is int for n in one) for one in lists.values()):
            return {name: sorted(one) for name, one in sorted(lists.items())}
    return value


@pytest.mark.parametrize("store", TABLES)
def test_the_revisions_make_the_tables_that_the_program_declares(opened: Opened, store: str) -> None:
    """Whoever changes a table changes the newest unreleased revision, or adds one, in storage/migrations."""
    with opened() as connection:
        assert found_revision(connection, store) == BASE
        assert migrate(connection, store, BASE, NEWEST[store]) == revisions(store)[::-1]
        migrated = shape(connection)
        assert found_revision(connection, store) == NEWEST[store]
        migrate(connection, store, NEWEST[store], BASE)
        if (store, connection.dialect.name) == ("log", "sqlite"):
            return  # this log makes itself: see the next test
        assert {name for name in shape(connection) if name != f"{store}_revision"} == set()
        TABLES[store].create_all(connection)
        declared = shape(connection)
    for found in (migrated, declared):
        found.pop(f"{store}_revision", None)
    assert migrated == declared, "complete the newest revision in storage/migrations"


def test_an_upgraded_log_file_is_like_a_new_one(tmp_path: Path) -> None:
    SqliteLog(tmp_path).close()
    with sqlite.altered(tmp_path / "log.db") as connection:
        new = shape(connection)
    (tmp_path / "old").mkdir()
    with sqlite.altered(old_file(tmp_path / "old", "log")) as connection:
        migrate(connection, "log", FIRST, NEWEST["log"])
        assert shape(connection) == new


@pytest.mark.parametrize("store", TABLES)
def test_every_revision_can_be_left_and_reached_again(opened: Opened, store: str) -> None:
    with opened() as connection:
        migrate(connection, store, BASE, NEWEST[store])
        newest = shape(connection)
        way = [BASE, *revisions(store)]
        for below in reversed(way[:-1]):
            migrate(connection, store, found_revision(connection, store), below)
            assert found_revision(connection, store) == below
        for above in way[1:]:
            migrate(connection, store, found_revision(connection, store), above)
        assert shape(connection) == newest
        with pytest.raises(InvalidInput, match="no revision 9999"):
            migrate(connection, store, NEWEST[store], "9999")


@pytest.mark.parametrize("store", TABLES)
def test_a_store_of_the_first_release_keeps_its_rows_up_and_down(tmp_path: Path, store: str) -> None:
    file = old_file(tmp_path, store)
    with sqlite.altered(file) as connection:
        assert found_revision(connection, store) == FIRST
        before, shape_before = rows(connection), shape(connection)
        assert sum(map(len, before.values())) >= 2
        migrate(connection, store, FIRST, NEWEST[store])
    with sqlite.altered(file) as connection:
        after = rows(connection)
        for name, found in before.items():
            assert len(after[name]) == len(found), name
        migrate(connection, store, NEWEST[store], FIRST)
        assert rows(connection) == before
        assert {n: s[0] for n, s in shape(connection).items()} == {n: s[0] for n, s in shape_before.items()}
    with sqlite.altered(file) as connection:
        assert found_revision(connection, store) == FIRST


def test_an_upgraded_space_of_the_first_release_opens_and_reads(tmp_path: Path) -> None:
    for store in TABLES:
        with sqlite.altered(old_file(tmp_path, store)) as connection:
            migrate(connection, store, FIRST, NEWEST[store])
    records = SqliteRecords(tmp_path / "state.db", STATE)
    with records.read() as reader:
        assert reader.progress("log") == 60
        kinds = reader.select(select(STATE.tables["delivery"].c.kind).distinct())
        assert kinds == [("webhook",)]
    records.close()
    SqliteRecords(tmp_path / "control.db", CONTROL).close()
    log = SqliteLog(tmp_path)
    assert (log.head(), len(log.quarantined())) == (60, 3)
    log.close()


def test_a_failed_step_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = old_file(tmp_path, "state")
    with sqlite.altered(file) as connection:
        connection.exec_driver_sql("CREATE TABLE group_member (in_the_way INTEGER)")
        before = rows(connection)
    with pytest.raises(Exception, match="group_member"), sqlite.altered(file) as connection:
        migrate(connection, "state", FIRST, NEWEST["state"])
    with sqlite.altered(file) as connection:
        assert rows(connection) == before
        assert found_revision(connection, "state") == FIRST


def test_an_older_store_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OlderStore, match="cauce space upgrade"):
        SqliteRecords(old_file(tmp_path, "state"), STATE)


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    SqliteRecords(tmp_path / "state.db", STATE).close()
    with sqlite.altered(tmp_path / "state.db") as connection:
        connection.exec_driver_sql("UPDATE state_revision SET version_num = '9999'")
    with pytest.raises(Conflict) as refused:
        SqliteRecords(tmp_path / "state.db", STATE)
    assert refused.value.code == "other_version"


def test_postgres_refuses_older_and_newer_stores(postgres: Place) -> None:
    PostgresRecords(*postgres, STATE).close()
    for revision, code in (("0001", "older_version"), ("9999", "other_version")):
        with altered_postgres(postgres) as connection:
            connection.exec_driver_sql(f"UPDATE state_revision SET version_num = '{revision}'")
        with pytest.raises(Conflict) as refused:
            PostgresRecords(*postgres, STATE)
        assert refused.value.code == code


def altered_postgres(place: Place) -> AbstractContextManager[Connection]:
    return engine.altered(*place)


def test_every_column_has_a_type_that_both_engines_keep_alike() -> None:
    """``Int64`` and ``Words`` of storage/records.py: 64 bits, and equal by code point."""
    odd = [
        f"{table.name}.{column.name}"
        for tables in (STATE, CONTROL)
        for table in tables.tables.values()
        if not table.name.endswith("_revision")
        for column in table.columns
        if column.type.compile(postgresql.dialect()) not in ("BIGINT", "BYTEA", 'TEXT COLLATE "C"')
    ]
    assert odd == []
