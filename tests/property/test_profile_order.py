"""Golden values depend on the set of assertions, never on the order they came in."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauce.profile import kept
from cauce.profile.fragment import Assertion, Fragment, assert_traits, assertions, decode, encode
from cauce.profile.kept import Keep
from cauce.profile.survivorship import Decision, Survivorship, decide, losers, survivor
from cauce.vocabulary.definitions import SurvivorshipRule
from cauce.vocabulary.event import Call, Event, Position
from cauce.vocabulary.language import scalar_order
from cauce.vocabulary.moment import Moment

VALUES = st.sampled_from(
    [
        *(None, None, "a", "b", "c", "", 1, True, "1", Decimal("1.0"), ["x"], {"k": 1}, "d", "e", "f"),
        *(["a", "b", None], [1, [2]], [], 3, -2, Decimal("2.5"), "cafe\u0301", "café", 10**40),
    ]
)
EVENTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from(["crm", "web", "shop"]), VALUES),
    max_size=24,
)
RULES = [
    Survivorship(),
    Survivorship(SurvivorshipRule.OLDEST),
    Survivorship(SurvivorshipRule.SOURCE_PRIORITY, ("crm", "web")),
]
KEPT_RULES = [
    Survivorship(SurvivorshipRule.MOST_FREQUENT),
    Survivorship(SurvivorshipRule.UNION),
    Survivorship(SurvivorshipRule.MINIMUM),
    Survivorship(SurvivorshipRule.MAXIMUM),
    Survivorship(SurvivorshipRule.MINIMUM, text=True),
    Survivorship(SurvivorshipRule.MAXIMUM, text=True),
]
Raw = list[tuple[int, int, str, Any]]


def identify(number: int, time: int, received: int, source: str, value: object) -> Event:
    return Event(
        position=Position(number + 1),
        received=Moment(received),
        time=Moment(time),
        call=Call.IDENTIFY,
        name="",
        message_id=f"m{number}",
        source=source,
        identifiers=(),
        traits={"t": value},
        properties={},
    )


def folded(events: Sequence[Event], how: Survivorship) -> Fragment:
    fragment: Fragment = {}
    for event in events:
        assert_traits(fragment, event, {} if how.keep is None else {"t": how.keep})
        fragment = decode(encode(fragment))
    return fragment


def asserted(events: Sequence[Event]) -> list[Assertion]:
    return [Assertion(e.time, e.received, e.message_id, e.source, e.traits["t"]) for e in events]


@pytest.mark.parametrize("how", [RULES[0], *KEPT_RULES], ids=str)
@pytest.mark.parametrize("cap", [2, 1_000])
@given(raw=EVENTS, random=st.randoms(use_true_random=False))
def test_order_changes_nothing(how: Survivorship, cap: int, raw: Raw, random: Random) -> None:
    events = [identify(n, *one) for n, one in enumerate(raw)]
    shuffled = list(events)
    random.shuffle(shuffled)
    with patch.multiple(kept, MOST_ASSERTIONS=cap, MOST_VALUES=cap, MOST_EXTREMES=cap):
        assert encode(folded(events, how)) == encode(folded(shuffled, how))


@pytest.mark.parametrize("how", RULES, ids=str)
@given(raw=EVENTS, cut=st.integers(0, 24))
def test_the_survivor_is_that_of_all_assertions(how: Survivorship, raw: Raw, cut: int) -> None:
    """Split over two signatures and reduced to what fragments keep, the same value wins."""
    events = [identify(n, *one) for n, one in enumerate(raw)]
    fragments = [folded(events[:cut], how), folded(events[cut:], how)]
    expected, found = survivor(asserted(events), how), decide(fragments, "t", how)
    assert (found and found.winner.order) == (expected and expected.order)
    if found is not None and how.rule is not SurvivorshipRule.OLDEST:
        lost = losers(fragments, "t", how, found)
        assert found.winner.order not in [one.order for one in lost]
        assert len(lost) == len({(one.order, one.source) for one in lost})


def plain_meaning(told: list[Assertion], how: Survivorship) -> tuple[Any, int | None, int]:
    """Value, how often it was asserted where that decides, and skipped, from every assertion ever made."""
    assert how.keep is not None
    nulls = {a.source: a.order for a in sorted(told, key=lambda a: a.order) if a.value is None}
    if how.keep is Keep.UNION:
        told = [
            a._replace(value=element)
            for a in told
            for element in (a.value if type(a.value) is list else [a.value])
            if element is not None
        ]
    said = [a for a in told if a.value is not None]
    taken = [a for a in said if how.keep.takes(a.value)]
    alive = sorted(
        (a for a in taken if a.source not in nulls or a.order > nulls[a.source]), key=lambda a: a.order
    )
    skipped = len(said) - len(taken)
    newest = {scalar_order(a.value): a.value for a in alive}
    times = {place: sum(scalar_order(a.value) == place for a in alive) for place in newest}
    if not newest:
        return None, None, skipped
    match how.rule:
        case SurvivorshipRule.UNION:
            return [newest[place] for place in sorted(newest)], None, skipped
        case SurvivorshipRule.MOST_FREQUENT:
            best = sorted(newest, key=lambda place: (-times[place], place))[0]
            return newest[best], times[best], skipped
        case SurvivorshipRule.MINIMUM:
            return newest[min(newest)], None, skipped
    return newest[max(newest)], None, skipped


def same(one: Decision | None, other: tuple[Any, int | None, int]) -> bool:
    if one is None:
        return other[0] is None
    return (repr(one.value), one.times, one.skipped) == (repr(other[0]), other[1], other[2])


@pytest.mark.parametrize("how", KEPT_RULES, ids=str)
@given(raw=EVENTS, cut=st.integers(0, 24))
def test_frequency_extremes_and_union_are_those_of_all_assertions(
    how: Survivorship, raw: Raw, cut: int
) -> None:
    events = [identify(n, *one) for n, one in enumerate(raw)]
    fragments = [folded(events[:cut], how), folded(events[cut:], how)]
    found = decide(fragments, "t", how)
    assert found is None or not found.approximate
    assert same(found, plain_meaning(asserted(events), how))


@pytest.mark.parametrize("how", KEPT_RULES, ids=str)
@given(raw=EVENTS, cut=st.integers(0, 24))
def test_what_a_cap_folds_away_is_marked(how: Survivorship, raw: Raw, cut: int) -> None:
    """With very small caps, a value is the exact one or it is marked; and not all are marked."""
    events = [identify(n, *one) for n, one in enumerate(raw)]
    with patch.multiple(kept, MOST_ASSERTIONS=3, MOST_VALUES=3, MOST_EXTREMES=3):
        fragments = [folded(events[:cut], how), folded(events[cut:], how)]
        found = decide(fragments, "t", how)
    exact = same(found, plain_meaning(asserted(events), how))
    assert exact or (found is not None and found.approximate)
    distinct = {scalar_order(e.traits["t"]) for e in events if type(e.traits["t"]) is not list}
    if len(events) <= 3 and len(distinct) <= 3 and how.keep is not Keep.UNION:
        assert exact and (found is None or not found.approximate)


def test_null_removes_and_the_next_source_speaks() -> None:
    told = [identify(0, 1, 1, "crm", "a"), identify(1, 2, 2, "web", "b"), identify(2, 3, 3, "crm", None)]
    kept_ones = list(assertions([folded(told, RULES[0])], "t"))
    newest, ranked = survivor(kept_ones, RULES[0]), survivor(kept_ones, RULES[2])
    assert newest is not None and newest.value is None
    assert ranked is not None and ranked.value == "b"


def test_an_old_file_that_comes_again_brings_no_stale_value_back() -> None:
    """EM-07: customer service corrects an address; the file with the former one is imported again."""
    old, corrected = (
        identify(0, 10, 100, "file", "old@x.example"),
        identify(1, 50, 200, "crm", "new@x.example"),
    )
    again = identify(2, 10, 300, "file", "old@x.example")
    found = decide([folded([old, corrected, again], RULES[0])], "t", RULES[0])
    assert found is not None and found.value == "new@x.example"
