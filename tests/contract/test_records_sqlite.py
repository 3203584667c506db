"""The embedded engine keeps the contract of ``Records``, and says so when the disk is full."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cauce.storage.records import Records
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.errors import CauceError, Transient
from tests.contract.records_contract import TABLES, RecordsContract, thing


class TestSqlite(RecordsContract):
    @pytest.fixture
    def records(self, tmp_path: Path) -> Iterator[Records]:
        made = SqliteRecords(tmp_path / "state.db", TABLES)
        yield made
        made.close()


def test_a_full_disk_is_a_passing_fault_and_changes_nothing(tmp_path: Path) -> None:
    records = SqliteRecords(tmp_path / "state.db", TABLES)
    with records.write() as transaction:
        transaction.put(thing, [(1, "kept", "", 0)])
        limit = "PRAGMA max_page_count = 20"
        transaction.connection.exec_driver_sql(limit)
    with pytest.raises(Transient, match="full"), records.write() as transaction:
        transaction.put(thing, [(2, str(number), "x" * 1_000, 0) for number in range(1_000)])
    with records.read() as reader:
        assert reader.rows(thing, "view", [1, 2]) == [(1, "kept", "", 0)]
    records.close()


def test_a_file_that_is_no_store_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(CauceError, match="Move the file away"):
        SqliteRecords(tmp_path / "state.db", TABLES)
