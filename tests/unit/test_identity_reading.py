"""Events to try rules on: in our format, as tracking calls, and as Adobe's graph text."""

import pytest

from cauce.identity import simulate
from cauce.identity.reading import read_lines
from cauce.vocabulary.errors import InvalidInput

RULES = {
    "identifiers": [{"type": "CRMID", "limit": 1}, {"type": "loginID"}, {"type": "ECID"}],
}


def profiles(text: str, rules: dict = RULES) -> set[frozenset[str]]:
    found = simulate(rules, read_lines(text.encode().splitlines(), "events.txt"))
    return {frozenset(members) for members in found.values()}


def test_a_graph_as_text_takes_the_later_line() -> None:
    base = "CRMID: Tom, loginID: A\nCRMID: Tom, loginID: B\n\n# the shared device\nloginID: A, ECID: 111\n"
    base += "CRMID: Summer, loginID: C\nCRMID: Summer, loginID: D\nloginID: C, ECID: 222\n"
    assert profiles(base + "loginID: C, ECID: 111") == {
        frozenset({"CRMID:Tom", "loginID:A", "loginID:B"}),
        frozenset({"CRMID:Summer", "loginID:C", "loginID:D", "ECID:222", "ECID:111"}),
    }


def test_tracking_calls() -> None:
    rules = {"identifiers": [{"type": "user_id", "limit": 1}, {"type": "email"}, {"type": "anonymous_id"}]}
    calls = (
        '{"type": "track", "anonymousId": "a", "messageId": "1", "timestamp": "2024-05-01T10:00:00Z"}\n'
        '{"type": "identify", "anonymousId": "a", "userId": "u1", "traits": {"email": "x@y.org"}}\n'
        '{"userId": "u2", "event": "Seen"}'
    )
    assert profiles(calls, rules) == {
        frozenset({"anonymous_id:a", "user_id:u1", "email:x@y.org"}),
        frozenset({"user_id:u2"}),
    }


def test_several_values_of_one_namespace_in_a_line() -> None:
    (event,) = read_lines([b"ECID: 1, ECID: 2, URL: http://x"], "f")
    assert event == {"id": "line 1", "ts": 1, "ids": {"ECID": ["1", "2"], "URL": ["http://x"]}}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"CRMID", "f:1: every identifier needs a namespace and a value"),
        (b"CRMID: Tom,", "f:1: every identifier needs"),
        (b"CRMID: \xff", "f:1: the line is not UTF-8"),
        (b"{", "f:1: malformed JSON"),
        (b"[1]", "f:1: the line holds no JSON object"),
        (b'{"type": "dance", "userId": "u"}', "f:1: there is no call dance"),
    ],
)
def test_what_is_no_event(line: bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        list(read_lines([line], "f"))
