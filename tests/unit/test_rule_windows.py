"""Events in windows, to the microsecond, and until when a verdict is certain (rules 10 to 15)."""

import pytest

from cauce.vocabulary.language import Mentions, parse, reduce_properties
from cauce.vocabulary.moment import DAY, HOUR, Moment
from tests.unit.rule_people import Someone, T, entry, holds, verdict

ONE = Someone(X=[entry(0)])


@pytest.mark.parametrize(
    ("window", "first", "last"),
    [
        ("within(7 days)", 0, 7 * DAY - 1),
        ("within(1 second)", 0, 999_999),
        ("within(90 minutes)", 0, 90 * 60 * 1_000_000 - 1),
        ("between(1 hour, 2 days)", HOUR, 2 * DAY - 1),
        ("between(0 days, 2 days)", 0, 2 * DAY - 1),
    ],
)
def test_an_event_counts_at_these_ages(window: str, first: int, last: int) -> None:
    rule = f"event('X').{window}.count() = 1"
    assert verdict(rule, ONE, Moment(T + first)) == (True, T + last + 1)
    assert verdict(rule, ONE, Moment(T + last)) == (True, T + last + 1)
    assert verdict(rule, ONE, Moment(T + first - 1)) == (False, T + first)
    assert verdict(rule, ONE, Moment(T + last + 1)) == (False, None)


def test_an_event_of_the_future_is_not_seen_until_then() -> None:
    rule = "event('X').count() >= 1"
    assert verdict(rule, ONE, Moment(T - 1)) == (False, T)
    assert verdict(rule, ONE, T) == (True, None)


THREE = Someone(X=[entry(3), entry(2), entry(1), entry(-1)])


@pytest.mark.parametrize(
    ("comparison", "expected", "until"),
    [
        # ages 3, 2 and 1 days leave the window of 7 days in 4, 5 and 6 days; one more comes in 1 day
        (">= 1", True, 6),
        (">= 2", True, 5),
        (">= 3", True, 4),
        (">= 4", False, 1),
        (">= 5", False, None),
        ("> 2", True, 4),
        ("< 3", False, 4),
        ("< 4", True, 1),
        ("<= 3", True, 1),
        ("= 3", True, 1),
        ("= 2", False, 4),
        ("= 4", False, 1),
        ("!= 3", False, 1),
        ("> 2.5", True, 4),
        ("= 2.5", False, None),
        (">= -1", True, None),
        ("!= -1", True, None),
        (".one_of(3, 9)", True, 1),
        (".exists()", True, 1),
    ],
)
def test_a_count_is_certain_until_enough_events_leave_or_come(
    comparison: str, expected: bool, until: int | None
) -> None:
    rule = f"event('X').within(7 days).count(){'' if comparison[0] == '.' else ' '}{comparison}"
    assert verdict(rule, THREE) == (expected, None if until is None else T + until * DAY)


JUNCTIONS = [
    # a: true until 6 days; b: true until 4; c: false until 1; d: false for ever
    ("a AND b", True, 4),
    ("a AND c", False, 1),
    ("a AND d", False, None),
    ("c AND d", False, None),
    ("a OR b", True, 6),
    ("a OR c", True, 6),
    ("c OR d", False, 1),
    ("NOT (a)", False, 6),
    ("NOT (c)", True, 1),
    ("(a OR c) AND b", True, 4),
    ("t OR c", True, None),
    ("t AND c", False, 1),
]
PARTS = {
    "a": "event('X').within(7 days).count() >= 1",
    "b": "event('X').within(7 days).count() >= 3",
    "c": "event('X').within(7 days).count() >= 4",
    "d": "event('X').within(7 days).count() >= 5",
    "t": "event('X').count() >= 0",
}


@pytest.mark.parametrize(("junction", "expected", "until"), JUNCTIONS)
def test_a_junction_is_certain_as_long_as_its_parts_decide_it(
    junction: str, expected: bool, until: int | None
) -> None:
    rule = "".join(PARTS.get(character, character) for character in junction)
    assert verdict(rule, THREE) == (expected, None if until is None else T + until * DAY)


