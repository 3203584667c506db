"""The player and the receiver: what goes over the wire, without Cauce in between."""

import random
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from threading import Thread

import httpx
import msgspec
import pytest

from cauce.activate.signature import HEADER, sign
from cauce.vocabulary.errors import CauceError
from cauce.vocabulary.moment import now, parse_iso
from demo.chronicle import LIVE_SOURCES
from demo.company import generate
from demo.player import Door, batches, play
from demo.receiver import BUSY_EVERY, Receiver

UNTIL = parse_iso("2026-06-30T12:00:00Z")
KEYS = {source: f"key-{source}" for source in LIVE_SOURCES}


@pytest.fixture(scope="module")
def records():
    return generate(until=UNTIL, people=120, days=30).records


def sent_ids(made):
    return Counter(call["messageId"] for batch, _ in made for call in batch.calls)


def test_every_live_record_is_sent_and_few_are_sent_twice(records):
    made = list(batches(records, random.Random(1)))
    counted = sent_ids(made)
    assert counted.keys() == {record.id for record in records if record.source in LIVE_SOURCES}
    assert set(counted.values()) == {1, 2}
    repeated = sum(count - 1 for count in counted.values())
    assert repeated == sum(repeats for _, repeats in made)
    assert 0.005 < repeated / len(counted) < 0.05


def test_batches_have_one_source_and_a_bearable_size(records):
    source_of = {record.id: record.source for record in records}
    for batch, _ in batches(records, random.Random(1)):
        assert {source_of[call["messageId"]] for call in batch.calls} == {batch.source}
        assert len(batch.calls) <= 120


def test_some_records_come_out_of_order(records):
    made = [batch for batch, _ in batches(records, random.Random(1)) if batch.source == "web"]
    times = [call["timestamp"] for batch in made for call in batch.calls]
    backwards = sum(second < first for first, second in pairwise(times))
    assert 0.01 < backwards / len(times) < 0.15


class FickleDoor(BaseHTTPRequestHandler):
    """A tracking API that is busy every third time."""

    answers = 0
    bodies: list[tuple[str, dict]] = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).answers += 1
        busy = self.answers % 3 == 0
        if not busy:
            self.bodies.append((self.headers["Authorization"], msgspec.json.decode(body)))
        self.send_response(429 if busy else 200)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def fickle_door():
    FickleDoor.answers, FickleDoor.bodies = 0, []
    server = HTTPServer(("127.0.0.1", 0), FickleDoor)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_player_gets_through_a_busy_door(records, fickle_door):
    door = Door(fickle_door, KEYS, clock=now)
    told = []
    play(records, door, random.Random(1), progress=told.append)
    door.close()
    live = [record for record in records if record.source in LIVE_SOURCES]
    assert sum(told) == len(live) == door.played.calls.total() - door.played.repeats
    assert door.played.attempts_again > 0
    assert sum(len(body["batch"]) for _, body in FickleDoor.bodies) == door.played.calls.total()
    assert len({authorization for authorization, _ in FickleDoor.bodies}) == len({r.source for r in live})


def test_a_refused_batch_is_an_error():
    with Receiver("secret") as other:  # answers 401: there is no signature
        door = Door(other.url, KEYS, clock=now)
        record = next(r for r in generate(until=UNTIL, people=120, days=30).records if r.source == "web")
        with pytest.raises(CauceError, match="401"):
            play([record], door, random.Random(1), progress=lambda count: None)
        door.close()


def test_the_receiver_verifies_signatures_and_is_busy_now_and_then():
    body = b'{"event":"Audience Entered","properties":{"audience_key":"big"}}'
    with Receiver("secret") as receiver, httpx.Client(trust_env=False) as client:

        def post(key, signature):
            headers = {"Idempotency-Key": key, HEADER: signature}
            return client.post(f"{receiver.url}/members", content=body, headers=headers).status_code

        good = sign(b"secret", body, now())
        assert post("one", sign(b"other", body, now())) == 401
        assert post("one", "") == 401
        statuses = [post(f"key-{number % 10}", good) for number in range(2 * BUSY_EVERY)]
        assert Counter(statuses) == {200: 2 * BUSY_EVERY - 2, 503: 2}
        inbox = receiver.inbox
        assert (inbox.forged, inbox.busy, len(inbox)) == (2, 2, 10)
        assert inbox.told() == {("big", "Audience Entered"): 10}
