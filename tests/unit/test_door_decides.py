"""What the door decides, rule by rule, without a server."""

import base64
import gzip
import json
import zlib
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from cauce.collect.reasons import Reason
from cauce.collect.service import UNKNOWN_KEY, Decision, Door, Request
from cauce.collect.settings import CollectSettings
from cauce.collect.time_correction import corrected
from cauce.vocabulary.event import Accepted, Call
from cauce.vocabulary.moment import SECOND, Moment, parse_iso, to_iso

RECEIVED = parse_iso("2026-01-01T12:00:12Z") or Moment(0)
BASIC = b"Basic " + base64.b64encode(b"key:")
FORM = b"application/x-www-form-urlencoded; charset=utf-8"


class OneKey:
    """A write key in memory; see ``WriteKeys``."""

    def verify(self, write_key: str) -> str | None:
        return "web" if write_key == "key" else None


DOOR = Door(OneKey(), CollectSettings(), lambda: "made")


def send(
    content: Any,
    call: Call | None = Call.TRACK,
    *,
    authorization: bytes = BASIC,
    type_: bytes = b"text/plain",
) -> Decision:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return DOOR.decide(Request(call, authorization, type_, body, RECEIVED))


def one(content: Any, call: Call | None = Call.TRACK, **more: Any) -> Accepted:
    decision = send(content, call, **more)
    assert (decision.status, decision.refused) == (200, [])
    (event,) = decision.events
    return event


def track(**fields: Any) -> dict[str, Any]:
    return {"event": "Order Completed", "userId": "ann", "messageId": "m1", **fields}


REFUSED: list[tuple[Call, Any, Reason]] = [
    (Call.TRACK, track(event=None), Reason.NO_EVENT_NAME),
    (Call.TRACK, track(event="  "), Reason.NO_EVENT_NAME),
    (Call.TRACK, track(event=5), Reason.NO_EVENT_NAME),
    (Call.TRACK, track(userId=None), Reason.NO_USER_ANON_ID),
    (Call.TRACK, track(userId=" ", anonymousId=""), Reason.NO_USER_ANON_ID),
    (Call.TRACK, track(userId={"id": 1}), Reason.WRONG_TYPE),
    (Call.TRACK, track(anonymousId=True), Reason.WRONG_TYPE),
    (Call.TRACK, track(userId=1.5), Reason.WRONG_TYPE),
    (Call.TRACK, track(userId="u" * 501), Reason.IDENTIFIER_TOO_LONG),
    (Call.TRACK, track(messageId="m" * 101), Reason.MESSAGE_ID_TOO_LONG),
    (Call.TRACK, track(messageId=[]), Reason.WRONG_TYPE),
    (Call.TRACK, track(properties=[]), Reason.WRONG_TYPE),
    (Call.TRACK, track(context="web"), Reason.WRONG_TYPE),
    (Call.IDENTIFY, {"userId": "ann", "traits": 1}, Reason.WRONG_TYPE),
    (Call.IDENTIFY, {"userId": "a", "traits": {str(n): n for n in range(301)}}, Reason.TOO_MANY_PROPERTIES),
    (Call.TRACK, track(context={"groupId": ""}), Reason.EMPTY_CONTEXT_GROUP_ID),
    (Call.GROUP, {"userId": "ann"}, Reason.NO_GROUP_ID),
    (Call.GROUP, {"userId": "ann", "groupId": "g" * 501}, Reason.IDENTIFIER_TOO_LONG),
    (Call.ALIAS, {"userId": "ann"}, Reason.NO_PREVIOUS_ID),
    (Call.ALIAS, {"previousId": "anon", "anonymousId": "anon"}, Reason.NO_USER_ANON_ID),
    (Call.TRACK, track(timestamp="yesterday"), Reason.BAD_TIMESTAMP),
    (Call.TRACK, track(timestamp=1767268800), Reason.BAD_TIMESTAMP),
    (Call.TRACK, track(timestamp="0001-01-01", sentAt="9999-01-01"), Reason.BAD_TIMESTAMP),
]  # fmt: skip


