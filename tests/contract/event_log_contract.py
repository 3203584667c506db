"""What every engine of the event log must do. An engine claims it by a subclass that names it."""

import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest

from cauce.eventlog.port import EventLog, Outcome, Settlement
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.event import Call, Logged, Position, Refused
from cauce.vocabulary.moment import Moment
from tests.contract.event_log_engines import ENGINES, Engine, event, refused

ACCEPTED, DUPLICATE, CONFLICTING = Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.CONFLICTING_REPEAT
EVERYTHING = 1_000_000

Open = Callable[[], EventLog]
Start = Callable[..., "subprocess.Popen[str]"]


class EventLogFixtures:
    """Opens logs and processes on one folder, and closes what a test leaves open."""

    engine_name: ClassVar[str]

    @pytest.fixture
    def engine(self) -> Engine:
        return ENGINES[self.engine_name]

    @pytest.fixture
    def open_log(self, engine: Engine, tmp_path: Path) -> Iterator[Open]:
        opened: list[EventLog] = []

        def open_() -> EventLog:
            opened.append(engine.open(tmp_path))
            return opened[-1]

        yield open_
        for log in opened:
            log.close()

    @pytest.fixture
    def log(self, open_log: Open) -> EventLog:
        return open_log()

    @pytest.fixture
    def start(self, tmp_path: Path) -> Iterator[Start]:
        started: list[subprocess.Popen[str]] = []

        def start_(task: str, *numbers: int) -> "subprocess.Popen[str]":
            words = [self.engine_name, str(tmp_path), task, *map(str, numbers)]
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.contract.event_log_process", *words],
                stdout=subprocess.PIPE,
                text=True,
            )
            started.append(process)
            return process

        yield start_
        for process in started:
            with process:
                process.kill()


def everything(log: EventLog, limit: int = EVERYTHING) -> list[Logged]:
    """The whole log, read ``limit`` events at a time."""
    rows: list[Logged] = []
    while more := log.read(rows[-1].position if rows else Position(0), limit):
        rows.extend(more)
    return rows


def ids(log: EventLog, limit: int = EVERYTHING) -> list[str]:
    """The message ids in the order of the log."""
    return [row.message_id for row in everything(log, limit)]


def follow(log: EventLog, processes: list["subprocess.Popen[str]"]) -> list[Logged]:
    """Everything a follower sees in the order he sees it, until the processes have ended."""
    rows: list[Logged] = []
    ended = False
    while not ended:
        ended = all(process.poll() is not None for process in processes)
        rows.extend(log.read(rows[-1].position if rows else Position(0), 7))
        if ended:
            while more := log.read(rows[-1].position if rows else Position(0), 7):
                rows.extend(more)
    return rows


