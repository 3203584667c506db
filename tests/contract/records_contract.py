"""What every engine of the ``Records`` port must do; an engine subclasses this and gives ``records``."""

import threading

import pytest
from sqlalchemy import Column, LargeBinary, MetaData, Table, select

from cauce.storage.records import Int64, Records, Words, progress

TABLES = MetaData()
thing = Table(
    "thing",
    TABLES,
    Column("view", Int64, primary_key=True, autoincrement=False),
    Column("key", Words, primary_key=True),
    Column("value", Words),
    Column("number", Int64),
)
progress.to_metadata(TABLES)
blob = Table(
    "blob", TABLES, Column("key", Words, primary_key=True), Column("bytes", LargeBinary, nullable=False)
)

ODD_TEXTS = [
    "",
    " ",
    "NULL",
    "null",
    "{}",
    '{"a":"b"}',
    "\\",
    "\\\\x00",
    '"',
    "','",
    ",",
    "a\x00b",
    "\ue000",
    "\ue000\ue001",
    "\n\r\t\x01\x7f",
    "%s",
    "\u00e9",
    "e\u0301",
    "\U0001f600",
    "ﬀ",
    "Z",
    "a",
]
"""Texts that an engine might change, take for syntax, or order otherwise than by code point."""


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

    def test_texts_come_back_to_the_letter_and_are_told_apart(self, records: Records) -> None:
        keys = [text for text in ODD_TEXTS if "\x00" not in text]  # keys hold no NUL
        rows = [(1, text, text, number) for number, text in enumerate(keys)]
        rows.append((3, "nul", "\x00a\x00\ue000", 0))
        with records.write() as transaction:
            transaction.put(thing, [*rows, (2, "none", None, 1)])
        with records.read() as reader:
            for row in rows:
                assert reader.rows(thing, "key", [row[1]], view=row[0]) == [row]
            assert sorted(reader.rows(thing, "key", [*keys, "nul"])) == sorted(rows)
            plain = [text for text in keys if "\ue000" not in text]
            ordered = reader.select(select(thing.c.key).where(thing.c.view == 1).order_by(thing.c.key))
            assert [key for (key,) in ordered if key in plain] == sorted(plain)
            assert {key for (key,) in ordered} == set(keys)

    def test_of_rows_with_one_key_the_last_counts(self, records: Records) -> None:
        with records.write() as transaction:
            transaction.put(thing, [(1, "a", "first", 1), (1, "b", "", 2), (1, "a", "last", 3)])
            assert sorted(transaction.rows(thing, "view", [1])) == [(1, "a", "last", 3), (1, "b", "", 2)]

    def test_keys_may_be_asked_for_twice(self, records: Records) -> None:
        with records.write() as transaction:
            transaction.put(thing, [(1, "a", "x", 1)])
            assert transaction.rows(thing, "key", ["a", "a"]) == [(1, "a", "x", 1)]
            assert len(transaction.rows(thing, "key", [*map(str, range(5_000)), "a"])) == 1

    def test_bytes_come_back(self, records: Records) -> None:
        rows = [("every", bytes(range(256))), ("none", b""), ("text", b'\\x00"')]
        with records.write() as transaction:
            transaction.put(blob, rows)
            assert sorted(transaction.rows(blob, "key", ["every", "none", "text"])) == rows

    def test_moments_compare_in_selects(self, records: Records) -> None:
        with records.write() as transaction:
            transaction.put(thing, [(1, "a", "x", 2**60), (1, "b", "x", -(2**63)), (1, "c", "x", 2**63 - 1)])
            late = select(thing.c.key).where(thing.c.number >= 2**60).order_by(thing.c.number).limit(5)
            assert transaction.select(late) == [("a",), ("c",)]

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
