"""Importing anything: no line is lost, none counts twice, sums are exact, a kill changes nothing."""

import contextlib
import gzip
import json
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cauce.collect.files import ImportResult, Mapping, import_file, read_mapping
from cauce.collect.settings import CollectSettings
from cauce.eventlog.port import Outcome, Quarantined
from cauce.vocabulary.errors import InvalidInput, Transient
from cauce.vocabulary.event import Accepted, Refused
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.moment import Moment, parse_iso
from cauce.vocabulary.yaml_lines import parse_yaml

NOW = parse_iso("2024-06-01T12:00:00Z") or Moment(0)
LIMITS = CollectSettings()

PLAIN = "owner: a\nsource: s\ncall: track\nevent: E\nuser_id: u\ntime: t\nproperties: {x: x}\n"
GROUPED = """
owner: a
source: s
group_by: [g, u]
columns: {n: number, p: number}
call: track
event: E
user_id: u
anonymous_id: {text: "g:{g}", unless: u}
time: t
properties:
  g: g
  total: {sum: n, times: p}
  lines: {count: lines}
  items: {items: {n: n, p: p}}
"""


class MemoryLog:
    """The log's promise in memory: each message id once; it may refuse from some append on."""

    def __init__(self) -> None:
        self.events: dict[str, Accepted] = {}
        self.refused: list[Refused] = []
        self.left = 1_000_000

    def append(self, events: Sequence[Accepted], refused: Sequence[Refused], *, now: Moment) -> list[Outcome]:
        if self.left == 0:
            raise Transient("The log is out of space.")
        self.left -= 1
        self.refused.extend(refused)
        outcomes = []
        for event in events:
            known = self.events.setdefault(event.message_id, event)
            outcomes.append(
                Outcome.ACCEPTED
                if known is event
                else Outcome.DUPLICATE
                if known.body == event.body
                else Outcome.CONFLICTING_REPEAT
            )
        return outcomes

    def quarantined(self, *, after: int = 0, limit: int = 100) -> list[Quarantined]:
        page = enumerate(self.refused[after : after + limit], after + 1)
        return [
            Quarantined(number, NOW, item.source, item.reason, item.detail, item.body)
            for number, item in page
        ]


def mapping(text: str) -> Mapping:
    return read_mapping(parse_yaml(text, "m.yaml"))


def run(log: MemoryLog, text: str, content: bytes, limits: CollectSettings = LIMITS) -> ImportResult:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        path.write_bytes(content)
        result = import_file(path, mapping(text), log, clock=lambda: NOW, settings=limits)
    assert result.read == result.accepted + result.duplicate + result.quarantined
    assert result.quarantined == sum(result.reasons.values())
    return result


rubbish = st.one_of(
    st.binary(max_size=60),
    st.text(alphabet='a1,;"\r\n\0 é{}[]:\\', max_size=60).map(str.encode),
    st.sampled_from([b'"', b'"a,b', b"1,2", b"\xff\xfe,1,2,3", b'"a"b,1,2', b"", b"\xed\xa0\x80,,,"]),
)


@given(
    st.lists(rubbish, max_size=12),
    st.booleans(),
    st.sampled_from([PLAIN, GROUPED, PLAIN + "format: jsonl\n"]),
)
@settings(deadline=None, max_examples=150)
def test_rubbish_never_raises_and_always_adds_up(lines: list[bytes], header: bool, text: str) -> None:
    content = (b"u,t,x,g,n,p\n" if header else b"") + b"\n".join(lines)
    try:
        run(MemoryLog(), text, content)
    except InvalidInput as refused:
        assert not header or "is a" not in refused.message


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
@settings(deadline=None, max_examples=100)
def test_damaged_gzip_never_raises(tail: bytes, place: int, byte: int) -> None:
    content = bytearray(gzip.compress(b"u,t,x\n" + b"a,2024-05-01,1\n" * 50 + tail))
    content[10 + place % (len(content) - 10)] = byte
    try:
        run(MemoryLog(), PLAIN, bytes(content))
    except InvalidInput as refused:
        assert "column" in refused.message or "header" in refused.message