@pytest.mark.parametrize(
    ("condition", "begin", "end"),
    [
        ("within_last(2 days)", 0, 2),
        ("within_next(2 days)", -2, 0),
        ("before_last(2 days)", 2, None),
        ("after_next(2 days)", None, -2),
        ("before_last(0 days)", 0, None),
    ],
)
def test_a_condition_on_a_date_holds_from_begin_to_end(
    condition: str, begin: int | None, end: int | None
) -> None:
    someone = Someone('{"due": "2026-01-01T10:00:00Z"}')
    rule = f"trait('due').{condition}"
    if begin is not None:
        start = Moment(T + begin * DAY)
        assert verdict(rule, someone, Moment(start - 1)) == (False, start)
        assert verdict(rule, someone, start) == (True, None if end is None else T + end * DAY)
    if end is not None:
        stop = Moment(T + end * DAY)
        assert verdict(rule, someone, Moment(stop - 1)) == (True, stop)
        assert verdict(rule, someone, stop) == (False, None)


def test_a_date_without_zone_or_of_another_kind_is_no_date() -> None:
    for value in ('"2026-01-01T10:00:00"', "5", "null", '["2026-01-01"]'):
        someone = Someone(f'{{"due": {value}}}')
        assert verdict("trait('due').within_last(2 days)", someone) == (False, None)
        assert verdict("NOT trait('due').within_last(2 days)", someone) == (True, None)


def test_where_looks_at_properties_and_traits() -> None:
    rule = """event('Shoes Bought').where(property('price') >= trait('avg_spend') AND
        NOT (property('size') = 40)).within(30 days).count() >= 1"""
    bought = [entry(3, '{"price": 100, "size": 40}'), entry(2, '{"price": 50, "size": 39}')]
    assert not holds(rule, Someone('{"avg_spend": 60}', Shoes_Bought=bought))
    assert holds(rule, Someone('{"avg_spend": 50}', Shoes_Bought=bought))
    assert not holds(rule, Someone('{"avg_spend": "50"}', Shoes_Bought=bought))


def test_where_may_know_the_time() -> None:
    rule = "event('Trial').where(property('ends').within_next(2 days)).within(30 days).count() >= 1"
    someone = Someone(Trial=[entry(1, '{"ends": "2026-01-05T10:00:00Z"}')])
    assert verdict(rule, someone) == (False, T + 2 * DAY)
    assert verdict(rule, someone, Moment(T + 2 * DAY)) == (True, T + 4 * DAY)
    assert verdict(rule, someone, Moment(T + 4 * DAY)).holds is False


def test_windows_end_also_where_where_knows_the_time() -> None:
    rule = "event('Trial').where(property('ends').before_last(0 days)).within(2 days).count() >= 1"
    someone = Someone(Trial=[entry(1, '{"ends": "2025-01-01"}')])
    assert verdict(rule, someone) == (True, T + DAY)
    assert verdict(rule, someone, Moment(T + DAY)) == (False, None)
    to_come = Someone(Trial=[entry(-1, '{"ends": "2025-01-01"}')])
    assert verdict(rule, to_come) == (False, T + DAY)


def test_excluded_sources_do_not_count() -> None:
    someone = Someone(X=[entry(1, source="shop"), entry(2, source="web"), entry(3, source="shop")])
    assert holds("event('X').sources({exclude: ['shop']}).count() = 1", someone)
    assert holds("event('X').sources({exclude: ['shop', 'web']}).count() = 0", someone)
    assert holds("event('X').sources({exclude: []}).count() = 3", someone)


