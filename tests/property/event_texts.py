"""JSON texts for the door: ordinary events, strange ones, and rubbish that looks like them."""

import json
import math
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from cauce.vocabulary.exact import decode_json

IDENTIFIERS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.integers(),
    st.sampled_from(["", " ", "ann", "x" * 501, "ñandú", 1.5, True, [], {"id": 1}]),
)
TIMES = st.one_of(
    st.none(),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.sampled_from(
        [
            "",
            "2026-01-01",
            "2026-01-01T10:00:00",
            "2026-01-01 10:00:00.1234567+02:00",
            "2026-01-01T10:00:00.9999999Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "2026-01-01T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "20260101T100000Z",
            "yesterday",
            1_767_268_800,
            False,
        ]
    ),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["\0", "\\u0000", "a\\b", "1e999", '"e999,"', "[[[[", 10**18, 10**400, -(10**308), 0.1]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.one_of(st.none(), VALUES, st.dictionaries(st.text(max_size=4), VALUES, max_size=4))

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(
        ["track", "identify", "page", "screen", "group", "alias", "Track", "", None, 1, ["track"]]
    ),
    "event": st.one_of(st.text(max_size=8), st.sampled_from(["Sale", "", "  ", None, 5, "Cafe\u0301"])),
    "messageId": st.one_of(
        st.uuids().map(str), st.text(max_size=8), st.sampled_from([None, "", "m" * 101, 7, True, {}])
    ),
    "userId": IDENTIFIERS,
    "anonymousId": IDENTIFIERS,
    "groupId": IDENTIFIERS,
    "previousId": IDENTIFIERS,
    "timestamp": TIMES,
    "originalTimestamp": TIMES,
    "sentAt": TIMES,
    "properties": OBJECTS,
    "traits": OBJECTS,
    "context": OBJECTS | st.sampled_from([{"groupId": ""}, {"groupId": "acme"}, {"groupId": 1.5}]),
    "integrations": OBJECTS,
    "writeKey": st.sampled_from(["secret", None, 1]),
}  # fmt: skip

ORDINARY = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["track", "identify", "page", "screen"]),
        "event": st.sampled_from(["Order Completed", "Café"]),
        "messageId": st.uuids().map(str),
        "userId": st.sampled_from(["ann", "ñ", 17]),
    },
    optional={"timestamp": TIMES, "properties": st.dictionaries(st.text(max_size=4), VALUES, max_size=4)},
)
STRANGE = st.fixed_dictionaries({}, optional=FIELDS)  # type: ignore[arg-type]

HAZARDS = st.sampled_from(
    [
        b"1e999", b"-1e999", b"1E400", b"1e+309", b"1e-999999999999999999999", b"0e99999999999999999999",
        b"1" * 309, b"-" + b"9" * 5_000, b"9" * 250 + b"e99", b"0." + b"0" * 400 + b"1", b"1.0e5", b"12E-3",
        b"NaN", b"Infinity", b"-Infinity", b"01", b"+1", b".5", b"tru",
        rb'"\u0000"', rb'"\ud800"', rb'"\udc00\ud800"', rb'"\ud83d\ude00"', rb'"\\u0000"', rb'"\x41"',
        b'"\x00"', b'"\x1f"', b'"\xff"', b'"\xed\xa0\x80"', b'"\xc3"', b'"\xc3\xb1"',
        b"[" * 63 + b"]" * 63, b"[" * 64 + b"]" * 64, b'{"a":' * 70 + b"1" + b"}" * 70,
        b"[" * 3_000 + b"]" * 3_000, b"[" * 3_000, b'"' + b"[" * 100 + b'"', b'"' + b"x" * 500 + b'"',
    ]
)  # fmt: skip


@st.composite
def with_hazard(draw: st.DrawFn) -> bytes:
    """An event with one raw value put anywhere a value may stand, or near."""
    raw = draw(HAZARDS)
    name = draw(
        st.sampled_from(["properties", "traits", "context", "integrations", "other", "userId", "timestamp"])
    )
    text = json.dumps(draw(ORDINARY) | {name: "@"} if name == "userId" else draw(ORDINARY)).encode()
    if name == "userId":
        return text.replace(b'"@"', raw)
    deep = draw(st.booleans())
    value = b'{"k": ' + raw + b"}" if deep else raw
    return text[:-1] + b', "' + name.encode() + b'": ' + value + b"}"


def encoded(value: Any, escaped: bool) -> bytes:
    """JSON as SDKs write it, with or without escapes beyond ASCII; lone surrogates only as escapes."""
    text = json.dumps(value, ensure_ascii=escaped)
    return text.encode("utf-8", "surrogatepass")


TEXTS = st.one_of(
    st.builds(encoded, ORDINARY, st.booleans()),
    st.builds(encoded, STRANGE, st.booleans()),
    st.builds(encoded, VALUES, st.booleans()),
    with_hazard(),
    st.binary(max_size=20),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A text with a few bytes cut out, put in or changed."""
    text = draw(TEXTS)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        put = draw(
            st.sampled_from([b"", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\0", b"\xff", b"e999"])
        )
        text = text[:at] + put + text[at + draw(st.integers(0, 2)) :]
    return text


def assert_every_engine_can_read(body: bytes) -> None:
    """What the log promises to those who read it."""
    assert isinstance(decode_json(body), dict)
    waiting: list[tuple[Any, int]] = [(json.loads(body.decode("utf-8"), parse_constant=_refuse), 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, dict | list):
            assert depth <= 64
            inner = [*value, *value.values()] if isinstance(value, dict) else value
            waiting.extend((one, depth + 1) for one in inner)
        elif isinstance(value, str):
            assert "\0" not in value
            value.encode("utf-8")
        elif isinstance(value, int | float):
            assert math.isfinite(float(value))
    for number in _decimals(decode_json(body)):
        assert math.isfinite(float(number))


def _decimals(value: Any) -> list[Decimal]:
    if isinstance(value, dict):
        return [number for inner in value.values() for number in _decimals(inner)]
    if isinstance(value, list):
        return [number for inner in value for number in _decimals(inner)]
    return [value] if isinstance(value, Decimal) else []


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")
