"""What every engine of the ``Records`` port must do; an engine subclasses this and gives ``records``."""

import threading

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, select

from cauce.storage.records import Records, progress

TABLES = MetaData()
thing = Table(
    "thing",
    TABLES,
    Column("view", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("value", Text),
    Column("number", Integer),
)
progress.to_metadata(TABLES)


class RecordsContract:
    """Rows by key, whole transactions, snapshots, positions."""

    @pytest.fixture
    def records(self) -> Records:
        raise AssertionError("an engine gives its own")

    def test_rows_come_back_by_any_column_and_fixed_values(self, records: Records) -> None:
        rows = [(1, "a", "x", 2**62), (1, "b", "y", -1), (2, "a", "x", None)]
        with records.write() as transaction:
            transaction.put(thing, rows)
            assert sorted(transaction.rows(thing, "key", ["a", "nobody"])) == sorted(
                [rows[0], rows[2]], key=str
            )
            assert transaction.rows(thing, "key", ["a", "b"], view=2) == [rows[2]]
        with records.read() as reader:
            assert reader.rows(thing, "number", [-1]) == [rows[1]]
            assert reader.rows(thing, "key", []) == []
            assert reader.select(select(thing.c.value).where(thing.c.view == 1).order_by(thing.c.key)) == [
                ("x",),
                ("y",),
            ]

    def test_put_replaces_whole_rows(self, records: Records) -> None:
        with records.write() as transaction:
            transaction.put(thing, [(1, "a", "x", 1)])
            transaction.put(thing, [(1, "a", None, 2), (1, "ñ \U0001f600 '\"", "", 0)])
        with records.read() as reader:
            assert reader.rows(thing, "key", ["a"]) == [(1, "a", None, 2)]
            assert reader.rows(thing, "key", ["ñ \U0001f600 '\""]) == [(1, "ñ \U0001f600 '\"", "", 0)]

    def test_remove_and_clear(self, records: Records) -> None:
        with records.write() as transaction:
            transaction.put(thing, [(view, key, "", 0) for view in (1, 2) for key in "abc"])
            transaction.remove(thing, "key", ["a", "b"], view=1)
            assert len(transaction.rows(thing, "key", ["a", "b", "c"])) == 4
            transaction.clear(thing)
            assert transaction.rows(thing, "key", ["a", "b", "c"]) == []

    def test_a_position_and_its_results_are_stored_together_or_not_at_all(self, records: Records) -> None:
        with records.write() as transaction:
            transaction.advance("log", 7)
        with pytest.raises(ZeroDivisionError), records.write() as transaction:
            transaction.put(thing, [(1, "a", "", 0)])
            transaction.advance("log", 8)
            raise ZeroDivisionError
        with records.read() as reader:
            assert (reader.progress("log"), reader.progress("unknown")) == (7, 0)
            assert reader.rows(thing, "key", ["a"]) == []

    def test_a_reader_sees_one_state(self, records: Records) -> None:
        with records.write() as transaction:
            transaction.put(thing, [(1, "a", "old", 0)])
        with records.read() as reader:
            assert reader.rows(thing, "key", ["a"])[0][2] == "old"
            with records.write() as transaction:
                transaction.put(thing, [(1, "a", "new", 0)])
            assert reader.rows(thing, "key", ["a"])[0][2] == "old"
        with records.read() as reader:
            assert reader.rows(thing, "key", ["a"])[0][2] == "new"

    def test_writers_in_threads_lose_nothing(self, records: Records) -> None:
        def add(times: int) -> None:
            for _ in range(times):
                with records.write() as transaction:
                    transaction.advance("count", transaction.progress("count") + 1)

        threads = [threading.Thread(target=add, args=(25,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with records.read() as reader:
            assert reader.progress("count") == 100
