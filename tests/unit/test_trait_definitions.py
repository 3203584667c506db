"""Definitions of traits: what is refused, where, and what a reader is told instead."""

from pathlib import Path

import pytest

from cauce.app.definitions import load_definitions
from cauce.app.new_space import make_space
from cauce.app.problems import BadFiles
from cauce.vocabulary.language import compile_traits, parse
from cauce.vocabulary.moment import parse_iso

NOW = parse_iso("2026-03-01T12:00:00Z")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_space(tmp_path / "space", now=NOW)
    return tmp_path / "space/definitions"


def refused(folder: Path, written: str) -> str:
    (folder / "traits/mine.yaml").write_text(written)
    with pytest.raises(BadFiles) as caught:
        load_definitions(folder, ["operations", "marketing"])
    return str(caught.value)


def test_a_circle_is_refused_where_it_closes(folder: Path) -> None:
    said = refused(
        folder,
        """
- name: a
  owner: o
  compute: event('X').where(property('p') > trait('b')).count()
- name: b
  owner: o
  compute: event('X').where(property('p') > trait('a')).count()
""",
    )
    assert "mine.yaml:7:45: The computed trait a is computed from itself: a → b → a." in said
    assert "mine.yaml:4:45: The computed trait b has an error of its own." in said


def test_an_expression_is_refused_at_its_character(folder: Path) -> None:
    said = refused(folder, "name: a\nowner: o\ncompute: event('X').within(90 days).sum()\n")
    assert "mine.yaml:3:37: sum takes a property in its brackets." in said


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("event('X').count() >= 1", "This is a condition; a value is expected here."),
        ("trait('plan')", "A computed trait is a value of events."),
        ("'gold'", "A computed trait is a value of events."),
        ("event('X')", "The events are not counted."),
        ("event('X').expires_after(1 hour).count()", "not supported yet"),
        ("property('x')", "A property belongs to an event."),
    ],
)
def test_only_values_of_events_are_computed(folder: Path, expression: str, expected: str) -> None:
    assert expected in refused(folder, f'name: a\nowner: o\ncompute: "{expression}"\n')


def test_a_trait_is_computed_or_asserted(folder: Path) -> None:
    computed = "name: a\nowner: o\ncompute: event('X').count()\n"
    assert "mine.yaml:4:" in refused(folder, computed + "survivorship: newest\n")
    assert "values has no effect on a computed trait" in refused(folder, computed + "values: text\n")
    assert "values has no effect with union" in refused(
        folder, "name: a\nowner: o\nsurvivorship: union\nvalues: text\n"
    )


def test_a_segment_that_compares_a_computed_trait_with_another_kind_is_refused(folder: Path) -> None:
    (folder / "segments/mine.yaml").write_text("key: s\nowner: o\nrule: trait('a') = 'many'\n")
    said = refused(folder, "name: a\nowner: o\ncompute: event('X').count()\n")
    assert "segments/mine.yaml:3:20: By equals, a text can never stand against a number." in said


def test_a_part_of_a_computed_trait_is_refused(folder: Path) -> None:
    (folder / "segments/mine.yaml").write_text("key: s\nowner: o\nrule: trait('a.b') = 1\n")
    assert "The computed trait a has no parts." in refused(
        folder, "name: a\nowner: o\ncompute: event('X').last('p')\n"
    )


def test_the_expression_stands_in_the_place_of_the_name() -> None:
    compiled = compile_traits({"a": "event('X').within(1 day).sum('p')"})
    assert parse("trait('a') >= 1", compiled.expressions) == parse("event('X').within(1 day).sum('p') >= 1")
    converted = parse("(trait('a') as text) = '1'", compiled.expressions)
    assert converted == parse("(event('X').within(1 day).sum('p') as text) = '1'")
    assert converted.mentions.traits == frozenset()
    assert parse(str(converted)) == converted


def test_expressions_that_grow_beyond_measure_are_refused() -> None:
    texts = {"t0": "event('X').count()"}
    for level in range(1, 12):
        inner = " OR ".join(f"property('p') > trait('t{level - 1}')" for _ in range(3))
        texts[f"t{level}"] = f"event('X').where({inner}).count()"
    errors = {name: error.message for name, error in compile_traits(texts).errors.items()}
    assert set(errors) == {f"t{level}" for level in range(6, 12)}
    assert errors["t6"] == "With computed traits written out there are more than 500 comparisons."
    deep = {"t0": "event('X').count()"} | {
        f"t{level}": f"event('X').where(property('p') > trait('t{level - 1}')).count()"
        for level in range(1, 12)
    }
    assert "More than 8 events" in compile_traits(deep).errors["t9"].message
