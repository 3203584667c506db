"""Refused input is repaired, judged again and replayed, or discarded; each counts once."""

import base64
import json
from decimal import Decimal
from itertools import count

import pytest

from cauce.collect.quarantine import Quarantine, Which
from cauce.collect.repair import Form, Repair, Replacement
from cauce.collect.service import Door, Request
from cauce.collect.settings import CollectSettings
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.errors import Conflict, NotAllowed, NotFound
from cauce.vocabulary.event import Call, Position, Refused
from cauce.vocabulary.exact import decode_json, encode_json
from cauce.vocabulary.moment import SECOND, Moment, to_iso

NOW = Moment(1_700_000_000 * SECOND)
LATER = Moment(NOW + 3_600 * SECOND)
WHO = {"purpose": Purpose("operations"), "viewer": Viewer("ann", frozenset({"read", "write"}))}
EVERYTHING = Which()


class Keys:
    def verify(self, write_key: str) -> str | None:
        return "web" if write_key == "key" else None


class Space:
    """A log, what the door put into it, and its quarantine."""

    def __init__(self, folder, limits=CollectSettings()):
        numbers = count()
        self.log = SqliteLog(folder)
        self.limits = limits
        self.new_id = lambda: f"made-{next(numbers)}"
        self.held = Quarantine(self.log, limits, self.new_id, lambda: LATER, _require)

    def send(self, body: bytes, call: Call | None = None) -> None:
        authorization = b"Basic " + base64.b64encode(b"key:")
        decided = Door(Keys(), self.limits, self.new_id).decide(
            Request(call, authorization, b"application/json", body, NOW)
        )
        self.log.append(decided.events, decided.refused, now=NOW)

    def times(self) -> list[str]:
        return [to_iso(row.time) for row in self.log.read(Position(0), 1_000)]

    def bodies(self) -> list[dict]:
        return [json.loads(row.body) for row in self.log.read(Position(0), 1_000)]


def _require(viewer, scope, purpose):
    if scope not in viewer.scopes:
        raise NotAllowed("no")


@pytest.fixture
def space(tmp_path):
    made = Space(tmp_path)
    yield made
    made.log.close()


def batch(*items: object, **beside: object) -> bytes:
    return json.dumps({"batch": items, **beside}).encode()


def test_an_old_event_keeps_its_time_when_it_is_repaired(space):
    old = {"type": "track", "userId": "u", "messageId": "m", "timestamp": "2019-03-01T10:00:00Z"}
    space.send(batch(old | {"sentAt": "2019-03-01T11:00:00Z"}, historicalMigration=True))
    repair = Repair(default={"event": "Order Completed"})
    assert space.held.replay(EVERYTHING, repair, **WHO).accepted == 1
    (event,) = space.log.read(Position(0), 10)
    assert to_iso(event.time) == "2019-03-01T10:00:00.000Z"


def test_a_malformed_event_of_a_historical_batch_keeps_its_time_when_a_rule_repairs_it(space):
    good = b'{"type": "track", "event": "E", "userId": "u", "timestamp": "2019-03-01T10:00:00Z"}'
    bad = b'{"type": "track", "event": "E", "userId": "u", "timestamp": "2018-01-01T10:00:00Z", "total": 01}'
    beside = b'"sentAt": "2023-11-14T20:00:00Z", "historicalMigration": true'
    space.send(b'{"batch": [%s, %s], %s}' % (good, bad, beside))
    [left] = space.held.inputs(EVERYTHING, **WHO)
    assert (left.reason, left.call, left.sent) == ("malformed_json", "historical", None)
    repair = Repair(replace=(Replacement('"total": 01', '"total": 1'),))
    assert space.held.replay(EVERYTHING, repair, **WHO).accepted == 1
    assert space.times() == ["2019-03-01T10:00:00.000Z", "2018-01-01T10:00:00.000Z"]


OLD = "2019-03-01T10:00:00Z"


OWN = {"sentAt": "2019-03-01T11:00:00Z"}
AN_HOUR_BEFORE = to_iso(Moment(NOW - 3_600 * SECOND))
TOLD_OF_TIME = [
    (OWN, {"historicalMigration": True}, "2019-03-01T10:00:00.000Z"),
    (OWN, {}, AN_HOUR_BEFORE),
    ({}, OWN, AN_HOUR_BEFORE),
]  # fmt: skip


@pytest.mark.parametrize(("own", "beside", "time"), TOLD_OF_TIME)
def test_what_a_batch_says_of_time_stays_with_what_is_refused_anew(space, own, beside, time):
    nameless = {"type": "track", "userId": "u", "timestamp": OLD} | own
    space.send(b"PREFIX" + batch(nameless | {"event": "E", "messageId": "m"}, nameless, **beside))
    done = space.held.replay(EVERYTHING, Repair(replace=(Replacement("PREFIX"),)), **WHO)
    assert (done.accepted, done.refused) == (1, {"no_event_name": 1})
    assert space.held.replay(EVERYTHING, Repair(default={"event": "F"}), **WHO).accepted == 1
    assert space.times() == [time, time]


