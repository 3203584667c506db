"""Receivers that mean harm or are broken in unusual ways: what is told of them, and what it costs others."""

import gzip
import socket
import struct
from contextlib import contextmanager
from time import monotonic

import pytest

from cauce.activate.answers import Answer
from cauce.activate.delivery import Outcome, State
from cauce.activate.health import Health
from cauce.activate.settings import ActivateSettings
from tests.faults.webhook_receiver import Receiver, answer, cut, endless, hang, raw
from tests.faults.webhook_space import SECRET, Space, change, destination, until

QUICK = ActivateSettings(backoff_seconds=0.02, poll_seconds=0.02, stop_seconds=0.2, pause_limit_seconds=0.2)
BOMB = gzip.compress(b"\x00" * 50_000_000)


@pytest.fixture
def space(tmp_path):
    space = Space(tmp_path)
    yield space
    space.records.close()


def reset(handler):
    """The connection is reset, not closed."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


UNKNOWN = [
    reset,
    raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3_000),
    endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 0.0),
    raw(b"HTTP/1.1 20"),
    raw(b"HTTP/1.1 999999 Much\r\n\r\n"),
    raw(b"HTTP/9.9 200 OK\r\n\r\n"),
    raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20),
    raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000),
    raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
    raw(b""),
    endless(b"", b"H", 0.05),
]


@pytest.mark.parametrize("reply", UNKNOWN)
def test_what_is_no_answer_is_unknown_and_sent_again_with_the_same_key_and_body(space, reply):
    space.queue(change(1))
    with Receiver(lambda request: reply if request.number == 1 else answer(200)) as receiver:
        space.deliver(destination(receiver.url(), timeout=0.5), settings=QUICK)
        one, two = receiver.requests
    assert (one.key, one.body) == (two.key, two.body)
    assert [receipt.outcome for receipt in space.receipts()] == [Outcome.UNKNOWN, Outcome.DELIVERED]


ACCEPTED = [
    answer(200, {"Content-Encoding": "gzip"}, BOMB),
    raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + b"z" * 100_000),
    raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nabc"),
    raw(b"HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFF\r\nx"),
    endless(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", b"x", 0.2),
    endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536, 0.0),
]


@pytest.mark.parametrize("reply", ACCEPTED)
def test_what_follows_a_success_neither_hurts_nor_undoes_it(space, reply):
    space.queue(change(1), change(2))
    with Receiver(
        lambda request: reply if request.number == 1 and b'"p1"' in request.body else answer(200)
    ) as receiver:
        space.deliver(destination(receiver.url(), timeout=0.5), settings=QUICK)
    told = {receipt.delivery: receipt.outcome for receipt in space.receipts()}
    assert set(told.values()) <= {Outcome.DELIVERED, Outcome.UNKNOWN} and space.settled()


def test_a_redirect_to_the_inside_is_not_followed(space):
    with Receiver() as inside, Receiver() as receiver:
        receiver._decide = lambda _: answer(307, {"Location": inside.url()})
        space.queue(change(1))
        space.deliver(destination(receiver.url()), settings=QUICK)
        assert inside.requests == [] and len(receiver.requests) == 1
    assert space.states() == {State.DEAD}


def test_one_that_cuts_after_acting_gets_every_change_at_least_once_and_knows_repeats(space):
    acted = {}

    def decide(request):
        acted.setdefault(request.key, request.body)
        assert acted[request.key] == request.body
        return cut if request.number <= 2 else answer(200)

    space.queue(
        *[change(number, person=f"p{number % 3}", entered=number % 2 == 0) for number in range(1, 13)]
    )
    with Receiver(decide) as receiver:
        space.deliver(destination(receiver.url()), settings=QUICK)
    assert len(acted) == 12 and len(receiver.requests) == 36
    assert sum(receipt.outcome is Outcome.UNKNOWN for receipt in space.receipts()) == 24
    firsts = [request for request in receiver.requests if request.number == 1]
    for person in ("p0", "p1", "p2"):
        mine = [request.key for request in firsts if f'"{person}"'.encode() in request.body]
        assert mine == [one.id for one in space.all() if one.profile_id == person]


@contextmanager
def black_hole():
    """A port whose queue of connections is full: packets to it are lost."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        yield f"http://127.0.0.1:{full.getsockname()[1]}/"
        for one in waiting:
            one.close()