@pytest.mark.parametrize(("call", "content", "reason"), REFUSED)
def test_an_invalid_event_is_quarantined_whole(call: Call, content: Any, reason: Reason) -> None:
    for decision in (send(content, call), send({"batch": [{"type": call.value} | content]}, None)):
        assert (decision.status, decision.events) == (200, [])
        (refused,) = decision.refused
        assert (refused.reason, refused.source) == (reason, "web")
        assert json.loads(refused.body).items() >= content.items()
        assert refused.detail.endswith(".")


BROKEN: list[tuple[bytes, Reason]] = [
    (b'{"a": 1e999}', Reason.NUMBER_NOT_FINITE),
    (b'{"a": ' + b"7" * 309 + b"}", Reason.NUMBER_NOT_FINITE),
    (b'{"a": 1e-99999999999999999999}', Reason.NUMBER_NOT_FINITE),
    (b'{"a": NaN}', Reason.NUMBER_NOT_FINITE),
    (b'{"a": -Infinity}', Reason.NUMBER_NOT_FINITE),
    (rb'{"a": "\u0000"}', Reason.NUL_CHARACTER),
    (b'{"a": "\x00"}', Reason.NUL_CHARACTER),
    (rb'{"a": "\ud83d"}', Reason.LONE_SURROGATE),
    (rb'{"\udc00": 1}', Reason.LONE_SURROGATE),
    (b'{"a": "\xff"}', Reason.INVALID_UTF8),
    (b'{"a": ' + b"[" * 64 + b"]" * 64 + b"}", Reason.NESTED_TOO_DEEP),
    (b'{"a": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", Reason.NESTED_TOO_DEEP),
    (b'{"a": 01}', Reason.MALFORMED_JSON),
    (b'{"a": 1,}', Reason.MALFORMED_JSON),
    (b"[1]", Reason.NOT_AN_OBJECT),
    (b'"text"', Reason.NOT_AN_OBJECT),
    (b'{"a": "' + b"x" * 32 * 1024 + b'"}', Reason.EVENT_TOO_LARGE),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), BROKEN, ids=[text[:20].decode("latin-1") for text, _ in BROKEN])
def test_a_broken_event_is_answered_400_alone_and_costs_no_neighbour(text: bytes, reason: Reason) -> None:
    alone = send(text)
    assert (alone.status, [one.reason for one in alone.refused]) == (400, [reason])
    good = json.dumps({"type": "track"} | track()).encode()
    among = send(b'{"batch": [' + b",".join([good, text, good]) + b"]}", None)
    assert (among.status, len(among.events)) == (200, 2)
    assert [(one.reason, one.body) for one in among.refused] == [(reason, text)]
    assert [fault.item for fault in among.faults] == [1]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nothing",
        b"{",
        b'{"batch": [{}',
        b'{"batch": [{},]}',
        b'{"batch": {}}',
        b"{}",
        b"[]",
        b'{"batch": "}',
    ],
)
def test_a_body_without_the_structure_of_a_batch_is_answered_400_and_kept(text: bytes) -> None:
    decision = send(text, None)
    assert (decision.status, [one.body for one in decision.refused]) == (400, [text])


def test_a_batch_of_too_many_is_accepted_and_quarantined_whole() -> None:
    decision = send({"batch": [{}] * 2_501}, None)
    assert (decision.status, decision.events) == (200, [])
    assert [one.reason for one in decision.refused] == [Reason.BATCH_TOO_LONG]


@pytest.mark.parametrize(
    ("call", "name"),
    [(Call.PAGE, "Page Viewed"), (Call.SCREEN, "Screen Viewed"), (Call.IDENTIFY, "")],
)
def test_calls_without_event_have_a_fixed_name(call: Call, name: str) -> None:
    assert one({"userId": "ann", "name": "Home"}, call).name == name
    assert one({"batch": [{"type": call.value, "userId": "ann"}]}, None).name == name


def test_the_path_names_the_call_whatever_the_type_says() -> None:
    assert one(track(type="page")).call is Call.TRACK
    assert one(track(type="nothing")).call is Call.TRACK


def test_an_event_without_message_id_gets_one() -> None:
    for missing in ({}, {"messageId": None}, {"messageId": ""}):
        content = {"event": "e", "userId": "ann"} | missing
        event = one(content)
        assert event.message_id == "made"
        assert json.loads(event.body) == content


def test_whole_numbers_are_identifiers() -> None:
    event = one(track(userId=17, messageId=18))
    assert event.message_id == "18"
    assert json.loads(event.body)["userId"] == 17


