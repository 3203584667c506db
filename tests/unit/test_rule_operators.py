"""Every comparison, on values of every kind (``language.md`` rules 1 to 8 and the points left open)."""

import pytest

from cauce.vocabulary.language import parse
from tests.unit.rule_people import Someone, entry, holds

# rule, values (JSON) of the trait x for which it holds, values for which it does not
CASES = [
    (
        "trait('x') = 1",
        ["1", "1.0", "1e0", "1.0000000001"],
        ["2", '"1"', "true", "[1]", "null", "1.000000001"],
    ),
    ("trait('x') = 0", ["0", "-0", "-0.0", "0e999999", "1e-999999"], ["0.000000001", "1e999999"]),
    ("trait('x') == 'a'", ['"a"'], ['"A"', '"a "', '["a"]', "null"]),
    ("trait('x').equals(true)", ["true"], ["false", "1", '"true"']),
    ("trait('x') = 'café'", ['"caf\\u00e9"', '"cafe\\u0301"'], ['"cafe"']),
    (
        "trait('x') = [1, 'a']",
        ['[1, "a"]', '[1.0, "a"]'],
        ['["a", 1]', "[1]", '[[1, "a"]]', '[1, "a", null]'],
    ),
    ("trait('x') = 0.1234567895", ["0.123456790", "0.12345678950"], ["0.123456789", "0.1234567905000001"]),
    ("trait('x') = 18446744073709551616", ["18446744073709551616"], ["18446744073709551615"]),
    ("trait('x') != 1", ["2", '"1"', "true", "[1]", "1e40"], ["1", "1.0", "null"]),
    ("trait('x').differs(trait('y'))", ["1", '"z"'], ['"y"', "null"]),
    ("trait('x') != trait('none')", [], ["1", "null"]),
    ("trait('x').absent()", ["null"], ["0", '""', "[]", "{}", "1e40", "false"]),
    ("trait('x').exists()", ["0", '""', "[]", "{}", "1e40", "false"], ["null"]),
    ("trait('x') > 100", ["100.000000001", "1e5"], ["100", '"101"', "true", "null", "1e40", "[101]"]),
    ("trait('x').at_least(100)", ["100", "100.0"], ["99.999999999", '"100"']),
    ("trait('x') < 100", ["99.9", "-1e20"], ["100", "null"]),
    ("trait('x') <= 100", ["100", "0"], ["100.1", '"1"']),
    ("100 < trait('x')", ["101"], ["100", "99"]),
    ("trait('x') > 'b'", ['"c"', '"ba"', '"é"'], ['"b"', '"B"', '"a"', "5"]),
    ("trait('x') > false", ["true"], ["false", "1"]),
    ("trait('x') >= trait('y')", ['"y"', '"z"'], ['"x"', "1000"]),
    ("trait('x').contains('ol')", ['"gold"', '["ol"]'], ['"silver"', '["gold"]', "0", "null"]),
    ("contains(trait('x'), 'a', 'b')", ['"xbx"', '["b", 1]'], ['"c"', '["c"]', "[]", '[["a"]]']),
    ("trait('x').contains(['a', 1])", ['["q", 1.0]', '"a"'], ['"1"', '["1"]']),
    ("trait('x').contains([[1, 2]])", ["[[1, 2]]", "[[1.0, 2]]"], ["[1, 2]", "[[2, 1]]"]),
    ("trait('x').contains('')", ['""', '"a"', '[""]'], ['["a"]', "0"]),
    ("trait('x').omits('a', 'b')", ['"c"', "[]", '["ab"]'], ['"a"', '["b"]', "0", "null", "{}"]),
    ("trait('x').starts_with('go', 'si')", ['"gold"', '"silver"'], ['"old"', '["gold"]', "null"]),
    ("trait('x').ends_with('d')", ['"gold"'], ['"golden"', "null"]),
    ("trait('x').one_of('a', 2)", ['"a"', "2", "2.0"], ['"2"', '["a"]', "null"]),
    ("trait('x').none_of(['a', 2])", ['"b"', '"2"', "[]", "true"], ['"a"', "2", "null"]),
    (
        "trait('x').before_date('2026-01-01')",
        ['"2025-12-31T23:59:59.999999Z"'],
        ['"2026-01-01T00:00:00Z"', "1"],
    ),
    (
        "trait('x').after_date('2026-01-01')",
        ['"2026-01-01T02:00:00+01:00"'],
        ['"2026-01-01"', '"2026-01-01T05:00:00"'],
    ),
    ("trait('x').before_date(trait('due'))", ['"2025-01-01"'], ['"2027-01-01"', '"soon"']),
    (
        "trait('x') as number >= 100",
        ['"100"', "100", '"1e2"', '"100.0"'],
        ['"99"', '" 100"', '"1_00"', "true", '"abc"'],
    ),
    ("trait('x') as text = '1.5'", ['"1.5"', "1.5", "1.500"], ["15", "[1.5]", "null"]),
    ("trait('x') as text = 'true'", ["true", '"true"'], ["false"]),
    ("trait('x') as text = '0'", ["0", "-0.0", '"0"'], ['"-0"', "1e40"]),
    ("trait('x') as time > '2026-01-01' as time", ['"2026-01-01T01:00:00Z"'], ['"2026-01-01"', '"x"', "5"]),
    ("(trait('x') as number).exists()", ["5", '"5"'], ['"x"', "true", "null"]),
    ("(trait('x') as number).absent()", ['"x"', "true", "null"], ["5", '"5"']),
    ("trait('x.y') = 1", ['{"y": 1}'], ['[{"y": 1}]', "1", '{"x": {"y": 1}}']),
    ("trait('x.a\\\\.b') = 1", ['{"a.b": 1}'], ['{"a": {"b": 1}}']),
    ("trait('x.a b') = 1", ['{"a b": 1}'], ["{}"]),
    ("trait('x.caf\u00e9') = 1", ['{"cafe\\u0301": 1}'], ['{"cafe": 1}']),
    ("NOT trait('x') = 1", ["2", "null", '"1"'], ["1"]),
    ("NOT (trait('x') = 1 OR trait('x') = 2)", ["3", "null"], ["1", "2"]),
    ("trait('x') = 1 OR trait('x') = 2 AND trait('y') = 'no'", ["1"], ["2"]),
    ("(trait('x') = 1 OR trait('x') = 2) AND trait('y') = 'no'", [], ["1", "2"]),
    ("trait('x').one_of(event('E').count(), 7)", ["2", "7"], ["1"]),
    ("trait('x') <= event('E').count()", ["2", "1"], ["3", '"1"']),
]
SITUATIONS = [
    (rule, value, expected)
    for rule, yes, no in CASES
    for expected, values in ((True, yes), (False, no))
    for value in values
]