def test_three_that_are_down_delay_nobody_and_are_not_sent_everything(tmp_path):
    names = ["refuses", "hangs", "hole", "crm"]
    space = Space(tmp_path, names)
    space.queue(*[change(number) for number in range(1, 301)])
    with socket.socket() as closed, black_hole() as hole, Receiver(lambda _: hang) as hung:
        closed.bind(("127.0.0.1", 0))
        with Receiver() as receiver:
            targets = [
                destination(f"http://127.0.0.1:{closed.getsockname()[1]}/", "refuses"),
                destination(hung.url(), "hangs", timeout=0.3),
                destination(hole, "hole", timeout=0.3),
                destination(receiver.url()),
            ]
            settings = ActivateSettings(
                concurrency=12,
                poll_seconds=0.02,
                stop_seconds=0.1,
                pause_limit_seconds=60,
                backoff_seconds=20,
            )
            with space.delivering(*targets, settings=settings):
                until(lambda: len(receiver.requests) == 300)
                until(lambda: len({r.delivery for r in space.receipts()}) >= 300 + 3 * 10)
            assert len(receiver.requests) == 300
    tried = dict.fromkeys(names, 0)
    for one in space.all():
        tried[one.destination] += one.attempts
    assert all(10 <= tried[name] <= 24 for name in names[:3]), tried
    outcomes = {(one.destination, one.state) for one in space.all() if one.attempts}
    assert ("hangs", State.UNKNOWN) in outcomes and ("hole", State.RETRYING) in outcomes
    space.records.close()


def test_one_that_comes_back_is_told_everything_in_order(space):
    down = [True]
    space.queue(*[change(number, person=f"p{number % 5}") for number in range(1, 61)])
    with Receiver(lambda _: answer(503 if down[0] else 200)) as receiver:
        with space.delivering(destination(receiver.url()), settings=QUICK):
            until(lambda: len(receiver.requests) >= 12)
            assert space.deliveries.oldest() == {"crm": space.all()[0].sequence}
            down[0] = False
            until(space.settled)
        assert space.deliveries.oldest() == {}
        delivered = [request for request in receiver.requests if request.key]
    order = {one.id: one.sequence for one in space.all()}
    for person in range(5):
        mine = [order[r.key] for r in delivered if f'"p{person}"'.encode() in r.body]
        assert mine == sorted(mine)


def test_a_secret_in_a_file_that_changes_is_used_at_once(space, tmp_path):
    from cauce.activate.secrets import Secret  # noqa: PLC0415
    from tests.faults.webhook_receiver import genuine  # noqa: PLC0415

    path = tmp_path / "secret"
    path.write_bytes(SECRET + b"\n")
    with Receiver() as receiver:
        crm = destination(receiver.url(), secret=Secret(path=path))
        space.queue(change(1))
        space.deliver(crm)
        path.write_bytes(b"")  # in the middle of being replaced
        space.queue(change(2))
        space.deliver(crm)
        path.write_bytes(b"another secret")
        space.queue(change(3))
        space.deliver(crm)
        one, two, three = receiver.requests
    assert genuine(one, SECRET) and genuine(two, SECRET) and genuine(three, b"another secret")


def test_health_pauses_after_failures_in_a_row_tries_one_call_and_forgets_at_a_success():
    settings = ActivateSettings(failures_before_pause=3, backoff_seconds=1, pause_limit_seconds=4)
    health, failed, fine = Health(settings), Answer(Outcome.FAILED), Answer(Outcome.DELIVERED)
    for answered in (failed, failed, fine, failed, failed, Answer(Outcome.FAILED, 429, "", "5")):
        health.ended(answered, 0.0)
    assert not health.failing and health.calls(0.0, 3, 10) == 7
    health.ended(failed, 0.0)
    health.ended(failed, 0.5)  # was under way already
    assert health.failing and health.calls(0.9, 0, 10) == 0 and health.pause(0.4) == pytest.approx(0.6)
    now, pauses = 1.0, []
    for _ in range(4):
        assert health.calls(now, 0, 10) == 1 and health.calls(now, 1, 10) == 0
        health.ended(failed, now)
        pauses.append(health.pause(now))
        now += pauses[-1]
    assert pauses == [2, 4, 4, 4]
    health.ended(fine, now)
    assert not health.failing and health.calls(now, 0, 10) == 10


def test_the_receiver_sees_the_rate_that_was_asked_for(space):
    space.queue(*[change(number) for number in range(1, 401)])
    with Receiver() as receiver:
        begun = monotonic()
        space.deliver(destination(receiver.url(), rate=100))
        took = monotonic() - begun
    assert took >= 3.8
    at = [request.at for request in receiver.requests]
    assert max(sum(start <= one < start + 2 for one in at) for start in at) <= 100 * 2.08 + 5
