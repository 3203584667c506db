import json
from uuid import UUID

import pytest

from cauce.activate.delivery import State, read_delivery
from cauce.activate.payload import body, delivery_id, person_of
from cauce.activate.records import delivery
from cauce.activate.service import Activation
from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.membership import MembershipChange
from cauce.vocabulary.moment import Moment, parse_iso
from cauce.vocabulary.profile import ProfileKey

AT = parse_iso("2026-03-01T12:00:00Z")
ANN = (Identifier("user_id", "u1"), Identifier("email", "ann@example.org"), Identifier("anonymous_id", "a1"))


def change(
    sequence=1, segment="buyers", profile_id="p1", entered=True, at=AT, message_id="m1", identifiers=ANN
):
    return MembershipChange(
        sequence=sequence,
        segment=segment,
        profile=ProfileKey(1),
        profile_id=profile_id,
        entered=entered,
        at=Moment(at),
        position=Position(sequence),
        message_id=message_id,
        identifiers=identifiers,
    )


@pytest.fixture
def records(tmp_path):
    store = SqliteRecords(tmp_path / "state.db", STATE)
    yield store
    store.close()


def kept(records):
    with records.read() as reader:
        return [read_delivery(row) for row in reader.select(delivery.select().order_by(delivery.c.sequence))]


def test_a_change_becomes_one_delivery_for_each_destination_of_its_segment(records):
    activation = Activation({"buyers": ("crm", "ads"), "others": ("mail",)})
    with records.write() as transaction:
        assert activation.queue(transaction, [change(), change(segment="unknown")]) == 2
    rows = kept(records)
    assert sorted(row.destination for row in rows) == ["ads", "crm"]
    assert all(row.state is State.QUEUED and row.due == AT and row.attempts == 0 for row in rows)
    assert json.loads(rows[0].body)["messageId"] == rows[0].id


def test_the_same_change_queued_again_adds_and_alters_nothing(records):
    activation = Activation({"buyers": ("crm",)})
    with records.write() as transaction:
        assert activation.queue(transaction, [change(), change()]) == 1
    before = kept(records)
    with records.write() as transaction:
        assert activation.queue(transaction, [change(sequence=77)]) == 0
    assert kept(records) == before


def test_a_later_change_of_the_same_person_waits_and_another_person_does_not(records):
    activation = Activation({"buyers": ("crm", "ads"), "vips": ("crm",)})
    with records.write() as transaction:
        activation.queue(transaction, [change(sequence=1)])
    later = [
        change(sequence=2, segment="vips", message_id="m2"),
        change(sequence=3, profile_id="p2", message_id="m3"),
        change(sequence=4, profile_id="p2", entered=False, message_id="m4"),
    ]
    with records.write() as transaction:
        activation.queue(transaction, later)
    waiting = {(row.destination, row.profile_id, row.entered) for row in kept(records) if row.due is None}
    assert waiting == {("crm", "p1", 1), ("crm", "p2", 0), ("ads", "p2", 0)}
    sequences = [row.sequence for row in kept(records) if (row.destination, row.profile_id) == ("crm", "p1")]
    assert sequences == [AT, AT + 1]


def test_the_body_is_segments_track_variant():
    id_ = delivery_id(change(), "crm")
    assert json.loads(body(change(), "crm", id_, person_of(change()))) == {
        "type": "track",
        "event": "Audience Entered",
        "messageId": id_,
        "timestamp": "2026-03-01T12:00:00.000Z",
        "userId": "u1",
        "anonymousId": "a1",
        "properties": {"audience_key": "buyers", "buyers": True},
        "context": {
            "personas": {
                "computation_class": "audience",
                "computation_id": "buyers",
                "computation_key": "buyers",
                "profile_id": "p1",
            },
            "traits": {"email": "ann@example.org"},
        },
        "integrations": {"All": False, "crm": True},
    }


def test_a_person_without_user_or_anonymous_id_goes_by_her_profile_id():
    left = change(entered=False, identifiers=(Identifier("phone", "+34600000000"),))
    told = json.loads(body(left, "crm", "x", person_of(left)))
    assert told["anonymousId"] == "p1" and "userId" not in told and "traits" not in told["context"]
    assert told["event"] == "Audience Exited" and told["properties"]["buyers"] is False


def test_a_profile_that_is_gone_is_named_as_the_destination_knew_her_and_comes_first(records):
    activation = Activation({"buyers": ("crm",)})
    stranger = (Identifier("email", "ann@example.org"), Identifier("anonymous_id", "a7"))
    with records.write() as transaction:
        activation.queue(transaction, [change(identifiers=stranger)])
    gone = change(sequence=2, entered=False, message_id="m2", identifiers=(), at=AT + 1)
    known = change(sequence=3, profile_id="p2", message_id="m2", at=AT + 2)
    other = change(sequence=4, profile_id="p3", message_id="m3", at=AT + 3)
    with records.write() as transaction:
        activation.queue(transaction, [gone, known, other])
    _, left, entered, apart = kept(records)
    told = json.loads(left.body)
    assert (told["event"], told["anonymousId"]) == ("Audience Exited", "a7") and "userId" not in told
    assert told["context"]["traits"] == {"email": "ann@example.org"}
    assert (entered.after, entered.due) == (left.id, None)
    assert apart.after is None and apart.due is not None


def test_a_delivery_id_names_the_change_and_the_destination_and_nothing_else():
    one = delivery_id(change(), "crm")
    assert UUID(one).version == 8 and UUID(one).variant == "specified in RFC 4122"
    assert delivery_id(change(sequence=9, identifiers=()), "crm") == one
    others = [
        delivery_id(change(), "ads"),
        delivery_id(change(segment="vips"), "crm"),
        delivery_id(change(profile_id="p2"), "crm"),
        delivery_id(change(entered=False), "crm"),
        delivery_id(change(at=AT + 1), "crm"),
        delivery_id(change(message_id=None), "crm"),
    ]
    assert len({one, *others}) == 7
    assert delivery_id(change(at=AT + 1000), "crm") > one