@pytest.mark.parametrize(("rule", "value", "expected"), SITUATIONS)
def test_a_comparison_on_a_value(rule: str, value: str, expected: bool) -> None:
    traits = f'{{"x": {value}, "y": "y", "due": "2026-01-01"}}'
    assert holds(rule, Someone(traits, E=[entry(1), entry(2)])) is expected


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("contains(trait('x'),'a')", "trait('x').contains('a')"),
        ("trait('x').greater_than(5)", "trait('x') > 5"),
        ("5 <= trait('x')", "trait('x') >= 5"),
        ("trait('x') == literal(1.50)", "trait('x') = 1.5"),
        ("trait('x').one_of(['a', ['b']])", "trait('x').one_of('a', [['b']])"),
        ("trait('it\\'s') = 'a\\\\b'", "trait('it\\'s') = 'a\\\\b'"),
        ("NOT trait('x') = 1 AND(trait('y') = 2)", "NOT (trait('x') = 1) AND trait('y') = 2"),
        (
            "event('X').within(48 hours).where(property('a').exists()).count()>=1",
            "event('X').where(property('a').exists()).within(2 days).count() >= 1",
        ),
        (
            "event('X').sources({exclude: 'a', 'b'}).count() = 0",
            "event('X').sources({exclude: ['a', 'b']}).count() = 0",
        ),
        ("trait('x') = 9007199254740993", "trait('x') = 9007199254740993"),
        ("/* a */ trait('x')\n\t= /* b */ 1", "trait('x') = 1"),
    ],
)
def test_a_rule_prints_in_one_way(written: str, printed: str) -> None:
    assert str(parse(written)) == printed
    assert str(parse(printed)) == printed
    assert parse(written) == parse(printed)
    assert hash(parse(written)) == hash(parse(printed))
    assert repr(parse(printed)) == f"parse({printed!r})"


def test_rules_differ_if_their_trees_do() -> None:
    assert parse("trait('x') = 1") != parse("trait('x') = '1'")
    assert parse("trait('x') = 1") != "trait('x') = 1"