# Time (field.md 2.3)


@pytest.mark.parametrize(
    ("original", "sent", "expected"),
    [
        ("2026-01-01T13:00:00Z", "2026-01-01T13:00:10Z", "2026-01-01T12:00:02.000Z"),  # SEG-TIME-01
        ("2026-01-01T10:00:01Z", "2026-01-01T12:00:12Z", "2026-01-01T10:00:01.000Z"),  # SEG-TIME-02, shifted
        ("2026-01-01T10:00:00+02:00", None, "2026-01-01T08:00:00.000Z"),
        ("2026-01-01T10:00:00", None, "2026-01-01T10:00:00.000Z"),
        ("2026-01-01", None, "2026-01-01T00:00:00.000Z"),
        ("2019-05-05T10:00:00Z", "2026-01-01T12:00:12Z", "2019-05-05T10:00:00.000Z"),
        ("2099-01-01T00:00:00Z", None, "2026-01-01T12:05:12.000Z"),
        ("2099-01-01T00:00:00Z", "2099-01-01T00:00:05Z", "2026-01-01T12:00:07.000Z"),
        ("2026-01-01T11:00:00Z", "rubbish", "2026-01-01T11:00:00.000Z"),
        (None, "2026-01-01T11:00:00Z", "2026-01-01T12:00:12.000Z"),
    ],
)
def test_time_is_corrected_and_clamped(original: str | None, sent: str | None, expected: str) -> None:
    in_event = one(track(timestamp=original, sentAt=sent))
    in_batch = one({"batch": [{"type": "track"} | track(timestamp=original)], "sentAt": sent}, None)
    first = one(track(originalTimestamp=original, timestamp="2001-01-01T00:00:00Z", sentAt=sent))
    assert to_iso(in_event.time) == to_iso(in_batch.time) == expected
    assert to_iso(first.time) == (expected if original else to_iso(_shifted("2001-01-01T00:00:00Z", sent)))


def _shifted(original: str, sent: str | None) -> Moment:
    return corrected(parse_iso(original), parse_iso(sent) if sent else None, RECEIVED, 300 * SECOND)


# Keys


@pytest.mark.parametrize(
    "authorization", [BASIC, b"basic a2V5", b"Basic  " + base64.b64encode(b"key:password")]
)
def test_the_key_may_be_the_basic_user(authorization: bytes) -> None:
    assert one(track(), authorization=authorization).source == "web"


@pytest.mark.parametrize("authorization", [b"", b"Bearer some-token"])
def test_the_key_may_be_in_the_body(authorization: bytes) -> None:
    event = one(track(writeKey="key"), authorization=authorization)
    assert event.source == "web"
    assert "writeKey" not in json.loads(event.body)
    batch = {"batch": [{"type": "track"} | track()], "writeKey": "key"}
    assert one(batch, None, authorization=authorization).source == "web"


@pytest.mark.parametrize("authorization", [b"Basic bm9ib2R5Og==", b"Basic !!!", b"Basic /w==", b"Basic "])
def test_of_an_unknown_sender_nothing_is_kept(authorization: bytes) -> None:
    assert send(track(writeKey="key"), authorization=authorization) is UNKNOWN_KEY
    assert send(b"{", authorization=authorization).refused == []
    assert send(track() | {"writeKey": 5}, authorization=b"") is UNKNOWN_KEY


def test_a_garbled_body_with_a_key_is_kept_without_the_key() -> None:
    decision = send(b'{"writeKey": "key", "event": ', authorization=b"")
    assert decision.status == 400
    assert [(one.source, one.body) for one in decision.refused] == [("web", b'{"writeKey": "", "event": ')]


def test_what_is_refused_is_kept_without_the_key() -> None:
    decision = send({"writeKey": "key", "batch": [{"type": "x", "writeKey": "key"}]}, None, authorization=b"")
    assert [b"key" in one.body for one in decision.refused] == [False]


# Bodies

TEXT = json.dumps(track(properties={"note": "a+b & ñ=%41"})).encode()


