"""What reducers make of the values of events, by worked cases (``language.md`` rules 17 to 21)."""

from decimal import Decimal

import pytest

from cauce.vocabulary.exact import decode_json, encode_json
from cauce.vocabulary.language import RuleError, compile_traits, parse
from cauce.vocabulary.moment import DAY, Moment
from tests.unit.rule_people import Someone, T, entry, holds, verdict


def person(*values: str) -> Someone:
    """Somebody with one event X a day, the last one now; the property ``p`` is written as JSON."""
    entries = [
        entry(len(values) - 1 - n, "{}" if value == "-" else f'{{"p": {value}}}')
        for n, value in enumerate(values)
    ]
    return Someone(X=entries)


def value(chain: str, someone: Someone, at: Moment = T) -> str:
    """The value of a chain on event X as JSON text."""
    compiled = compile_traits({"t": f"event('X').{chain}"})
    assert not compiled.errors, compiled.errors
    return encode_json(compiled.traits["t"].value(someone, at)).decode()


CASES = [
    ("count()", [], "0"),
    ("sum('p')", [], "0"),
    ("sum('p')", ['"1"', "-"], "0"),
    ("sum('p')", ["0.1"] * 10, "1"),
    ("sum('p')", ["1", '"2"', "3.5", "true", "-"], "4.5"),
    ("sum(property('p') as number)", ["1", '"2"', "3.5"], "6.5"),
    ("sum('p')", ["99999999999999999999999999999", "1"], "null"),
    ("sum('p')", ["99999999999999999999999999999", "1", "-1"], "99999999999999999999999999999"),
    ("avg('p')", [], "null"),
    ("avg('p')", ["1", "2", '"x"'], "1.5"),
    ("avg('p')", ["1", "1", "2"], "1.333333333"),
    ("avg('p')", ["0.000000001", "0.000000002"], "0.000000002"),
    ("avg('p')", ["0.000000001", "0"], "0"),
    ("avg('p')", ["-0.000000001", "0"], "0"),
    ("avg('p')", ["-0.000000003", "0"], "-0.000000002"),
    ("min('p')", ["3", '"1"', "2.0"], "2"),
    ("max('p')", ['"9"', "2", "10"], "10"),
    ("max('p')", ['"9"'], "null"),
    ("max(property('p') as string)", ['"b"', '"a"', "7", '"B"'], '"b"'),
    ("min(property('p') as string)", ['"b"', '"a"', "7", '"B"'], '"B"'),
    ("max('p' as string)", ['"10"', '"9"'], '"9"'),
    ("first('p')", ["-", "null", "[1]", "2"], "[1]"),
    ("last('p')", ["1", '{"a": 1.50}', "-"], '{"a":1.50}'),
    ("first('p.a')", ["1", '{"a": 5}', '{"a": 6}'], "5"),
    ("mode('p')", ["10", "10", "20"], "10"),
    ("mode('p', 2)", ["10", "20"], "null"),
    ("mode('p', 1)", ["20", "10"], "10"),
    ("mode('p')", ['"a"', '"a"', "1", "1.0", "true", "true"], "true"),
    ("mode('p')", ['"a"', '"a"', "1", "1.0"], "1"),
    ("mode('p')", ["[1]", "[1]", "{}", "{}"], "null"),
    ("unique('p')", [], "[]"),
    ("unique('p')", ['"b"', '["a", "b", 2]', "true", "{}", "2.0", "[[1]]", "null"], '[true,2,"a","b"]'),
]


@pytest.mark.parametrize(("chain", "values", "expected"), CASES)
def test_the_value_of_a_reducer(chain: str, values: list[str], expected: str) -> None:
    assert decode_json(value(chain, person(*values))) == decode_json(expected)


def test_first_and_last_go_by_time_then_received_then_message_id() -> None:
    same = [entry(1, f'{{"p": {n}}}')._replace(received=r, message_id=m) for n, r, m in
            ((1, T, "b"), (2, T, "a"), (3, T - 1, "z"))]  # fmt: skip
    someone = Someone(X=sorted(same, key=lambda e: (e.time, e.received, e.message_id)))
    assert value("first('p')", someone) == "3"
    assert value("last('p')", someone) == "1"


def test_windows_where_and_sources_come_before_the_reducer() -> None:
    someone = Someone(
        X=[
            entry(9, '{"p": 100, "kind": "a"}'),
            entry(2, '{"p": 10, "kind": "a"}'),
            entry(1, '{"p": 5, "kind": "b"}'),
            entry(0.5, '{"p": 3, "kind": "a"}', source="import"),
        ]
    )
    assert value("within(7 days).sum('p')", someone) == "18"
    assert value("where(property('kind') = 'a').within(7 days).sum('p')", someone) == "13"
    assert value("sources({exclude: ['import']}).within(7 days).sum('p')", someone) == "15"
    assert value("between(1 days, 3 days).max('p')", someone) == "10"


