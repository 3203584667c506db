"""Refused changes that are replayed after later changes of the same person were told."""

import json
from collections.abc import Collection
from dataclasses import replace

import pytest

from cauce.activate.delivery import State
from cauce.activate.service import Activation
from cauce.vocabulary.moment import DAY, SECOND, Moment, now
from tests.faults.webhook_receiver import Receiver, Reply, Request, answer
from tests.faults.webhook_space import QUICK, Space, change, destination, until

ACCESS = {"purpose": "operations", "viewer": None}
SEGMENTS = ("buyers", "vips", "readers")


@pytest.fixture
def space(tmp_path):
    made = Space(tmp_path)
    made.activation = Activation(dict.fromkeys(SEGMENTS, ("crm",)))
    yield made
    made.records.close()


def number(request: Request) -> int:
    """The number of the change that a request tells of."""
    return int(json.loads(request.body)["timestamp"].rstrip("Z")[-6:])


class Fussy:
    """Refuses some changes for good as long as ``refused`` names them, and fails ``failing`` for now."""

    def __init__(self, refused: Collection[int] = (), failing: Collection[int] = ()) -> None:
        self.refused = set(refused)
        self.failing = set(failing)

    def __call__(self, request: Request) -> Reply:
        if number(request) in self.refused:
            return answer(404)
        return answer(503 if number(request) in self.failing else 200)


def told(receiver: Receiver, since: int = 0) -> list[int]:
    return [number(request) for request in receiver.requests[since:]]


def states(space: Space) -> dict[int, State]:
    """Where the delivery of each change stands, by the change's number."""
    return {one.sequence % SECOND: one.state for one in space.all()}


def test_what_a_later_change_of_the_segment_made_obsolete_is_not_told(space):
    space.queue(
        change(1, person="ann"),
        change(2, person="ann", segment="vips"),
        change(3, person="ann", entered=False),
        change(4, person="bob"),
        change(5, person="bob", segment="vips"),
        change(6, person="bob", segment="vips", entered=False),
        change(7, person="eve"),
        change(8, person="eve", entered=False),
    )
    decide = Fussy(refused={1, 4, 5, 8})
    with Receiver(decide) as receiver:
        crm = destination(receiver.url())
        space.deliver(crm)
        assert {n for n, state in states(space).items() if state is State.DEAD} == {1, 4, 5, 8}
        decide.refused.clear()
        before = len(receiver.requests)
        assert space.deliveries.replay(**ACCESS) == (2, 2)
        space.deliver(crm)
        assert sorted(told(receiver, before)) == [4, 8]  # nothing newer was told of these and the buyers
    assert {n for n, state in states(space).items() if state is State.SUPERSEDED} == {1, 5}
    assert space.states() == {State.DELIVERED, State.SUPERSEDED}


def test_what_is_replayed_is_told_in_the_order_of_the_changes(space):
    space.queue(
        change(1, person="ann"),
        change(2, person="ann", entered=False),
        change(3, person="ann", segment="vips"),
        change(4, person="ann", segment="readers"),
    )
    decide = Fussy(refused={1, 2, 3})
    with Receiver(decide) as receiver:
        crm = destination(receiver.url())
        space.deliver(crm)
        decide.refused.clear()
        decide.failing = {1}
        before = len(receiver.requests)
        assert space.deliveries.replay(**ACCESS) == (3, 0)
        with space.delivering(crm):
            until(lambda: len(receiver.requests) >= before + 3)
            assert set(told(receiver, before)) == {1}  # the others wait for it
            decide.failing = set()
            until(space.settled)
        after = told(receiver, before)
    assert [n for n in after if n != 1] == [2, 3] and after[-2:] == [2, 3]
    assert space.states() == {State.DELIVERED}


def test_what_is_replayed_goes_before_what_waits_and_after_what_is_under_way(space):
    space.queue(change(1, person="ann"))
    decide = Fussy(refused={1}, failing={2})
    with Receiver(decide) as receiver:
        crm = destination(receiver.url())
        space.deliver(crm)
        with space.delivering(crm):
            space.queue(change(2, person="ann", segment="vips"), change(3, person="ann", segment="readers"))
            until(lambda: 2 in told(receiver))
            decide.refused.clear()
            assert space.deliveries.replay(**ACCESS) == (1, 0)
            before = len(receiver.requests)
            decide.failing = set()
            until(space.settled)
        assert [n for n in told(receiver, before) if n != 2] == [1, 3]
    assert space.states() == {State.DELIVERED}


def test_a_newer_change_on_its_way_makes_it_obsolete_too(space):
    space.queue(change(1, person="ann"), change(2, person="ann", entered=False))
    decide = Fussy(refused={1}, failing={2})
    with Receiver(decide) as receiver, space.delivering(destination(receiver.url())):
        until(lambda: 2 in told(receiver))
        decide.refused.clear()
        assert space.deliveries.replay(**ACCESS) == (0, 1)
        decide.failing = set()
        until(space.settled)
        assert told(receiver).count(1) == 1
    assert states(space) == {1: State.SUPERSEDED, 2: State.DELIVERED}


def test_it_stays_obsolete_when_the_newer_one_was_removed_as_old(space):
    space.queue(change(1, person="ann"), change(2, person="ann", entered=False), change(3, person="bob"))
    decide = Fussy(refused={1, 3})
    old = replace(QUICK, keep_days=1)
    with Receiver(decide) as receiver:
        crm = destination(receiver.url())
        space.deliver(crm, settings=old)
        decide.refused.clear()
        before = len(receiver.requests)
        with space.delivering(crm, settings=old, clock=lambda: Moment(now() + 2 * DAY)):
            until(lambda: 2 not in states(space))
        assert space.deliveries.replay(**ACCESS).queued == 1
        space.deliver(crm)
        assert told(receiver, before) == [3]
