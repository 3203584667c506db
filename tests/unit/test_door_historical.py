"""Batches that move old events here: their times stand, however late they come."""

import json
from typing import Any

import pytest

from cauce.collect.reasons import Reason
from cauce.collect.service import Door, Request
from cauce.collect.settings import CollectSettings
from cauce.vocabulary.moment import Moment, parse_iso, to_iso

RECEIVED = parse_iso("2026-06-01T00:00:00Z") or Moment(0)


class AnyKey:
    """Knows every write key; see ``WriteKeys``."""

    def verify(self, write_key: str) -> str | None:
        return "web"


DOOR = Door(AnyKey(), CollectSettings(), lambda: "made")


def decide(event: dict[str, Any], **batch: Any) -> Any:
    item = {"type": "track", "event": "e", "userId": "ann"} | event
    body = json.dumps({"batch": [item], "writeKey": "k"} | batch).encode()
    return DOOR.decide(Request(None, b"", b"", body, RECEIVED))


def time_of(event: dict[str, Any], **batch: Any) -> str:
    decision = decide(event, **batch)
    assert decision.faults == []
    return to_iso(decision.events[0].time)


OLD = "2019-03-01T10:00:00.000Z"
HOUR_FAST = {
    "originalTimestamp": "2026-01-01T13:00:00Z",
    "sentAt": "2026-01-01T13:00:10Z",
    "receivedAt": "2026-01-01T12:00:12Z",
}
AS_TIMESTAMP = {"timestamp" if k == "originalTimestamp" else k: v for k, v in HOUR_FAST.items()}
TIMES = [
    ({"timestamp": OLD}, OLD),
    ({"originalTimestamp": OLD}, OLD),
    # its own sentAt says nothing without a receivedAt (language.md)
    ({"timestamp": OLD, "sentAt": "2019-03-01T11:00:00Z"}, OLD),
    # SEG-TIME-01, moved: both are told, so the clock's error is taken out as it would have been then
    (HOUR_FAST, "2026-01-01T12:00:02.000Z"),
    (AS_TIMESTAMP, "2026-01-01T12:00:02.000Z"),
    # both times: somebody has corrected it already
    (HOUR_FAST | {"timestamp": "2026-01-01T12:00:02Z"}, "2026-01-01T12:00:02.000Z"),
    ({"timestamp": OLD, "sentAt": "rubbish", "receivedAt": OLD}, OLD),
    # a time to come is set to five minutes ahead, as for any event
    ({"timestamp": "2099-01-01T00:00:00Z"}, "2026-06-01T00:05:00.000Z"),
    ({"originalTimestamp": "2099-01-01T00:00:00Z"}, "2026-06-01T00:05:00.000Z"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "time"), TIMES)
def test_the_time_stands(event: dict[str, Any], time: str) -> None:
    assert time_of(event, historicalMigration=True, sentAt="2026-05-31T23:00:00Z") == time
    assert time_of(event | {"messageId": "m"}, historicalMigration=True) == time


def test_other_batches_are_corrected_by_their_sender_s_clock() -> None:
    for flag in (
        {},
        {"historicalMigration": False},
        {"historicalMigration": "true"},
        {"historicalMigration": 1},
    ):
        assert time_of({"timestamp": OLD}, sentAt=OLD, **flag) == to_iso(RECEIVED)


@pytest.mark.parametrize("event", [{}, {"timestamp": "yesterday"}, {"timestamp": 5}, {"sentAt": OLD}])
def test_an_old_event_says_when_it_happened(event: dict[str, Any]) -> None:
    decision = decide(event, historicalMigration=True)
    assert [one.reason for one in decision.refused] == [Reason.BAD_TIMESTAMP]
    assert decision.refused[0].sent is None


def test_a_broken_neighbour_changes_nothing() -> None:
    good = json.dumps({"type": "track", "event": "e", "userId": "u", "timestamp": OLD})
    text = b'{"historicalMigration": true, "writeKey": "k", "batch": [%s, {"a": 01}]}' % good.encode()
    decision = DOOR.decide(Request(None, b"", b"", text, RECEIVED))
    assert [to_iso(event.time) for event in decision.events] == [OLD]
    assert [fault.item for fault in decision.faults] == [1]