def test_a_repaired_event_is_appended_once_with_the_time_it_had(space):
    bad = {"type": "track", "userId": "u", "messageId": "m", "originalTimestamp": "2023-11-14T22:00:00Z"}
    space.send(batch(bad, sentAt="2023-11-14T23:13:20Z"))  # the sender's clock is one hour ahead
    repair = Repair(default={"event": "Order Completed"})
    assert space.held.replay(EVERYTHING, repair, dry_run=True, **WHO).accepted == 1
    assert space.bodies() == []
    done = space.held.replay(EVERYTHING, repair, **WHO)
    assert (done.inputs, done.replayed, done.accepted, done.refused) == (1, 1, 1, {})
    [row] = space.log.read(Position(0), 10)
    assert (row.name, row.message_id, row.source, row.received) == ("Order Completed", "m", "web", LATER)
    assert row.time == NOW - 3_600 * SECOND - (22 * 3_600 + 13 * 60 + 20 - 22 * 3_600) * SECOND
    assert space.held.replay(EVERYTHING, repair, **WHO).inputs == 0


def test_what_stays_invalid_stays_open(space):
    space.send(batch({"type": "track", "userId": "u"}, {"type": "track", "event": "E"}))
    done = space.held.replay(EVERYTHING, Repair(default={"event": "E"}), **WHO)
    assert (done.inputs, done.replayed, done.refused) == (2, 1, {"no_user_anon_id": 1})
    [left] = space.held.inputs(EVERYTHING, **WHO)
    assert left.reason == "no_user_anon_id"


def test_the_call_of_the_path_is_remembered(space):
    space.send(b'{"userId": "u"}', Call.GROUP)
    done = space.held.replay(EVERYTHING, Repair(set={"groupId": "g"}), **WHO)
    assert done.accepted == 1
    assert [row.call for row in space.log.read(Position(0), 10)] == [Call.GROUP]


def test_what_a_batch_shares_stays_with_the_refused_event(space):
    space.send(batch({"type": "track", "userId": "u"}, context={"locale": "es-ES"}))
    space.held.replay(EVERYTHING, Repair(set={"event": "E"}), **WHO)
    assert [body["context"] for body in space.bodies()] == [{"locale": "es-ES"}]


def test_of_a_whole_batch_the_valid_events_are_taken_and_the_others_refused_anew(space):
    space.send(
        b"PREFIX" + batch({"type": "track", "userId": "u", "event": "E"}, {"type": "track", "userId": "u"})
    )
    [whole] = space.held.inputs(EVERYTHING, **WHO)
    assert whole.call == Refused.BATCH
    done = space.held.replay(EVERYTHING, Repair(replace=(Replacement("PREFIX"),)), **WHO)
    assert (done.replayed, done.accepted, done.refused) == (1, 1, {"no_event_name": 1})
    [left] = space.held.inputs(EVERYTHING, **WHO)
    assert (left.reason, left.call) == ("no_event_name", "")
    assert space.held.replay(EVERYTHING, Repair(default={"event": "F"}), **WHO).accepted == 1
    assert [body["event"] for body in space.bodies()] == ["E", "F"]


def test_other_limits_admit_what_was_refused(tmp_path):
    strict = Space(tmp_path, CollectSettings(max_properties=2))
    strict.send(batch({"type": "track", "userId": "u", "event": "E", "properties": dict.fromkeys("abc", 1)}))
    strict.log.close()
    generous = Space(tmp_path)
    assert generous.held.replay(Which(reason="too_many_properties"), **WHO).accepted == 1
    generous.log.close()


def test_a_replayed_event_that_the_log_knows_is_a_duplicate(space):
    repair = Repair(set={"event": "E"})
    bad = {"type": "track", "userId": "u", "messageId": "m", "event": ""}
    for _ in range(2):
        space.send(batch(bad))
        done = space.held.replay(EVERYTHING, repair, **WHO)
    assert (done.replayed, done.accepted, done.duplicate) == (1, 0, 1)
    assert len(space.bodies()) == 1


def test_a_conflicting_repeat_needs_a_message_id_of_its_own(space):
    for total in (1, 2):
        space.send(batch({"type": "track", "userId": "u", "messageId": "m", "event": "E", "total": total}))
    done = space.held.replay(EVERYTHING, **WHO)
    assert (done.inputs, done.replayed, done.refused) == (1, 0, {"message_id_used": 1})
    assert space.held.replay(EVERYTHING, Repair(set={"messageId": "n"}), **WHO).accepted == 1
    assert [body["total"] for body in space.bodies()] == [1, 2]


@pytest.mark.parametrize(("own", "beside", "time"), TOLD_OF_TIME)
def test_a_conflicting_repeat_keeps_its_time_when_it_gets_another_id(space, own, beside, time):
    for total in (1, 2, 3):
        same = {"type": "track", "userId": "u", "messageId": "m", "event": "E", "timestamp": OLD} | own
        space.send(batch(same | {"total": total}, **beside))
    again = space.held.replay(EVERYTHING, Repair(set={"messageId": "n"}), **WHO)
    assert (again.accepted, again.refused) == (1, {"conflicting_repeat": 1})
    assert space.held.replay(EVERYTHING, Repair(set={"messageId": "o"}), **WHO).accepted == 1
    assert space.times() == [time, time, time]


