"""Golden values depend on the set of assertions, never on the order they came in."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cauce.profile.fragment import Assertion, Fragment, assert_traits, assertions, decode, encode
from cauce.profile.survivorship import Survivorship, losers, survivor
from cauce.vocabulary.definitions import SurvivorshipRule
from cauce.vocabulary.event import Call, Event, Position
from cauce.vocabulary.moment import Moment

VALUES = st.sampled_from(
    [None, "a", "b", "c", "", 1, True, "1", Decimal("1.0"), ["x"], {"k": 1}, "d", "e", "f"]
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


def folded(events: list[Event]) -> Fragment:
    fragment: Fragment = {}
    for event in events:
        assert_traits(fragment, event)
        fragment = decode(encode(fragment))
    return fragment


@given(EVENTS, st.randoms(use_true_random=False))
def test_order_changes_nothing(raw: list[tuple[int, int, str, object]], random: object) -> None:
    events = [identify(n, *one) for n, one in enumerate(raw)]
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert encode(folded(events)) == encode(folded(shuffled))


@pytest.mark.parametrize("how", RULES, ids=str)
@given(raw=EVENTS, cut=st.integers(0, 24))
def test_the_survivor_is_that_of_all_assertions(
    how: Survivorship, raw: list[tuple[int, int, str, object]], cut: int
) -> None:
    """Split over two signatures and reduced to what fragments keep, the same value wins."""
    events = [identify(n, *one) for n, one in enumerate(raw)]
    everything = [Assertion(e.time, e.received, e.message_id, e.source, e.traits["t"]) for e in events]
    kept = list(assertions([folded(events[:cut]), folded(events[cut:])], "t"))
    expected, found = survivor(everything, how), survivor(kept, how)
    assert (found and found.order) == (expected and expected.order)
    if found is not None and how.rule is not SurvivorshipRule.OLDEST:
        lost = losers(kept, found)
        assert found.order not in [one.order for one in lost]
        assert len(lost) == len({(one.order, one.source) for one in lost})


def test_null_removes_and_the_next_source_speaks() -> None:
    told = [identify(0, 1, 1, "crm", "a"), identify(1, 2, 2, "web", "b"), identify(2, 3, 3, "crm", None)]
    kept = list(assertions([folded(told)], "t"))
    newest, ranked = survivor(kept, RULES[0]), survivor(kept, RULES[2])
    assert newest is not None and newest.value is None
    assert ranked is not None and ranked.value == "b"