def test_a_verdict_ends_when_an_event_leaves_the_window() -> None:
    rule = "event('X').within(7 days).sum('p') >= 15"
    someone = Someone(X=[entry(6, '{"p": 10}'), entry(1, '{"p": 5}')])
    assert verdict(rule, someone) == (True, T + DAY)
    assert not holds(rule, someone, Moment(T + DAY))
    assert verdict(rule.replace(".within(7 days)", ""), someone) == (True, None)


def test_values_are_compared_by_kind() -> None:
    someone = person('"2026-01-01"', '"2025-12-30T10:00:00Z"')
    assert holds("event('X').last('p') = '2025-12-30T10:00:00Z'", someone)
    assert holds("event('X').last('p').within_last(7 days)", someone)
    assert holds("(event('X').last('p') as time).before_date('2026-01-01')", someone)
    assert holds("event('X').unique('p').contains('2026-01-01')", someone)
    assert holds("event('X').max('p').absent() AND event('X').sum('p') = 0", someone)
    assert not holds("event('X').last('p') > 5", someone)


def test_a_relative_time_of_an_event_ends_with_its_window() -> None:
    someone = Someone(X=[entry(0, '{"p": "2026-01-01T09:00:00Z"}')])
    rule = "event('X').within(1 day).last('p').before_last(30 minutes)"
    assert verdict(rule, someone) == (True, T + DAY)


def test_a_reduction_may_stand_in_the_where_of_another() -> None:
    someone = Someone(X=[entry(3, '{"p": 10}'), entry(2, '{"p": 20}'), entry(1, '{"p": 60}')])
    assert holds("event('X').where(property('p') > event('X').avg('p')).count() = 1", someone)
    recent = "event('X').where(property('p') > event('X').within(3 days).avg('p')).count() = 1"
    assert verdict(recent, someone) == (True, T + DAY)
    assert not holds(recent, someone, Moment(T + DAY))


@pytest.mark.parametrize(
    ("rule", "column", "said"),
    [
        ("event('X').sum() > 1", 12, "sum takes a property"),
        ("event('X').sum(1) > 1", 16, "name of a property"),
        ("event('X').sum('p', 2) > 1", 12, "sum takes a property"),
        ("event('X').mode('p', 'x') > 1", 22, "whole number"),
        ("event('X').mode('p', 0) > 1", 22, "whole number"),
        ("event('X').count('p') > 1", 12, "count takes nothing"),
        ("event('X').sum('p' as time) > 1", 23, "no values as time"),
        ("event('X').first('p' as number) = 1", 25, "as they are"),
        ("event('X').sum('p').within(1 day) > 1", 21, "cannot follow sum"),
        ("event('X').sum('p') = 'x'", 23, "can never stand against"),
        ("event('X').unique('p') = 'x'", 26, "can never stand against"),
        ("event('X').mode('p') = ['x']", 24, "can never stand against"),
        ("event('X').max(property('p') as string) > 5", 43, "can never stand against"),
        ("(event('X').sum('p') as number) > 5", 25, "needs no conversion"),
        ("(event('X').unique('p') as text) = 'x'", 28, "never becomes"),
        ("event('X').summ('p') > 5", 12, "no function summ"),
    ],
)
def test_what_has_no_meaning_is_refused_at_its_character(rule: str, column: int, said: str) -> None:
    with pytest.raises(RuleError, match=said) as caught:
        parse(rule)
    assert caught.value.column == column


def test_the_explanation_names_the_events_the_value_comes_from() -> None:
    someone = person("1", '"x"', "7")
    reason = parse("event('X').max('p') >= 5").explain(someone, T)
    assert reason.message_ids == ("m0",)
    assert reason.evidence.startswith("max of p is 7: 3 of 3 X events count, the newest at ")
    assert reason.evidence.endswith("1 of them without a value of that kind")
    assert parse("event('X').sum('p') >= 5").explain(someone, T).message_ids == ("m0", "m2")


def test_sums_are_decimal() -> None:
    assert parse("event('X').sum('p') = 0.3") == parse("event('X').sum(property('p')) = 0.3")
    assert holds("event('X').sum('p') = 0.3", person("0.1", "0.2"))
    assert Decimal(value("sum('p')", person("0.1", "0.2"))) == Decimal("0.3")
