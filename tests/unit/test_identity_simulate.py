"""The simulation format: what it takes, how it normalizes, and what it refuses."""

from decimal import Decimal
from typing import Any

import pytest

from cauce.identity import simulate
from cauce.vocabulary.errors import InvalidInput

RULES: dict[str, Any] = {
    "identifiers": [
        {"type": "user_id", "limit": 1},
        {"type": "email", "normalize": "email"},
        {"type": "phone", "normalize": "phone"},
        {"type": "device"},
    ],
    "blocked": [{"type": "phone", "value": "(000) 1"}],
}


def seen(number: int, ts: Any = None, **ids: Any) -> dict[str, Any]:
    return {"id": f"m{number}", "ts": number if ts is None else ts, "ids": ids}


def test_values_are_normalized_before_they_are_compared() -> None:
    events = [
        seen(1, user_id=" u1 ", email="ANN@X.example"),
        seen(2, email=["ann@x.example "], phone="0034 600-100"),
        seen(3, phone="+34600100", device="\uff21"),
        seen(4, device="A", user_id="", email=None),
    ]
    assert simulate(RULES, events) == {
        "user_id:u1": ["device:A", "email:ann@x.example", "phone:+34600100", "user_id:u1"]
    }


def test_a_value_blocked_as_written_is_dropped() -> None:
    assert simulate(RULES, [seen(1, phone=" (000) 1", device="d")]) == {"device:d": ["device:d"]}


def test_types_that_are_not_listed_are_ignored_and_numbers_are_texts() -> None:
    assert simulate(RULES, [seen(1, group="g", user_id=7)]) == {"user_id:7": ["user_id:7"]}


def test_the_same_id_again_is_a_repeated_delivery() -> None:
    events = [seen(1, device="a"), seen(1, device="b"), {"id": "m2", "ts": 5}]
    assert simulate(RULES, events) == {"device:a": ["device:a"]}


@pytest.mark.parametrize(
    ("early", "late"),
    [
        (1, 2),
        (1.5, 1.75),
        (Decimal("1.5"), 2),
        ("2024-05-01T10:00:00Z", "2024-05-01T11:30:00+01:00"),
        ("1970-01-01T00:00:01Z", 2),
    ],
)
def test_times_are_seconds_or_iso_texts(early: Any, late: Any) -> None:
    newer = seen(1, late, user_id="new", device="d")
    older = seen(2, early, user_id="old", device="d")
    assert simulate(RULES, [newer, older])["user_id:new"] == ["device:d", "user_id:new"]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"id": "a", "ts": 1, "op": "sane"}, "there is no op sane"),
        ({"id": "a", "ts": 1, "idz": {}}, "unknown key idz"),
        ({"id": "a", "ids": {}}, "has no ts"),
        ({"ts": 1, "ids": {}}, "has no id"),
        ({"id": "a", "ts": "yesterday"}, "ts names no moment"),
        ({"id": "a", "ts": "2024-05-01T10:00:00"}, "ts names no moment"),
        ({"id": "a", "ts": float("nan")}, "ts names no moment"),
        ({"id": "a", "ts": True}, "ts names no moment"),
        ({"id": "a", "ts": 1, "ids": ["u1"]}, "ids is no mapping"),
        ({"id": "a", "ts": 1, "ids": {"user_id": 1.5}}, "ids.user_id is no text"),
        ({"id": "a", "ts": 1, "op": "same", "ids": {"user_id": "u"}}, "same is about two identifiers"),
        ({"id": "a", "ts": 1, "op": "never", "ids": {"user_id": ["u", "v", "w"]}}, "never is about two"),
        ({"id": "a", "ts": 1, "op": "grant"}, "grant names no identifier"),
        ({"id": "a", "ts": 1, "op": "retract"}, "events is no list of texts"),
        (
            {"id": "a", "ts": 1, "op": "withdraw", "ids": {"user_id": "u"}, "purposes": 5},
            "purposes is no list",
        ),
        ("a", "is no mapping"),
    ],
)
def test_wrong_events_are_refused_with_their_place(event: Any, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        simulate(RULES, [seen(1, device="a"), event])
    assert "events[1]" in refused.value.message
    assert message in refused.value.message


def test_the_hard_cap_spares_the_strong_links() -> None:
    events = [seen(0, user_id="u", email="u@x.example")]
    events += [seen(number, user_id="u", device=f"d{number}") for number in range(1, 1_000)]
    assert len(simulate(RULES, events)["user_id:u"]) == 1_001
    events.append(seen(1_000, user_id="u", device="d1000"))
    assert simulate(RULES, events)["user_id:u"] == ["email:u@x.example", "user_id:u"]