def test_documented_cases() -> None:
    first = "event('Shoes Bought').where( property('price') >= 100 ).within(7 days).count() >= 1"
    people = {
        "A": Someone(Shoes_Bought=[entry(1, '{"price": 100}')]),
        "B": Someone(Shoes_Bought=[entry(1, '{"price": 99}')]),
        "C": Someone(Shoes_Bought=[entry(8, '{"price": 500}')]),
    }
    assert [name for name, someone in people.items() if holds(first, someone)] == ["A"]
    second = "NOT ( event('Shoes Bought').count() >= 1 AND trait('total_spend') > 200 )"
    bought = [entry(1)]
    people = {
        "A": Someone('{"total_spend": 300}', Shoes_Bought=bought),
        "B": Someone('{"total_spend": 100}', Shoes_Bought=bought),
        "C": Someone('{"total_spend": 300}'),
    }
    assert [name for name, someone in people.items() if holds(second, someone)] == ["B", "C"]


def test_mentions_are_all_that_a_rule_reads() -> None:
    rule = parse(
        """trait('address.city') = 'Cádiz' AND NOT (event('Cafe\u0301').where(property('a.b') = trait('x')
        OR property('a') != property('c')).within(7 days).count() > event('Y').within(1 day).count()
        AND event('Y').within(2 days).count() = 0) OR event('Y').count() > 1
        AND event('Z').within(1 day).count() = 1"""
    )
    assert rule.mentions == Mentions(
        traits=frozenset({"address", "x"}),
        events={
            "Café": frozenset({("a", "b"), ("a",), ("c",)}),
            "Y": frozenset(),
            "Z": frozenset(),
        },
        reach={"Café": 7 * DAY, "Y": None, "Z": DAY},
    )


def test_reduced_properties_keep_the_mentioned_leaves_and_no_more() -> None:
    properties = {
        "a": {"b": 1, "c": {"d": [1, {"e": 2}], "f": None}},
        "cafe\u0301": {"x": 1},
        "list": [{"x": 1}],
        "\u212aelvin": 5,
        "whole": {"cafe\u0301": 1},
        "rest": 1,
    }

    def reduced(*paths: tuple[str, ...]) -> object:
        return reduce_properties(properties, frozenset(paths))

    assert reduced(("a", "b"), ("a", "c", "d")) == {"a": {"b": 1, "c": {"d": [1, {"e": 2}]}}}
    assert reduced(("a",), ("a", "b")) == {"a": properties["a"]}
    assert reduced(("a", "c", "f"), ("none",), ("rest", "x"), ("list", "x")) == {}
    assert reduced(("list",), ("café", "x"), ("Kelvin",)) == {
        "list": [{"x": 1}],
        "café": {"x": 1},
        "Kelvin": 5,
    }
    assert reduced(("whole",), ("whole", "café")) == {"whole": {"cafe\u0301": 1}}
    assert properties["whole"] == {"cafe\u0301": 1}
    assert reduced() == {}
    assert properties["a"] == {"b": 1, "c": {"d": [1, {"e": 2}], "f": None}}


def test_an_explanation_shows_what_decided() -> None:
    rule = parse(
        "trait('plan') = 5 AND NOT event('X').within(2 days).count() >= 1 OR trait('age') as number > 1"
    )
    someone = Someone('{"plan": "gold", "age": "old"}', X=[entry(3), entry(1), entry(0.5)])
    reason = rule.explain(someone, T)
    assert (reason.holds, reason.until, reason.text) == (False, None, str(rule))
    both, age = reason.reasons
    plan, absence = both.reasons
    assert plan.evidence == 'plan is "gold", a text and not a number'
    assert age.evidence == 'age is "old", which is no number'
    (count,) = absence.reasons
    assert (count.holds, count.until) == (True, T + 1.5 * DAY)
    assert count.evidence == "2 of 3 X events count, the newest at 2025-12-31T22:00:00.000Z"
    assert count.message_ids == ("m0.5", "m1")
    absent = parse("trait('a').exists()").explain(someone, T)
    assert (absent.holds, absent.evidence) == (False, "a is absent")
