"""Deliveries against a real HTTP server that behaves well, badly, and not at all."""

import json
from threading import Thread

import pytest

from cauce.activate.delivery import Outcome, State
from cauce.activate.records import delivery
from cauce.activate.settings import ActivateSettings
from cauce.vocabulary.errors import Transient
from cauce.vocabulary.moment import DAY, Moment, now
from tests.faults.webhook_receiver import Receiver, answer, cut, endless, genuine, hang, raw
from tests.faults.webhook_space import SECRET, Space, change, destination, until


@pytest.fixture
def space(tmp_path):
    space = Space(tmp_path)
    yield space
    space.records.close()


def first(reply, then=None):
    """The first request of each key gets one reply, the others success."""
    return lambda request: reply if request.number == 1 else (then or answer(200))


def test_a_change_arrives_signed_with_its_key_and_leaves_a_receipt(space):
    space.queue(change(1))
    with Receiver() as receiver:
        space.deliver(destination(receiver.url()))
    (request,) = receiver.requests
    (one,) = space.all()
    assert request.path == "/hooks/cauce?v=1"
    assert request.headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"].startswith("Cauce/")
    assert genuine(request, SECRET) and not genuine(request, b"another secret")
    told = json.loads(request.body)
    assert request.key == told["messageId"] == one.id
    assert (told["event"], told["userId"]) == ("Audience Entered", "p1")
    assert one.state is State.DELIVERED and one.body == b"" and one.status == 200
    (receipt,) = space.receipts()
    assert (receipt.delivery, receipt.attempt, receipt.outcome) == (one.id, 1, Outcome.DELIVERED)
    assert receipt.ended is not None and receipt.started <= receipt.ended