@pytest.mark.parametrize(
    ("body", "type_"),
    [
        (TEXT, b"application/json"),
        (gzip.compress(TEXT), b"text/plain"),
        (gzip.compress(TEXT[:40]) + gzip.compress(TEXT[40:]), b""),
        (b"\xef\xbb\xbf" + TEXT, b""),
        (TEXT, FORM),
        (quote(TEXT).encode(), FORM),
        (quote_plus(TEXT).encode() + b"=", FORM),
        (b"data=" + quote_plus(TEXT).encode(), FORM),
        (b"verbose=1&data=" + quote(TEXT).encode() + b"&x=y", FORM),
        (b"data=" + quote(base64.b64encode(TEXT)).encode(), FORM),
        (b"data=" + base64.urlsafe_b64encode(TEXT).rstrip(b"="), FORM),
        (gzip.compress(b"data=" + quote(TEXT).encode()), FORM),
    ],
)
def test_every_wrapping_gives_the_same_event(body: bytes, type_: bytes) -> None:
    assert one(body, type_=type_).body == TEXT


@pytest.mark.parametrize(
    ("body", "type_", "reason"),
    [
        (gzip.compress(b"[" * 600_000), b"", Reason.BODY_TOO_LARGE),
        (gzip.compress(gzip.compress(b"0" * 10_000_000)), b"", Reason.MALFORMED_JSON),
        (gzip.compress(TEXT)[:-9], b"", Reason.BAD_COMPRESSION),
        (b"\x1f\x8bnonsense", b"", Reason.BAD_COMPRESSION),
        (b"name=ann&x=1", FORM, Reason.BAD_FORM),
        (b"data=%ZZ", FORM, Reason.BAD_FORM),
        (b"x" * 512_001, b"", Reason.BODY_TOO_LARGE),
    ],
)
def test_a_body_that_cannot_be_unwrapped_is_answered_400_and_kept(
    body: bytes, type_: bytes, reason: Reason
) -> None:
    decision = send(body, None, type_=type_)
    assert (decision.status, [one.reason for one in decision.refused]) == (400, [reason] * 1)
    assert len(decision.refused[0].body) <= 512_000


def test_a_bomb_is_not_inflated() -> None:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(squeezer.compress(b"0" * 1_000_000) for _ in range(300)) + squeezer.flush()
    assert len(bomb) < 512_000
    assert [one.reason for one in send(bomb, None).refused] == [Reason.BODY_TOO_LARGE]


def test_of_a_body_beyond_any_limit_a_sample_is_kept() -> None:
    decision = DOOR.refuse_unread(BASIC, b"z" * 600_000)
    assert (decision.status, len(decision.refused[0].body)) == (400, 4_096)


# What a batch shares


def test_shared_context_is_merged_and_the_item_wins() -> None:
    shared = {"context": {"ip": "10.0.0.1", "locale": "es"}, "integrations": {"All": False}}
    item = {"type": "track"} | track(context={"locale": "en"}, properties={"price": 1.50, "big": 10**30})
    text = json.dumps({"batch": [item], **shared}).replace("1.5", "1.50").encode()
    event = one(text, None)
    stored = json.loads(event.body, parse_float=str)
    assert stored["context"] == {"ip": "10.0.0.1", "locale": "en"}
    assert stored["integrations"] == {"All": False}
    assert stored["properties"] == {"price": "1.50", "big": 10**30}


def test_without_shared_members_the_bytes_are_kept() -> None:
    item = b'{ "type" : "track","event":"e", "userId":"\\u00f1", "messageId":"m1" ,"n":1.50}'
    for rest in (b"", b', "context": null', b', "context": {}', b', "integrations": {}'):
        assert one(b'{"batch": [ ' + item + b" ]" + rest + b"}", None).body == item


@pytest.mark.parametrize(
    "rest", [b'"context": 1', rb'"context": {"a": "\ud800"}', b'"context": {"a": 1e99999999999999999999}']
)
def test_a_broken_shared_context_is_answered_400(rest: bytes) -> None:
    decision = send(b'{"batch": [{"type": "track"}], ' + rest + b"}", None)
    assert (decision.status, len(decision.refused)) == (400, 1)


def test_a_hazard_in_the_shared_context_reaches_no_event() -> None:
    decision = send(rb'{"batch": [{"type":"track","event":"e","userId":"u"}], "context": {"a": 1e999}}', None)
    assert [one.reason for one in decision.refused] == [Reason.NUMBER_NOT_FINITE]