def test_an_event_written_by_hand_takes_the_place_of_rubbish(space):
    space.log.append(
        [], [Refused(reason="no_time", detail="d", source="crm", body=b"a;b", call="line")], now=NOW
    )
    [line] = space.held.inputs(EVERYTHING, **WHO)
    stays = space.held.replay(EVERYTHING, Repair(set={"type": "track"}), **WHO)
    assert (stays.replayed, stays.inputs) == (0, 1)
    wrong = space.held.replay_by_hand(line.number, b"{", **WHO)
    assert (wrong.replayed, wrong.refused) == (0, {"malformed_json": 1})
    right = b'{"type": "identify", "userId": "u", "traits": {"total": 19.90}}'
    assert space.held.replay_by_hand(line.number, right, **WHO).accepted == 1
    [row] = space.log.read(Position(0), 10)
    assert (row.source, row.body) == ("crm", right)
    with pytest.raises(Conflict):
        space.held.replay_by_hand(line.number, right, **WHO)
    with pytest.raises(NotFound):
        space.held.replay_by_hand(line.number + 1, right, **WHO)


def test_discarded_input_stays_readable(space):
    space.send(batch({"type": "track", "userId": "u"}, {"type": "page"}))
    assert space.held.discard(Which(reason="no_event_name"), **WHO) == 1
    assert [one.reason for one in space.held.inputs(EVERYTHING, **WHO)] == ["no_user_anon_id"]
    [gone] = space.held.inputs(EVERYTHING, settled=True, **WHO)
    assert (gone.reason, gone.settled, gone.settlement) == ("no_event_name", LATER, "discarded")
    assert space.held.discard(Which(numbers=(gone.number, 99)), **WHO) == 0
    assert space.log.quarantine_counts() == {"no_user_anon_id": 1}


def test_many_inputs_are_replayed_page_by_page(space):
    for start in range(0, 1_000, 500):
        space.send(
            batch(*({"type": "track", "userId": "u", "messageId": str(start + n)} for n in range(500)))
        )
    assert space.held.replay(Which(source="web"), Repair(default={"event": "E"}), **WHO).accepted == 1_000
    assert len(space.bodies()) == 1_000


def test_reading_and_replaying_need_their_scopes(space):
    reader = {**WHO, "viewer": Viewer("bob", frozenset({"read"}))}
    assert space.held.inputs(EVERYTHING, **reader) == []
    for refused in (space.held.replay, space.held.discard):
        with pytest.raises(NotAllowed):
            refused(EVERYTHING, **reader)
    with pytest.raises(NotAllowed):
        space.held.replay_by_hand(1, b"{}", **reader)


@pytest.mark.parametrize(
    ("repair", "before", "after"),
    [
        (Repair(rename={"email": "traits.email"}), {"email": "a"}, {"traits": {"email": "a"}}),
        (Repair(rename={"email": "x"}), {"b": 1}, {"b": 1}),
        (Repair(remove=("a.b", "c", "d.e")), {"a": {"b": 1, "z": 2}, "c": 3}, {"a": {"z": 2}}),
        (Repair(set={"a.b": 1}), {"a": 5}, {"a": {"b": 1}}),
        (Repair(set={"a\\.b": 1}), {}, {"a.b": 1}),
        (Repair(default={"a": 1, "b": 2, "c": 3}), {"a": None, "b": "", "c": 0}, {"a": 1, "b": 2, "c": 0}),
        (Repair(convert={"a": Form.NUMBER}), {"a": " 19.90 "}, {"a": Decimal("19.90")}),
        (Repair(convert={"a": Form.NUMBER}), {"a": "NaN"}, {"a": "NaN"}),
        (Repair(convert={"a": Form.NUMBER}), {"a": "ten"}, {"a": "ten"}),
        (Repair(convert={"a": Form.TEXT}), {"a": Decimal("1.50")}, {"a": "1.50"}),
        (Repair(convert={"a": Form.TEXT}), {"a": True}, {"a": True}),
        (
            Repair(shorten={"a": 2, "b": 1, "c": 1}),
            {"a": "xyz", "b": [1, 2], "c": 5},
            {"a": "xy", "b": [1], "c": 5},
        ),
        (Repair(shorten={"a": 1}), {"a": {"x": 1, "y": 2}}, {"a": {"x": 1}}),
    ],
)
def test_repairs(repair, before, after):
    assert decode_json(repair.event(encode_json(before))) == after


@pytest.mark.parametrize("item", [b"", b"{", b"[1]", b'"x"', b"\xff", b"[" * 5_000])
def test_a_repair_leaves_what_is_no_object(item):
    assert Repair(set={"a": 1}).event(item) == item
