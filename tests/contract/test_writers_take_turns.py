"""Records: writers take turns, so that one who writes all the time keeps nobody out."""

from threading import Event, Thread
from time import monotonic, sleep

import pytest

from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
from cauce.storage.turns import Turns
from cauce.vocabulary.errors import Transient


def test_a_busy_writer_keeps_no_other_out(tmp_path):
    records = SqliteRecords(tmp_path / "state.db", STATE)
    stop, folded = Event(), []

    def fold():
        while not stop.is_set():
            with records.write() as transaction:
                folded.append(monotonic())
                transaction.advance("fold", len(folded))
                sleep(0.02)  # how long this transaction lasts, not what the test waits for

    busy = Thread(target=fold)
    busy.start()
    try:
        for turn in range(20):
            with records.write() as transaction:
                transaction.advance("deliver", turn)
            seen = len(folded)
            assert seen <= 3 * (turn + 1), "the busy writer had more than its turns"
    finally:
        stop.set()
        busy.join()
        records.close()


def test_turns_come_in_the_order_they_were_asked_for():
    turns, order, threads = Turns(), [], []

    def take(number):
        with turns.take(10):
            order.append(number)

    with turns.take(10):
        for number in range(5):
            threads.append(Thread(target=take, args=(number,)))
            threads[-1].start()
            deadline = monotonic() + 5
            while len(turns._waiting) <= number and monotonic() < deadline:
                sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_whoever_waits_too_long_gets_a_passing_fault_and_loses_nothing():
    turns = Turns()
    with turns.take(1), pytest.raises(Transient), turns.take(0.01):
        pass
    with turns.take(0.01):
        pass
    with pytest.raises(ValueError), turns.take(0.01):
        raise ValueError
    with turns.take(0.01):
        pass


def test_opening_a_store_that_exists_waits_for_no_writer(tmp_path):
    records = SqliteRecords(tmp_path / "state.db", STATE)
    with records.write() as transaction:
        transaction.advance("fold", 1)
        started = monotonic()
        SqliteRecords(tmp_path / "state.db", STATE).close()
        assert monotonic() - started < 5
    records.close()