PASSING = [
    (answer(500), Outcome.FAILED, 500),
    (answer(503, {"Retry-After": "Mon, 01 Jan 2024 00:00:00 GMT"}), Outcome.FAILED, 503),
    (answer(429, {"Retry-After": "0"}), Outcome.FAILED, 429),
    (answer(408), Outcome.FAILED, 408),
    (answer(409), Outcome.FAILED, 409),
    (answer(425), Outcome.FAILED, 425),
    (hang, Outcome.UNKNOWN, None),
    (cut, Outcome.UNKNOWN, None),
    (raw(b"\x00\xff this is not HTTP\r\n\r\n"), Outcome.UNKNOWN, None),
    (raw(b"HTTP/1.1 200"), Outcome.UNKNOWN, None),
    (raw(b"HTTP/1.1 100 Continue\r\n\r\n"), Outcome.UNKNOWN, None),
    (endless(b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n", 0.02), Outcome.UNKNOWN, None),
]


@pytest.mark.parametrize(("reply", "outcome", "status"), PASSING)
def test_after_a_passing_fault_the_same_request_is_sent_again(space, reply, outcome, status):
    space.queue(change(1))
    with Receiver(first(reply)) as receiver:
        space.deliver(destination(receiver.url(), timeout=0.3))
        one, two = receiver.requests
    assert (one.key, one.body) == (two.key, two.body) and genuine(two, SECRET)
    receipts = space.receipts()
    assert [receipt.outcome for receipt in receipts] == [outcome, Outcome.DELIVERED]
    assert receipts[0].status == status and receipts[0].error
    assert "p1" not in receipts[0].error


@pytest.mark.parametrize("status", [101, 301, 307, 400, 401, 403, 404, 410, 422])
def test_what_cannot_succeed_is_a_dead_letter_at_once(space, status):
    space.queue(change(1))
    with Receiver(lambda _: answer(status, {"Location": "/elsewhere"}, b"")) as receiver:
        space.deliver(destination(receiver.url()))
    assert [request.path for request in receiver.requests] == ["/hooks/cauce?v=1"]
    (one,) = space.all()
    assert one.state is State.DEAD and one.status == status and one.body
    assert [receipt.outcome for receipt in space.receipts()] == [Outcome.REFUSED]


SUCCEEDING = [
    raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    raw(b"HTTP/1.0 200 OK\r\n\r\nuntil the end"),
    raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\ncut short"),
    raw(b"HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
    raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 Unasked\r\nContent-Length: 0\r\n\r\n"),
    endless(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"", 0.02),
]


@pytest.mark.parametrize("reply", SUCCEEDING)
def test_success_counts_whatever_follows_the_head_of_the_answer(space, reply):
    space.queue(change(1), change(2))
    with Receiver(first(reply)) as receiver:
        space.deliver(destination(receiver.url(), timeout=0.5))
    assert len(receiver.requests) == 2
    assert space.states() == {State.DELIVERED}


@pytest.mark.parametrize(
    ("first_bytes", "outcome"),
    [(b"HTTP/1.1 200 OK\r\n", Outcome.UNKNOWN), (b"HTTP/1.1 200 OK\r\n\r\n", Outcome.DELIVERED)],
)
def test_an_answer_without_end_is_cut_off_by_its_size(space, first_bytes, outcome):
    space.queue(change(1))
    flood = endless(first_bytes, b"X-More: " + b"x" * 10_000 + b"\r\n", 0)
    with Receiver(first(flood)) as receiver:
        space.deliver(destination(receiver.url(), timeout=120.0))
    assert space.receipts()[0].outcome is outcome
    assert space.receipts()[0].error in ("", "the head of the answer is too long, after sending")


def test_a_connection_is_used_again(space):
    space.queue(*[change(number) for number in range(1, 30)])
    opened = set()

    def decide(request):
        return lambda handler: (opened.add(handler.client_address), answer(200)(handler))

    with Receiver(decide) as receiver:
        space.deliver(
            destination(receiver.url()), settings=ActivateSettings(concurrency=2, poll_seconds=0.02)
        )
    assert len(receiver.requests) == 29 and len(opened) <= 2


def test_a_refused_connection_is_a_failure_and_not_unknown(space):
    with Receiver() as receiver:
        pass
    space.queue(change(1))
    settings = ActivateSettings(backoff_seconds=0.02, poll_seconds=0.02, max_attempts=2)
    space.deliver(destination(receiver.url()), settings=settings)
    assert [receipt.outcome for receipt in space.receipts()] == [Outcome.FAILED, Outcome.FAILED]
    assert space.all()[0].error == "cannot connect (ConnectionRefusedError)"


def test_an_unknown_outcome_is_shown_as_unknown(space):
    space.queue(change(1))
    settings = ActivateSettings(backoff_seconds=1000, poll_seconds=0.02)
    with (
        Receiver(lambda _: cut) as receiver,
        space.delivering(destination(receiver.url()), settings=settings),
    ):
        until(lambda: space.states() == {State.UNKNOWN})
    (one,) = space.all()
    assert one.due is not None and "after sending" in one.error


def test_a_dead_letter_is_kept_and_replayed_with_the_same_key_and_body(space):
    space.queue(change(1), change(2))
    settings = ActivateSettings(backoff_seconds=0.01, poll_seconds=0.02, max_attempts=3)
    with Receiver(lambda request: answer(500 if request.number <= 4 else 200)) as receiver:
        crm = destination(receiver.url())
        space.deliver(crm, settings=settings)
        assert space.states() == {State.DEAD} and len(receiver.requests) == 6
        replayed = space.deliveries.replay(purpose="operations", viewer=None)
        assert replayed == (2, 0)
        space.deliver(crm, settings=settings)
    assert space.states() == {State.DELIVERED}
    assert len({(request.key, request.body) for request in receiver.requests}) == 2
    assert [receipt.attempt for receipt in space.receipts()] == [1, 2, 3, 4, 5] * 2


def test_a_dead_letter_that_a_newer_change_made_obsolete_is_superseded_unless_asked_for(space):
    space.queue(change(1, person="bob", entered=False), change(2, person="ann"))
    space.queue(change(3, person="ann", entered=False), change(4, person="bob"))
    refusing = [True]

    def decide(request):
        return answer(404 if refusing[0] and b"Entered" in request.body else 200)

    with Receiver(decide) as receiver:
        crm = destination(receiver.url())
        space.deliver(crm)
        refusing[0] = False
        access = {"purpose": "operations", "viewer": None}
        assert space.deliveries.replay(**access) == (1, 1)
        space.deliver(crm)
        states = [one.state for one in space.all()]
        assert states == [State.DELIVERED, State.SUPERSEDED, State.DELIVERED, State.DELIVERED]
        (dead,) = space.deliveries.recent(state=State.SUPERSEDED, **access)
        assert space.deliveries.replay(ids=["unknown"], superseded=True, **access) == (0, 0)
        assert space.deliveries.replay(ids=[dead.id], superseded=True, **access) == (1, 0)
        space.deliver(crm)
    assert space.states() == {State.DELIVERED}
    assert [receipt.outcome for receipt in space.deliveries.find(dead.id, **access).receipts] == [
        Outcome.REFUSED,
        Outcome.DELIVERED,
    ]
    assert space.deliveries.backlog() == {}
    assert space.deliveries.attempts() == {("crm", "refused"): 2, ("crm", "delivered"): 4}


def test_changes_of_one_person_keep_their_order_and_hold_up_nobody_else(space):
    space.queue(change(1, person="ann"), change(2, person="ann", entered=False), change(3, person="bob"))

    def decide(request):
        first_of_ann = json.loads(request.body)["timestamp"].endswith("000001Z")
        return answer(500 if first_of_ann and request.number <= 3 else 200)

    with Receiver(decide) as receiver:
        space.deliver(destination(receiver.url()))
    events = [(json.loads(r.body)["userId"], json.loads(r.body)["event"]) for r in receiver.requests]
    entered, exited = ("ann", "Audience Entered"), ("ann", "Audience Exited")
    assert [event for event in events if event[0] == "ann"] == [entered] * 4 + [exited]
    assert events.index(("bob", "Audience Entered")) < 3


def test_a_dead_destination_delays_no_other(tmp_path):
    space = Space(tmp_path, ["hung", "crm"])
    space.queue(*[change(number) for number in range(1, 60)])
    settings = ActivateSettings(concurrency=4, poll_seconds=0.02, stop_seconds=0.05)
    with Receiver(lambda _: hang) as hung, Receiver() as receiver:
        both = destination(hung.url(), "hung", timeout=30.0), destination(receiver.url())
        with space.delivering(*both, settings=settings):
            until(lambda: len(receiver.requests) == 59)
        assert len(hung.requests) == 4
        hung.closing.set()
    assert {one.state for one in space.all() if one.destination == "crm"} == {State.DELIVERED}
    space.records.close()


def test_retry_after_pauses_the_destination(space):
    space.queue(*[change(number) for number in range(1, 20)])
    settings = ActivateSettings(backoff_seconds=0.01, poll_seconds=0.02, concurrency=1)

    with Receiver() as receiver:
        receiver._decide = lambda _: (
            answer(429, {"Retry-After": "1"}) if len(receiver.requests) == 1 else answer(200)
        )
        space.deliver(destination(receiver.url()), settings=settings)
    first, *later = receiver.requests
    assert min(request.at for request in later) - first.at >= 1.0
    assert len(receiver.requests) == 20 and space.states() == {State.DELIVERED}


def test_what_is_under_way_when_cauce_stops_is_unknown_and_sent_again(space):
    space.queue(change(1))
    with Receiver(first(hang)) as receiver:
        crm = destination(receiver.url(), timeout=30.0)
        with space.delivering(crm):
            until(lambda: len(receiver.requests) == 1)
        assert space.all()[0].state is State.UNKNOWN
        assert space.receipts()[0].error == "Cauce stopped, after sending"
        space.deliver(crm)
    one, two = receiver.requests
    assert (one.key, one.body) == (two.key, two.body)


def test_a_clock_that_was_set_back_holds_nothing_up(space):
    space.queue(change(1))
    with Receiver() as receiver:
        space.deliver(destination(receiver.url()), clock=lambda: Moment(1_600_000_000_000_000))
    assert space.states() == {State.DELIVERED}


def test_what_was_erased_while_under_way_stays_erased(space):
    space.queue(change(1))

    def erase(handler):
        with space.records.write() as transaction:
            transaction.remove(delivery, "profile_id", ["p1"])
        answer(500)(handler)

    receiver = Receiver(lambda request: erase if b'"p1"' in request.body else answer(200))
    with receiver, space.delivering(destination(receiver.url())):
        until(lambda: not space.all())
        space.queue(change(2))
        until(space.settled)
    assert [one.profile_id for one in space.all()] == ["p2"]
    assert [receipt.outcome for receipt in space.receipts()] == [Outcome.DELIVERED]


class Refusing:
    """A store that refuses some of its transactions, as one on a full disk does."""

    def __init__(self, records, refusals):
        self._records = records
        self._refusals = iter(refusals)

    def read(self):
        return self._records.read()

    def write(self):
        if next(self._refusals, False):
            raise Transient("The disk is full.")
        return self._records.write()


def test_a_store_that_refuses_for_a_while_loses_and_doubles_nothing(space):
    space.queue(*[change(number) for number in range(1, 6)])
    refusing = Refusing(space.records, [False, True, False, True])
    with Receiver() as receiver:
        space.deliver(destination(receiver.url()), records=refusing)
    assert len({request.key for request in receiver.requests}) == len(receiver.requests) == 5


def test_what_is_queued_while_it_runs_is_found_and_waking_finds_it_at_once(space):
    slow = ActivateSettings(poll_seconds=30)
    with Receiver() as receiver, space.delivering(destination(receiver.url()), settings=slow) as deliverer:
        until(lambda: deliverer._sending is not None and not deliverer._sending._ripe)
        space.queue(change(1))
        Thread(target=deliverer.wake).start()
        until(space.settled, 5)
    assert len(receiver.requests) == 1


def test_delivered_ones_are_removed_when_they_are_old_and_dead_letters_stay(space):
    space.queue(change(1), change(2))
    old = ActivateSettings(poll_seconds=0.02, keep_days=1)
    with Receiver(lambda request: answer(404 if b'"p2"' in request.body else 200)) as receiver:
        crm = destination(receiver.url())
        space.deliver(crm, settings=old)
        assert len(space.all()) == 2
        with space.delivering(crm, settings=old, clock=lambda: Moment(now() + 2 * DAY)):
            until(lambda: len(space.all()) == 1)
    assert space.all()[0].profile_id == "p2" and len(space.receipts()) == 1