class EventLogContract(EventLogFixtures):
    """Order, deduplication, quarantine, time."""

    def test_new_log_is_empty(self, log: EventLog) -> None:
        assert (log.head(), log.read(Position(0), 10), log.quarantined()) == (0, [], [])
        assert log.quarantine_counts() == {}
        assert log.append([], [], now=Moment(1)) == []

    @pytest.mark.parametrize("sealed", [False, True])
    @pytest.mark.parametrize("limit", [1, 3, EVERYTHING])
    def test_events_come_back_in_order_as_they_were(
        self, engine: Engine, log: EventLog, tmp_path: Path, sealed: bool, limit: int
    ) -> None:
        bodies = [
            '{"userId":"ñ\\u00f1 — 人"}',
            '{"n":123456789012345678901234567890,"x":1e400,"f":0.10}',
            '{ "spaces" :\n [ ] }',
            '{"traits":"no object","context":[]}',
            '{"filler":"%s"}' % ("y" * 1_000_000),
        ]
        sent = [event(f"id-{n}", body, time=-n, name=f"Name {9 - n}") for n, body in enumerate(bodies)]
        for number, one in enumerate(sent):
            log.append([one], [], now=Moment(100 + number))
        if sealed:
            engine.seal(tmp_path, Position(3))
        rows = everything(log, limit)
        assert [(row.received, row.body) for row in rows] == [
            (100 + n, one.body) for n, one in enumerate(sent)
        ]
        assert [row.position for row in rows] == sorted({row.position for row in rows})
        assert [(r.message_id, r.time, r.call, r.name, r.source) for r in rows] == [
            (one.message_id, one.time, Call.TRACK, one.name, "web") for one in sent
        ]
        assert log.head() == rows[-1].position

    @pytest.mark.parametrize(
        "between", ["same append", "nothing", "reopen", "other log", "seal", "seal, reopen"]
    )
    @pytest.mark.parametrize(
        ("first", "second", "outcome"),
        [
            ('{"a":1}', '{"a":1}', DUPLICATE),
            ('{"a":1}', '{"a":2}', CONFLICTING),
            ('{"a":1,"sentAt":"x"}', '{"sentAt":"y","a":1}', DUPLICATE),
            (
                '{"a":1,"_metadata":{}}',
                '{"a":1,"_metadata":{"b":[]},"writeKey":"k","receivedAt":1}',
                DUPLICATE,
            ),
            ('{"a":1,"sentAt":"x"}', '{"a":2,"sentAt":"x"}', CONFLICTING),
            ('{"a":{"sentAt":1}}', '{"a":{"sentAt":2}}', CONFLICTING),
            ('"sentAt" 1', '"sentAt" 1', DUPLICATE),
        ],
    )
    def test_each_message_id_once(
        self,
        engine: Engine,
        open_log: Open,
        tmp_path: Path,
        between: str,
        first: str,
        second: str,
        outcome: Outcome,
    ) -> None:
        log = open_log()
        log.append([event("x"), event("y")], [], now=Moment(0))
        pair = [event("id", first), event("id", second)]
        if between == "same append":
            outcomes = log.append(pair, [], now=Moment(1))
        else:
            outcomes = log.append(pair[:1], [], now=Moment(1))
            if "seal" in between:
                engine.seal(tmp_path, log.head())
            if "reopen" in between:
                log.close()
            if between != "nothing":
                log = open_log()
            outcomes += log.append(pair[1:], [], now=Moment(2))
        assert outcomes == [ACCEPTED, outcome]
        assert [row.body for row in everything(log)][2:] == [first.encode()]
        kept = [(one.reason, one.body) for one in log.quarantined()]
        assert kept == ([("conflicting_repeat", second.encode())] if outcome is CONFLICTING else [])

    def test_logs_that_were_open_all_along_know_of_each_others_ids(
        self, engine: Engine, open_log: Open, tmp_path: Path
    ) -> None:
        one, two = open_log(), open_log()
        assert two.append([event("a")], [], now=Moment(0)) == [ACCEPTED]
        assert one.append([event("a"), event("b")], [], now=Moment(0)) == [DUPLICATE, ACCEPTED]
        one.append([event("c"), event("d")], [], now=Moment(0))
        engine.seal(tmp_path, Position(3))
        assert two.append([event(i) for i in "abcde"], [], now=Moment(0)) == [*[DUPLICATE] * 4, ACCEPTED]
        assert one.append([event(i) for i in "edcba"], [], now=Moment(0)) == [DUPLICATE] * 5
        assert ids(one) == ids(two) == list("abcde")

    def test_an_event_that_cannot_be_written_undoes_its_append(self, log: EventLog) -> None:
        with pytest.raises(UnicodeEncodeError):
            log.append([event("a"), event("b", name="\ud800")], [], now=Moment(0))
        assert log.append([event("a")], [], now=Moment(0)) == [ACCEPTED]

    def test_quarantine_keeps_input_with_its_reason(self, open_log: Open) -> None:
        log = open_log()
        log.append([event("a", "1")], [refused("too_large", "x"), refused("broken", "y")], now=Moment(5))
        log.append([event("a", "2")], [refused("broken", "z")], now=Moment(3))
        log.close()
        log = open_log()
        rows = log.quarantined()
        assert [(r.received, r.reason, r.body) for r in rows] == [
            (5, "too_large", b"x"),
            (5, "broken", b"y"),
            (5, "conflicting_repeat", b"2"),
            (5, "broken", b"z"),
        ]
        assert log.quarantined(after=rows[1].number, limit=1) == rows[2:3]
        assert log.quarantine_counts() == {"broken": 2, "conflicting_repeat": 1, "too_large": 1}
        assert [r.number for r in log.quarantined(reason="broken")] == [rows[1].number, rows[3].number]
        assert log.quarantined(source="shop") == []
        assert (len(log.quarantined(source="web", settled=False)), log.quarantined(settled=True)) == (4, [])

    def test_quarantine_keeps_what_judging_again_needs(self, log: EventLog) -> None:
        hints = ("track", Moment(7)), ("batch", None), ("", Moment(-1))
        whole = [
            Refused(reason="broken", detail="d", source="web", body=b"\xff\x00", call=call, sent=sent)
            for call, sent in hints
        ]
        log.append([], whole, now=Moment(5))
        assert tuple((r.call, r.sent) for r in log.quarantined()) == hints
        assert {(r.body, r.settled, r.settlement) for r in log.quarantined()} == {(b"\xff\x00", None, None)}

    def test_a_conflict_is_quarantined_once_however_often_it_is_repeated(self, log: EventLog) -> None:
        log.append([event("a", "1")], [], now=Moment(1))
        for _ in range(3):
            assert log.append([event("a", "2")], [], now=Moment(2)) == [CONFLICTING]
        log.append([event("a", "3")], [], now=Moment(2))
        assert [r.body for r in log.quarantined()] == [b"2", b"3"]

    def test_refused_input_is_settled_once_together_with_what_was_made_of_it(self, open_log: Open) -> None:
        log, other = open_log(), open_log()
        log.append([event("a")], [refused("broken", body) for body in "xyz"], now=Moment(5))
        x, y, z = (r.number for r in log.quarantined())
        made = [event("b"), event("a")]
        outcomes = log.settle([x, y], Settlement.REPLAYED, made, [refused("worse", "w")], now=Moment(9))
        assert outcomes == [ACCEPTED, DUPLICATE]
        assert ids(other) == ["a", "b"]
        assert other.quarantine_counts() == {"broken": 1, "worse": 1}
        for numbers in ([z, x], [10_000]):
            with pytest.raises(Conflict):
                other.settle(numbers, Settlement.DISCARDED, [event("c")], now=Moment(9))
        assert (ids(log), len(log.quarantined(settled=False))) == (["a", "b"], 2)
        assert log.settle([z], Settlement.DISCARDED, now=Moment(11)) == []
        assert [(r.number, r.settled, r.settlement) for r in other.quarantined(settled=True)] == [
            (x, 9, "replayed"),
            (y, 9, "replayed"),
            (z, 11, "discarded"),
        ]

    def test_received_never_falls_nor_precedes_a_tick(
        self, engine: Engine, open_log: Open, tmp_path: Path
    ) -> None:
        one, two = open_log(), open_log()
        one.append([event("a")], [], now=Moment(10))
        assert two.tick(Moment(5)) == (10, 1)
        assert two.tick(Moment(20)) == (20, 1)
        assert one.tick(Moment(15)) == (20, 1)
        two.append([event("b")], [], now=Moment(12))
        engine.seal(tmp_path, Position(2))
        one.append([event("c")], [], now=Moment(30))
        engine.seal(tmp_path, Position(3))
        two.close()
        three = open_log()
        assert three.tick(Moment(1)) == (30, 3)
        three.append([event("d")], [], now=Moment(2))
        assert [row.received for row in everything(one)] == [10, 20, 30, 30]

    def test_clock_that_jumps_at_random(self, open_log: Open) -> None:
        logs = [open_log(), open_log()]
        chance = random.Random(7)
        floor = 0
        for number in range(200):
            now = Moment(chance.randrange(10_000))
            if chance.random() < 0.3:
                floor, head = chance.choice(logs).tick(now)
                assert (floor >= now, head) == (True, logs[0].head())
            else:
                chance.choice(logs).append([event(f"id-{number}")], [], now=now)
                last = logs[0].read(Position(logs[0].head() - 1), 1)[0].received
                assert last >= max(floor, now)
                floor = last

    def test_what_is_not_sealed_is_found_by_when_it_happened(
        self, engine: Engine, log: EventLog, tmp_path: Path
    ) -> None:
        sent = [event(f"id-{n}", time=n % 4) for n in range(12)]
        log.append(sent, [], now=Moment(100))
        engine.seal(tmp_path, Position(5))
        found = log.unsealed_at([Moment(1), Moment(2), Moment(-9)], 10)
        assert [row.message_id for row in found] == ["id-5", "id-6", "id-9", "id-10"]
        assert found == [row for row in everything(log) if row in found]
        assert [row.message_id for row in log.unsealed_at([Moment(1), Moment(2)], 1)] == ["id-5"]
        assert log.unsealed_at([], 10) == []

    def test_sealing_is_repeatable_and_changes_nothing(
        self, engine: Engine, open_log: Open, tmp_path: Path
    ) -> None:
        log = open_log()
        for start in range(0, 400, 20):
            log.append(
                [event(f"id-{n}", name=f"N{n % 7}") for n in range(start, start + 20)], [], now=Moment(start)
            )
        before = everything(log)
        for upto in (0, 120, 120, 50, 333, 10_000, 10_000):
            engine.seal(tmp_path, Position(upto))
            assert everything(log, 37) == everything(open_log()) == before
        assert log.append([event("id-0"), event("z")], [], now=Moment(0)) == [DUPLICATE, ACCEPTED]
        assert everything(log)[:-1] == before
        assert log.read(Position(395), 10) == everything(log)[395:]


