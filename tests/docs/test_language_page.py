"""What the page on the rule language says is so."""

import re
from pathlib import Path

import pytest

from cauce.profile.session import TIMELINE_ENTRIES
from cauce.vocabulary.language import NOT_YET, RuleError, parse
from cauce.vocabulary.language.build import MOST_COMPARISONS
from cauce.vocabulary.language.calls import FILTERS, REDUCERS
from cauce.vocabulary.language.computed import MOST_EXPANDED, MOST_NESTED
from cauce.vocabulary.language.parser import DEEPEST, LONGEST
from cauce.vocabulary.language.tree import SYMBOLS, UNITS, Operator
from tests.unit.rule_people import Someone, holds

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "language.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.split(" | ")] for line in PAGE.split("\n") if line.startswith("| `")]
ROWS = [[row[0].removeprefix("| "), *row[1:-1], row[-1].removesuffix(" |")] for row in ROWS]
TRUTHS = [row for row in ROWS if row[2] in ("yes", "no")]
TABLES = [row for row in ROWS if row not in TRUTHS]
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


def code(cell: str) -> str:
    return cell.strip("`")


@pytest.mark.parametrize(("condition", "value", "expected"), TRUTHS)
def test_the_value_makes_the_condition_hold_or_not(condition: str, value: str, expected: str) -> None:
    assert holds(code(condition), Someone(f'{{"x": {code(value)}}}')) is (expected == "yes")


@pytest.mark.parametrize("row", TABLES, ids=lambda row: row[0])
def test_the_example_uses_what_it_is_an_example_of(row: list[str]) -> None:
    names = [code(name) for name in row[0].split(", ")]
    assert any(f".{name}(" in row[1] or f" {name} " in row[1] for name in names)
    parse(code(row[1]))


def test_every_comparison_filter_and_unit_is_on_the_page() -> None:
    named = {code(name) for row in TABLES for name in row[0].split(", ")}
    assert named == {*map(str, Operator), *SYMBOLS.values(), "==", *FILTERS, *REDUCERS}
    assert all(f"`{unit}s`" in PAGE for unit in UNITS)
    assert f"at most {MOST_COMPARISONS} comparisons, {LONGEST:,} characters and {DEEPEST} open" in PAGE
    assert f"at most {MOST_EXPANDED} comparisons, and events stand at most {MOST_NESTED} deep" in PAGE
    assert f"the newest {TIMELINE_ENTRIES:,} events" in PAGE


@pytest.mark.parametrize(("kind", "text"), BLOCKS)
def test_a_block_is_a_rule_or_an_error(kind: str, text: str) -> None:
    if kind == "rule":
        parse(text)
        return
    rule, _, message = text.partition("\n")
    with pytest.raises(RuleError) as caught:
        parse(rule)
    assert str(caught.value) == message.rstrip()


@pytest.mark.parametrize("name", re.findall(r"`(\w+)`", PAGE[PAGE.index("Not supported yet") :]))
def test_what_is_not_supported_is_refused_as_such(name: str) -> None:
    texts = (f"event('X').{name}(property('a')) > 1", f"{name}(trait('x'), 1) = 1", f"{name} trait('x') = 1")
    codes = set()
    for text in texts:
        with pytest.raises(RuleError) as caught:
            parse(text)
        codes.add(caught.value.code)
    assert NOT_YET in codes
