"""What every engine must do when history is appended in bulk, straight into sealed files."""

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from cauce.eventlog.history import columns_of
from cauce.eventlog.plan import BySource, Plan
from cauce.eventlog.port import Appended, EventLog
from cauce.vocabulary.event import Accepted, Position
from cauce.vocabulary.moment import Moment
from tests.contract.event_log_contract import (
    ACCEPTED,
    DUPLICATE,
    EventLogFixtures,
    Open,
    everything,
    ids,
)
from tests.contract.event_log_engines import Engine, event

PLAN = Plan(BySource({}), frozenset({("properties", "p")}))


def run(engine: str, space: Path, task: str, number: int, step: int) -> int:
    """Run a process that is killed at a step; its exit code."""
    words = [engine, str(space), task, str(number), str(step)]
    line = [sys.executable, "-m", "tests.contract.event_log_history_process", *words]
    return subprocess.run(line, check=False).returncode


def history(log: EventLog, events: list[Accepted], now: int = 0, *, processes: int = 1) -> list[Appended]:
    """Append events in bulk to the end."""
    return list(log.append_sealed(columns_of(events), PLAN, clock=lambda: Moment(now), processes=processes))


class EventLogHistoryContract(EventLogFixtures):
    """Order, deduplication and sealing of events appended in bulk."""

    def test_history_follows_what_is_there_and_is_sealed_with_it(self, open_log: Open) -> None:
        log, other = open_log(), open_log()
        log.append([event("a"), event("b")], [], now=Moment(50))
        events = [event(one, name=f"N{one}") for one in "zyxz"]
        found = history(log, [*events, event("b", '{"other":1}')], now=7)
        assert [(one.accepted, one.duplicates, one.conflicting) for one in found] == [(3, 1, 1)]
        assert ids(log) == ids(other) == list("abzyx")
        assert [row.received for row in everything(log)] == [50] * 5
        assert log.sealed_upto() == log.head() == found[-1].last == everything(log)[-1].position
        assert log.quarantine_counts() == {"conflicting_repeat": 1}
        assert other.append([event("y", name="Ny"), event("new")], [], now=Moment(1)) == [DUPLICATE, ACCEPTED]
        assert log.append([event("new"), event("x", name="Nx")], [], now=Moment(1)) == [DUPLICATE] * 2
        assert ids(log) == [*"abzyx", "new"]

    def test_repeating_a_history_appends_nothing(self, engine: Engine, log: EventLog, tmp_path: Path) -> None:
        events = [event(f"id-{n}", name=f"N{n % 5}") for n in range(300)]
        history(log, events[:200])
        log.append([event("hot")], [], now=Moment(3))
        again = history(log, events)
        assert (sum(one.accepted for one in again), sum(one.duplicates for one in again)) == (100, 200)
        assert history(log, events)[-1] == Appended([DUPLICATE] * 300, log.head())
        engine.seal(tmp_path, log.head())
        assert sorted(ids(log)) == sorted(["hot", *(one.message_id for one in events)])
        received = [row.received for row in everything(log)]
        assert received == sorted(received)

    def test_nothing_is_appended_of_nothing(self, log: EventLog) -> None:
        assert history(log, []) == []
        assert (log.head(), log.sealed_upto()) == (0, 0)

    def test_later_appends_are_not_received_before_history(self, log: EventLog) -> None:
        history(log, [event("a")], now=40)
        assert log.tick(Moment(5)).moment == 40
        log.append([event("b")], [], now=Moment(6))
        assert [row.received for row in everything(log)] == [40, 40]

    def test_bodies_that_are_odd_stay_as_they_are(self, log: EventLog) -> None:
        bodies = ["[]", "no JSON", '{"properties":{"p":1e400,"p":[1]}}', '{"userId":"' + "9" * 5_000 + '"}']
        history(log, [event(f"id-{n}", body) for n, body in enumerate(bodies)])
        assert [row.body.decode() for row in everything(log)] == bodies

    @pytest.mark.parametrize("processes", [1, 2])
    def test_a_collector_appends_meanwhile(self, open_log: Open, processes: int) -> None:
        log, collector = open_log(), open_log()
        stop = threading.Event()
        sent: list[str] = []

        def collect() -> None:
            chance = random.Random(1)
            for number in count():
                if stop.is_set():
                    return
                names = [f"own-{number}", f"shared-{chance.randrange(600)}"]
                collector.append([event(one) for one in names], [], now=Moment(number))
                sent.extend(names)

        def events() -> Iterator[Accepted]:
            for number in range(600):
                yield event(f"shared-{number}")
                yield event(f"old-{number}")

        thread = threading.Thread(target=collect)
        thread.start()
        try:
            batches = (b.slice(at, 100) for b in columns_of(events()) for at in range(0, b.num_rows, 100))
            clock = iter(range(10**9))
            found = list(
                log.append_sealed(
                    batches,
                    PLAN,
                    clock=lambda: Moment(next(clock)),
                    processes=processes,
                    events_per_chunk=200,
                )
            )
        finally:
            stop.set()
            thread.join()
        rows = everything(log)
        assert len({row.message_id for row in rows}) == len(rows)
        assert {row.message_id for row in rows} == {
            *sent,
            *(f"shared-{n}" for n in range(600)),
            *(f"old-{n}" for n in range(600)),
        }
        assert sum(one.accepted + one.duplicates + one.conflicting for one in found) == 1_200
        assert [row.received for row in rows] == sorted(row.received for row in rows)
        assert [row.position for row in rows] == sorted({row.position for row in rows})

    def test_killed_history_is_repeated_and_nothing_is_doubled(self, open_log: Open, tmp_path: Path) -> None:
        chance = random.Random()
        wanted = [f"id-{n}" for n in range(400)]
        log = open_log()
        log.append([event("hot-0"), event("hot-1")], [], now=Moment(0))
        for _ in range(6):
            run(self.engine_name, tmp_path, "history", 400, chance.randrange(1, 500))
            held = ids(log)
            assert len(held) == len(set(held))
            assert held[:2] == ["hot-0", "hot-1"]
            assert held[2:] == wanted[: len(held) - 2]
        assert run(self.engine_name, tmp_path, "history", 400, 0) == 0
        assert ids(open_log()) == ["hot-0", "hot-1", *wanted]
        assert log.sealed_upto() == Position(log.head())