class EventLogBeginningContract(EventLogFixtures):
    """What an engine adds whose appends can begin without waiting: ``begin_append`` gives a pending one."""

    def test_pending_append_is_invisible_and_excludes_others(self, open_log: Open) -> None:
        log, other = open_log(), open_log()
        pending = log.begin_append([event("a")], [refused("broken")], now=Moment(1))
        assert pending is not None
        assert pending.outcomes == [ACCEPTED]
        assert log.begin_append([event("b")], [], now=Moment(1)) is None
        assert other.begin_append([event("b")], [], now=Moment(1)) is None
        assert (log.head(), ids(log), log.quarantined(), ids(other)) == (0, [], [], [])
        thread = threading.Thread(target=pending.commit)
        thread.start()
        thread.join()
        assert (ids(log), ids(other), len(log.quarantined())) == (["a"], ["a"], 1)
        again = other.begin_append([event("a"), event("b")], [], now=Moment(1))
        assert again is not None
        assert again.outcomes == [DUPLICATE, ACCEPTED]
        again.commit()
        assert ids(log) == ["a", "b"]

    def test_abandoned_append_leaves_nothing(self, log: EventLog) -> None:
        pending = log.begin_append([event("a")], [refused("broken")], now=Moment(9))
        assert pending is not None
        pending.abandon()
        assert (log.head(), log.quarantined()) == (0, [])
        assert log.append([event("a")], [], now=Moment(1)) == [ACCEPTED]
        assert everything(log)[0].received == 1

    def test_follower_far_behind_catches_up_before_it_appends_without_waiting(self, open_log: Open) -> None:
        behind, ahead = open_log(), open_log()
        ahead.append([event(f"id-{n}") for n in range(5_000)], [], now=Moment(0))
        assert behind.begin_append([event("id-1")], [], now=Moment(0)) is None
        behind.catch_up()
        pending = behind.begin_append([event("id-1"), event("new")], [], now=Moment(0))
        assert pending is not None
        assert pending.outcomes == [DUPLICATE, ACCEPTED]
        pending.commit()
        assert len(ids(ahead)) == 5_001


