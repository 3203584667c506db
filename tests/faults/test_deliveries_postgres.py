"""Deliveries out of a state store on PostgreSQL: shared by two workers, one of which ends in the middle."""

import pytest

from cauce.activate.delivery import State
from cauce.activate.payload import Shape
from cauce.activate.service import Activation
from cauce.activate.settings import ActivateSettings
from cauce.storage.postgres import PostgresRecords
from cauce.storage.records import STATE
from cauce.vocabulary.definitions import FileDef
from cauce.vocabulary.moment import HOUR, Moment, now
from tests.faults.test_file_destination import Exports
from tests.faults.webhook_receiver import Receiver, answer
from tests.faults.webhook_space import Space, change, destination, until

SETTINGS = ActivateSettings(backoff_seconds=0.02, poll_seconds=0.02, stop_seconds=0.2, lease_seconds=1.0)


@pytest.fixture
def space(postgres, tmp_path):
    made = Space(tmp_path, ["crm", "ads"])
    made.records.close()
    made.records = PostgresRecords(*postgres, STATE, durable=False)
    made.deliveries._records = made.records
    yield made
    made.records.close()


def test_two_workers_deliver_and_one_takes_over_what_the_other_leaves(space):
    space.queue(*[change(number, person=f"p{number % 9}") for number in range(1, 41)])
    with Receiver(lambda request: answer(200 if request.number > 1 else 503)) as receiver:
        targets = [destination(receiver.url(), name) for name in ("crm", "ads")]
        with space.delivering(*targets, settings=SETTINGS, holder="two"):
            with space.delivering(*targets, settings=SETTINGS, holder="one"):
                until(lambda: len(receiver.requests) > 20)
            until(space.settled)
        order = {one.id: one.sequence for one in space.all()}
        served = [request for request in receiver.requests if request.number == 2]
    assert space.states() == {State.DELIVERED} and len(receiver.requests) == 160
    for name in ("crm", "ads"):
        for person in range(9):
            mine = [
                order[request.key]
                for request in served
                if f'"p{person}"'.encode() in request.body and f'"{name}":true'.encode() in request.body
            ]
            assert mine == sorted(mine)


def test_files_are_written_from_postgresql(space, tmp_path):
    definition = FileDef(name="drop", owner="o", folder="exports/drop", schedule="hourly")
    (tmp_path / "other").mkdir()
    exports = Exports(tmp_path / "other")
    exports.space.records.close()
    exports.space, exports.root = space, tmp_path
    space.activation = Activation({"buyers": ["drop"]}, {"drop": Shape.of(definition)})
    exports.now = Moment(now())
    exports.run().due(exports.now)
    exports.changes("ann", "bob", "cat")
    exports.now = Moment(exports.now + HOUR)
    exports.run().do(lambda: None)
    assert [row["profile_id"] for row in exports.rows()] == ["ann", "bob", "cat"]
    assert space.states() == {State.DELIVERED}
