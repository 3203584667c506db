"""Destinations that come, go, change their kind, are taken over by another worker, or wait for the store."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import msgspec
import pytest

from cauce.activate.backfill import Backfill, asks_for_members, begin_again
from cauce.activate.chores import Stopped
from cauce.activate.delivery import State
from cauce.activate.leases import Leases
from cauce.activate.outbox import Outbox
from cauce.activate.payload import Shape
from cauce.activate.records import subscription
from cauce.activate.service import Activation
from cauce.activate.settings import ActivateSettings
from cauce.vocabulary.definitions import AnyDestination, Definitions, SegmentDef
from cauce.vocabulary.moment import SECOND, Moment, now
from tests.faults.destination_people import People
from tests.faults.webhook_receiver import Receiver
from tests.faults.webhook_space import QUICK, Space, change, destination, until

ROOT = Path(__file__).parents[2]


def definition(**given):
    known = {"kind": "webhook", "name": "crm", "owner": "o", "url": "http://x/"}
    if "kind" not in given:
        known["secret"] = "env:S"
    return msgspec.convert(known | given, AnyDestination)


def defined(*destinations, segments=("buyers",)):
    names = tuple(one.name for one in destinations)
    return Definitions(
        destinations={one.name: one for one in destinations},
        segments={key: SegmentDef(key=key, owner="o", rule="x", destinations=names) for key in segments},
    )


@pytest.fixture
def space(tmp_path):
    made = Space(tmp_path)
    yield made
    made.records.close()


def outbox(space, kinds=None):
    return Outbox(space.records, now, lambda: 0.5, ActivateSettings(), kinds)


def test_what_waits_for_a_destination_that_is_gone_is_dropped_and_replayed_when_it_is_back(space):
    space.queue(change(1, person="ann"), change(2, person="ann", entered=False), change(3, person="bob"))
    assert outbox(space).drop({"crm": "webhook"}) == 0
    assert outbox(space).drop({}) == 3
    assert {(one.state, one.error) for one in space.all()} == {(State.DROPPED, "the destination was removed")}
    assert space.deliveries.replay(purpose="operations", viewer=None) == (3, 0)
    with Receiver() as receiver:
        space.deliver(destination(receiver.url()))
    assert space.states() == {State.DELIVERED} and len(receiver.requests) == 3


def test_what_was_queued_for_another_kind_is_never_sent_and_holds_up_nobody(space):
    table = definition(kind="sql", url="env:U", table="t")
    space.activation = Activation({"buyers": ["crm"]}, {"crm": Shape.of(table)})
    space.queue(change(1, person="ann"))
    space.activation = Activation({"buyers": ["crm"]})
    space.queue(change(2, person="ann", entered=False), change(3, person="bob"))
    assert [one.profile_id for one in outbox(space, {"crm": "webhook"}).turn([], {"crm": 9})] == ["bob"]
    assert outbox(space).drop({"crm": "webhook"}) == 1
    (dropped,) = [one for one in space.all() if one.state is State.DROPPED]
    assert dropped.error == "the destination is a webhook now and was a sql"
    assert [one.profile_id for one in outbox(space, {"crm": "webhook"}).turn([], {"crm": 9})] == ["ann"]


class Filling:
    """A backfill that is asked again by another process whenever it was stopped."""

    def __init__(self, space, people, *destinations, segments=("buyers",)):
        self.space, self.people = space, people
        self.definitions = defined(*destinations, segments=segments)
        self.definition = destinations[0]

    def run(self, check=lambda: None):
        activation = Activation.of(self.definitions)
        backfill = Backfill(
            self.space.records,
            self.definition,
            tuple(self.definitions.segments),
            activation,
            self.people,
            now,
            lambda: None,
        )
        assert backfill.due(now())
        backfill.do(check)
        assert not backfill.due(now())


def test_a_new_destination_is_told_of_members_only_if_it_asks_and_only_once(space):
    people = People()
    for number in range(1, 12):
        people.put(number, 1_700_000_000 * SECOND + number, plan="gold")
    space.queue(change(1, person="p1"), change(2, person="p2"), change(3, person="p2", entered=False))
    Filling(space, people, definition()).run()
    assert len(space.all()) == 3
    filling = Filling(
        space, people, definition(backfill=True, fields=["trait.plan"]), segments=("buyers", "vips")
    )
    people.put(50, 1_700_000_000 * SECOND, "vips")
    filling.run()
    assert [one.profile_id for one in space.all() if one.segment == "vips"] == ["p50"]
    assert len(space.all()) == 4  # buyers were subscribed before
    with space.records.write() as transaction:
        transaction.clear(subscription)
    filling.run()
    entered = [one for one in space.all() if one.entered and one.segment == "buyers"]
    assert sorted(one.profile_id for one in entered) == sorted([*(f"p{n}" for n in range(1, 12)), "p2"])
    assert b'"plan":"gold"' in entered[-1].body
    before = len(space.all())
    filling.run()
    assert len(space.all()) == before


def test_a_backfill_that_is_stopped_at_any_point_tells_everybody_once(space):
    people = People()
    for number in range(1, 31):
        people.put(number, 1_700_000_000 * SECOND + number)
    filling = Filling(space, people, definition(backfill=True))
    for stop in range(1, 12):
        try:
            filling.run(stop_at(stop))
        except Stopped:
            continue
    assert sorted(one.profile_id for one in space.all()) == sorted(f"p{n}" for n in range(1, 31))


def test_a_backfill_goes_on_though_people_get_other_numbers_meanwhile(space):
    people = People()
    for number in range(11, 31):
        people.put(number, 1_700_000_000 * SECOND + number)
    filling = Filling(space, people, definition(backfill=True))
    with pytest.raises(Stopped):
        filling.run(stop_at(3))
    told = {one.profile_id for one in space.all()}
    assert 0 < len(told) < 20
    before = people.segments["buyers"]
    people.segments["buyers"] = {31 - n: one._replace(profile=31 - n) for n, one in before.items()}
    with space.records.write() as transaction:
        begin_again(transaction)
    filling.run()
    assert sorted(one.profile_id for one in space.all()) == sorted(f"p{n}" for n in range(11, 31))


def stop_at(time: int) -> Callable[[], None]:
    """A check that stops when it is asked so often."""
    left = [time]

    def check() -> None:
        left[0] -= 1
        if not left[0]:
            raise Stopped

    return check


def test_full_files_and_mirrors_need_no_backfill():
    full = {"kind": "file", "folder": "x", "schedule": "hourly", "mode": "full", "backfill": True}
    both = {"name": "a", "owner": "o"}
    assert not asks_for_members(msgspec.convert(both | full, AnyDestination))
    assert asks_for_members(msgspec.convert(both | full | {"mode": "changes"}, AnyDestination))
    mirror = {"kind": "sql", "url": "env:U", "table": "t", "mode": "mirror", "backfill": True}
    assert not asks_for_members(msgspec.convert(both | mirror, AnyDestination))


def test_a_destination_belongs_to_one_worker_until_its_lease_ends(space):
    clock = [Moment(1_000 * SECOND)]
    one, two = (
        Leases(space.records, holder, ["ads", "crm"], 30, lambda: clock[0]) for holder in ("one", "two")
    )
    assert one.renew() == {"ads", "crm"} and two.renew() == set() and two.held() == set()
    clock[0] = Moment(clock[0] + 20 * SECOND)
    assert one.renew() == set() and one.held() == {"ads", "crm"}
    clock[0] = Moment(clock[0] + 29 * SECOND)
    assert two.renew() == set() and one.held()
    clock[0] = Moment(clock[0] + 2 * SECOND)
    assert one.held() == set()  # too late to be sure
    assert two.renew() == {"ads", "crm"} and one.renew() == set() and one.held() == set()
    two.give_back()
    assert one.renew() == {"ads", "crm"}


def test_two_workers_share_the_destinations_and_tell_everything_once_each(tmp_path):
    space = Space(tmp_path, ["crm", "ads"])
    space.queue(*[change(number, person=f"p{number % 7}") for number in range(1, 61)])
    with Receiver() as receiver:
        targets = [destination(receiver.url(), name) for name in ("crm", "ads")]
        with (
            space.delivering(*targets, settings=QUICK, holder="one"),
            space.delivering(*targets, settings=QUICK, holder="two"),
        ):
            until(space.settled)
    assert len(receiver.requests) == len({request.key for request in receiver.requests}) == 120
    space.records.close()


WRITER = """
import sys, time
from pathlib import Path
import cauce.activate.records
from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
records = SqliteRecords(Path(sys.argv[1]), STATE)
print("begun", flush=True)
while True:
    with records.write() as transaction:
        end = time.perf_counter() + 0.05
        while time.perf_counter() < end:
            pass
        transaction.advance("fold", 1)
    time.sleep(0.0005)
"""


def test_a_replay_gets_its_turn_while_another_process_writes_all_the_time(space, tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path / "state.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={"PYTHONPATH": str(ROOT / "src")}) as process:
        assert process.stdout.readline() == b"begun\n"
        waited = []
        try:
            for number in range(1, 9):
                begun = perf_counter()
                space.queue(change(number))
                waited.append(perf_counter() - begun)
        finally:
            process.kill()
    assert sum(waited) / len(waited) < 2.0, waited
