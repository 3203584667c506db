"""The door on random input: what it accepts every engine can read, and a bad event costs no neighbour."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cauce.collect.hazards import may_be_hazardous
from cauce.collect.judge import Arrival, Judge
from cauce.collect.reasons import Problem
from cauce.collect.scan import elements, is_deeper, members
from cauce.collect.service import Door, Request
from cauce.collect.settings import CollectSettings
from cauce.eventlog.content import content_print, content_prints
from cauce.vocabulary.event import Accepted, Call, Logged, Position, read_event
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION
from cauce.vocabulary.moment import SECOND, Moment, to_iso
from tests.property.event_texts import VALUES, assert_every_engine_can_read, damaged, encoded

RECEIVED = Moment(1_767_268_800 * SECOND)
CALLS = st.none() | st.sampled_from(list(Call))
SENT = st.none() | st.integers(-(10**9), 10**9).map(lambda ahead: Moment(RECEIVED + ahead * SECOND))


class OneKey:
    """A write key in memory; see ``WriteKeys``."""

    def verify(self, write_key: str) -> str | None:
        return "web" if write_key == "key" else None


JUDGE = Judge(CollectSettings(), lambda: "made")
DOOR = Door(OneKey(), CollectSettings(), lambda: "made")
BASIC = b"Basic a2V5Og=="


def good(message_id: str) -> bytes:
    return json.dumps({"type": "track", "event": "e", "userId": "u", "messageId": message_id}).encode()


@given(damaged(), CALLS, SENT)
@example(b'{"userId":"a","event":"e","properties":{"x":1e999}}', Call.TRACK, None)
@example(b'{"userId":"a","event":"e","other":' + b"[" * 64 + b"]" * 64 + b"}", Call.TRACK, None)
def test_every_engine_can_read_what_is_accepted(text: bytes, call: Call | None, sent: Moment | None) -> None:
    event = JUDGE.judge(text, call, Arrival("web", RECEIVED, sent))
    if isinstance(event, Problem):
        assert event.detail
        return
    assert_every_engine_can_read(event.body)
    assert content_prints([event], 7) == [content_print(event.body, 7)], "what the door saw of it is so"
    assert event.time <= RECEIVED + 300 * SECOND
    to_iso(event.time)
    assert 0 < len(event.message_id) <= 100
    logged = {name: getattr(event, name) for name in Logged.__struct_fields__ if hasattr(event, name)}
    row = Logged(position=Position(1), received=RECEIVED, **logged)
    read = read_event(row, DEFAULT_NORMALIZATION)
    assert all("\0" not in one.value for one in read.identifiers)


@given(damaged(), CALLS, SENT)
def test_ordinary_events_are_judged_as_exactly_as_others(
    text: bytes, call: Call | None, sent: Moment | None
) -> None:
    arrival = Arrival("web", RECEIVED, sent)
    assert JUDGE.judge(text, call, arrival) == JUDGE.judge_exactly(text, call, arrival)


@given(st.lists(damaged(), max_size=4), st.randoms(use_true_random=False))
def test_neighbours_of_a_bad_event_are_kept(texts: list[bytes], order: object) -> None:
    """As far as the bad event leaves the structure around it alone."""
    bad = [text for text in texts if elements(b"[" + text + b"]") == [text.strip()] and text.strip()]
    ids = [f"good-{number}" for number in range(len(bad) + 1)]
    items = [part for pair in zip(map(good, ids), [*bad, b""], strict=True) for part in pair if part]
    body = b'{"batch": [' + b", ".join(items) + b"]}"
    decision = DOOR.decide(Request(None, BASIC, b"application/json", body, RECEIVED))
    assert decision.status == 200
    accepted = [event.message_id for event in decision.events]
    assert [one for one in accepted if one in ids] == ids
    assert len(decision.events) + len(decision.refused) == len(items)


FILLER = [good(f"filler-{number}")[:-1] + b', "properties": {"a": [1, {"b": 2.5}]}}' for number in range(60)]


@given(damaged(), st.integers(0, len(FILLER)))
@example(b'{"userId":"a","type":"track","event":"e","other":[1.5e+999]}', 30)
@example(b'{"userId":"a","type":"track","event":"e","other":' + b"[" * 64 + b"]" * 64 + b"}", 30)
@example(b'{"userId":"a","type":"track","event":"e","other":' + b"7" * 309 + b"}", 30)
@example(b'{"userId":"a","type":"track","event":"e","other":"\xff"}', 30)
@example(rb'{"userId":"a","type":"track","event":"e","other":"\u0000"}', 30)
def test_long_bodies_are_judged_as_exactly_as_short_ones(text: bytes, place: int) -> None:
    if elements(b"[" + text + b"]") != [text.strip()] or not text.strip():
        return
    items = [*FILLER[:place], text, *FILLER[place:]]
    body = b'{"batch": [' + b",".join(items) + b"]}"
    assert len(body) > 4_096
    decision = DOOR.decide(Request(None, BASIC, b"", body, RECEIVED))
    alone = JUDGE.judge_exactly(text.strip(), None, Arrival("web", RECEIVED, None))
    assert len(decision.events) >= len(FILLER)
    if isinstance(alone, Accepted):
        assert decision.events[place] == alone
    else:
        assert [(fault.item, fault.problem) for fault in decision.faults] == [(place, alone)]


@given(
    st.binary(max_size=60) | damaged(),
    st.sampled_from([None, *Call]),
    st.sampled_from([b"", b"application/x-www-form-urlencoded"]),
)
def test_no_body_breaks_the_door(body: bytes, call: Call | None, content_type: bytes) -> None:
    decision = DOOR.decide(Request(call, BASIC, content_type, body, RECEIVED))
    assert decision.status in (200, 400)
    assert decision.events or decision.refused or b"batch" in body


@given(st.lists(VALUES, max_size=5), st.booleans())
def test_lenient_reading_finds_the_elements(values: list[object], escaped: bool) -> None:
    try:
        texts = [encoded(value, escaped) for value in values]
    except ValueError:
        return
    assert elements(b"[" + b" , ".join(texts) + b"]") == texts
    whole = b"{" + b",".join(b'"%d" : %b' % pair for pair in enumerate(texts)) + b"}"
    assert members(whole) == {b"%d" % number: text for number, text in enumerate(texts)}


@pytest.mark.parametrize(("text", "depth"), [(b"1", 0), (b"[]", 1), (b'{"a":[1,{"[[[":2}]}', 3), (b'["[', 1)])
def test_nesting(text: bytes, depth: int) -> None:
    assert is_deeper(text, depth - 1) or depth == 0
    assert not is_deeper(text, depth)


UNSTABLE = [
    b'"sentAt":null',
    b'"sentAt":"2026-01-01"',
    b'"writeKey":null',
    b'"writeKey":"k"',
    b'"receivedAt":1',
]
UNSTABLE += [b'"_metadata":{}', rb'"sent\u0041t":"2026-01-01"', b'"context":{"sentAt":"2026-01-01"},"x":1']


@pytest.mark.parametrize("member", UNSTABLE)
def test_what_a_sender_changes_does_not_make_another_event(member: bytes) -> None:
    text = good("m")[:-1] + b"," + member + b"}"
    events = [JUDGE.judge(text, None, Arrival("web", RECEIVED, None))]
    events.append(JUDGE.judge_exactly(text, None, Arrival("web", RECEIVED, None)))
    for event in events:
        assert isinstance(event, Accepted)
        assert event.stable == (member is UNSTABLE[-1])
        assert content_prints([event], 7) == [content_print(event.body, 7)]


@pytest.mark.parametrize("filler", [10, 5_000])
@pytest.mark.parametrize(("digits", "seen"), [(180, False), (200, True)])
def test_a_number_of_many_digits_is_seen_wherever_it_stands(filler: int, digits: int, seen: bool) -> None:
    for before in range(40):
        text = b"x" * (filler + before) + b"7" * digits + b"x" * filler
        assert may_be_hazardous(text, len(text), 64) == seen, before


LARGE = [b"1e100,", b"1E+100]", b"1.5e-100 ", b"1e0099}"]
SMALL = [b"1e99,", b"1e+12,", b"1e-05}", b"4e512a,", b'e100"']


@pytest.mark.parametrize("filler", [10, 5_000])
@pytest.mark.parametrize(("number", "hazardous"), [(n, n in LARGE) for n in LARGE + SMALL])
def test_exponents_of_three_digits_are_seen(filler: int, number: bytes, hazardous: bool) -> None:
    text = b"x" * filler + b":" + number + b"x" * filler
    assert may_be_hazardous(text, len(text), 64) == hazardous


def test_what_the_door_accepts_is_what_was_sent() -> None:
    text = (
        b'{ "type":"track", "event":"e" ,"userId":1e0, "userId":"u","messageId":"m","properties":{"p":1.50}}'
    )
    event = JUDGE.judge(text, None, Arrival("web", RECEIVED, None))
    assert isinstance(event, Accepted)
    assert event.body is text