cells = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(st.lists(st.tuples(cells, rubbish), min_size=1, max_size=10))
@settings(deadline=None, max_examples=100)
def test_good_lines_survive_among_bad_ones(pairs: list[tuple[str, bytes]]) -> None:
    """Bad lines are such that they cannot be taken for, or joined with, a good one: they are no JSON."""
    good = [
        json.dumps({"u": f"u{number}", "t": "2024-05-01", "x": cell}).encode()
        for number, (cell, _) in enumerate(pairs)
    ]
    bad = [b"!" + junk.replace(b"\n", b"") for _, junk in pairs]
    log = MemoryLog()
    both = [line for pair in zip(good, bad, strict=True) for line in pair]
    result = run(log, PLAIN + "format: jsonl\n", b"\n".join(both))
    assert (result.accepted, result.quarantined) == (len(good), len(bad))
    found = [decode_json(event.body) for event in log.events.values()]
    assert [body["properties"].get("x") for body in found if isinstance(body, dict)] == [
        cell if cell.strip() else None for cell, _ in pairs
    ]
    assert [item.body for item in log.refused] == bad


numbers = st.decimals(min_value=-(10**12), max_value=10**12, places=4, allow_nan=False)
lines = st.tuples(
    st.sampled_from(["g1", "g2", "g3", "g4"]), st.sampled_from(["", "ann", "bob"]), numbers, numbers
)


@given(st.lists(lines, max_size=30), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=100)
def test_groups_are_whole_and_sums_exact_in_any_order(
    rows: list[tuple[str, str, Decimal, Decimal]], chance: random.Random
) -> None:
    rows = rows + chance.sample(rows, len(rows) // 3)
    chance.shuffle(rows)
    text = "".join(f"{u},2024-05-01,,{g},{n},{p}\n" for g, u, n, p in rows)
    text = "u,t,x,g,n,p\n" + text
    log = MemoryLog()
    result = run(log, GROUPED, text.encode())
    assert result.quarantined == 0
    distinct = dict.fromkeys(text.splitlines()[1:])
    assert (result.read, result.accepted) == (len(rows), len(distinct))
    totals: dict[tuple[str, str], Fraction] = {}
    counted: Counter[tuple[str, str]] = Counter()
    for line in distinct:
        u, _, _, g, n, p = line.split(",")
        totals[g, u] = totals.get((g, u), Fraction(0)) + Fraction(n) * Fraction(p)
        counted[g, u] += 1
    assert result.events == len(log.events) == len(totals)
    for event in log.events.values():
        body = decode_json(event.body)
        assert isinstance(body, dict)
        properties = body["properties"]
        key = (properties["g"], body.get("userId", ""))
        assert Fraction(properties["total"]) == totals[key]
        assert properties["lines"] == len(properties["items"]) == counted[key]


@given(
    st.lists(st.one_of(lines.map(str), rubbish.map(repr)), max_size=25),
    st.sampled_from([PLAIN, GROUPED]),
    st.integers(0, 8),
    st.integers(1, 4),
)
@settings(deadline=None, max_examples=100)
def test_stopped_anywhere_and_started_again_equals_one_run(
    rows: list[str], text: str, appends: int, events: int
) -> None:
    content = "u,t,x,g,n,p\n" + "".join(
        f"u{number % 3},2024-05-01,{row.encode().hex()},g{number % 5},{number},1\n"
        + ("bad\n" if "'" in row else "")
        for number, row in enumerate(rows)
    )
    limits = CollectSettings(group_events=events)
    once, stopped = MemoryLog(), MemoryLog()
    whole = run(once, text, content.encode(), limits)
    stopped.left = appends
    with contextlib.suppress(Transient):
        run(stopped, text, content.encode(), limits)
    before = len(stopped.events)
    stopped.left = 1_000_000
    again = run(stopped, text, content.encode(), limits)
    assert list(stopped.events.items()) == list(once.events.items())
    assert stopped.refused == once.refused
    assert (again.read, again.quarantined) == (whole.read, whole.quarantined)
    assert again.events == len(once.events) - before