class EventLogProcessContract(EventLogFixtures):
    """The same with several processes, and with processes that are killed."""

    def test_two_processes_append_and_a_follower_misses_nothing(self, log: EventLog, start: Start) -> None:
        processes = [start("append", 0, 2_000), start("append", 10_000, 12_000)]
        rows = follow(log, processes)
        assert [process.returncode for process in processes] == [0, 0]
        positions = [row.position for row in rows]
        assert positions == sorted(set(positions))
        assert positions == [row.position for row in everything(log)]
        received = [row.received for row in rows]
        assert received == sorted(received)
        reported = [word for process in processes for word in process.communicate()[0].split()]
        assert sorted(row.message_id for row in rows) == sorted(reported)
        assert len(reported) == len(set(reported)) == 3_000

    def test_eight_appenders_that_dawdle_and_a_follower_who_misses_nothing(
        self, engine: Engine, log: EventLog, start: Start, tmp_path: Path
    ) -> None:
        processes = [start("append_slowly", 100 * number, 4) for number in range(2)]
        heads: list[int] = []
        ended = threading.Event()

        def watch() -> None:
            with closing(engine.open(tmp_path)) as other:
                while not ended.is_set():
                    head = other.head()
                    heads.append(head)
                    assert len(other.read(Position(head - 1), 1)) == min(head, 1)

        with ThreadPoolExecutor(1) as pool:
            watching = pool.submit(watch)
            try:
                rows = follow(log, processes)
            finally:
                ended.set()
            watching.result()
        assert heads == sorted(heads)
        assert [process.returncode for process in processes] == [0, 0]
        positions = [row.position for row in rows]
        assert positions == sorted(set(positions))
        assert positions == [row.position for row in everything(log)]
        received = [row.received for row in rows]
        assert received == sorted(received)
        reported = [word for process in processes for word in process.communicate()[0].split()]
        assert sorted(row.message_id for row in rows) == sorted(reported)
        assert len(set(reported)) == len(reported) == 8 * 12 * 10 + 12 * 10

    def test_a_follower_reads_across_sealing_under_his_feet(
        self, engine: Engine, log: EventLog, start: Start, tmp_path: Path
    ) -> None:
        process = start("append", 0, 2_000)
        rows: list[Logged] = []
        while process.poll() is None or log.head() > len(rows):
            rows.extend(log.read(rows[-1].position if rows else Position(0), 90))
            engine.seal(tmp_path, Position(max(0, len(rows) - 30)))
        assert process.returncode == 0
        assert [row.message_id for row in rows] == process.communicate()[0].split()

    def test_killed_appender_keeps_what_it_acknowledged(self, open_log: Open, start: Start) -> None:
        chance = random.Random()
        acknowledged: list[str] = []
        for round_ in range(4):
            process = start("append_forever", round_ * 1_000_000)
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 60)):
                acknowledged.extend(process.stdout.readline().split())
            process.kill()
            acknowledged.extend(process.communicate()[0].split())
        log = open_log()
        held = ids(log)
        assert len(held) == len(set(held))
        assert set(acknowledged) <= set(held)
        assert len(held) <= len(acknowledged) + 4 * 20
        assert set(log.append([event(one) for one in held], [], now=Moment(0))) == {DUPLICATE}

    def test_killed_sealer_loses_and_doubles_nothing(self, open_log: Open, start: Start) -> None:
        chance = random.Random()
        log = open_log()
        for number in range(8):
            new = [event(f"id-{number}-{n}") for n in range(120)]
            assert set(log.append(new, [], now=Moment(number))) == {ACCEPTED}
            before = everything(log)
            process = start("seal_and_die", log.head() - 10, chance.randrange(1, 60))
            process.communicate()
            other = open_log()
            assert everything(log) == everything(other, 33) == before
            repeats = [event(row.message_id) for row in before]
            assert set(other.append(repeats, [], now=Moment(number))) == {DUPLICATE}
        assert start("seal_and_die", log.head(), 0).wait() == 0
        assert everything(log) == before
        assert len(before) == 8 * 120


class EventLogDiskContract(EventLogFixtures):
    """What an engine adds that writes to its files from the process that appends."""

    def test_full_disk_refuses_an_append_as_a_whole(self, open_log: Open, start: Start) -> None:
        process = start("fill", 600)
        *acknowledged, last = process.communicate()[0].splitlines()
        held = [one for line in acknowledged for one in line.split()]
        assert process.returncode == 0
        assert len(held) > 100
        assert last == f"full {len(held) + 1} 20"
        assert ids(open_log())[: len(held) + 1] == ["first", *held]
