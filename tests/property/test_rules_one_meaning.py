"""One rule, one meaning: on one person, on reduced properties, in bulk, and until its verdict ends."""

from contextlib import closing
from functools import cache
from itertools import product
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from cauce.segment.bulk import compute, preview
from cauce.vocabulary.exact import exact
from cauce.vocabulary.language import Rule, compile_traits, parse
from cauce.vocabulary.language.tree import literal_text
from cauce.vocabulary.language.values import INCOMPARABLE, canonical
from cauce.vocabulary.moment import DAY, SECOND, Moment
from tests.property.rule_texts import LENGTHS, about_pairs, accepted, counts, reducers, reductions, rules
from tests.property.rule_worlds import AGES, NOW, Someone, World, pairs, world

PEOPLE = 150
moments = st.sampled_from([Moment(NOW + shift) for shift in (0, 1, -1, SECOND, DAY, -7 * DAY)])
OFFSETS = [sign * length for length in (0, *LENGTHS.values()) for sign in (1, -1)]
EDGES = {NOW - age + offset for age, offset in product(AGES, OFFSETS)}
AROUND_EDGES = sorted({edge + shift for edge in EDGES for shift in (-1, 0, 1)})

examples = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def test_bulk_gives_the_members_that_evaluation_gives() -> None:
    with closing(world(1, PEOPLE)) as made:
        check_bulk(made, rules, count=200)


def test_bulk_compares_every_value_with_every_other_as_evaluation_does() -> None:
    with closing(pairs()) as made:
        check_bulk(made, about_pairs, count=100)


def check_bulk(made: World, texts: SearchStrategy[Rule], count: int) -> None:
    @settings(examples, max_examples=count)
    @given(rule=texts, at=moments)
    def check(rule: Rule, at: Moment) -> None:
        one_by_one = [p for p, someone in made.people.items() if rule.evaluate(someone, at).holds]
        assert preview(rule, at, made.source) == one_by_one

    check()


def test_bulk_reduces_events_to_the_values_that_evaluation_gives() -> None:
    with closing(world(2, 60)) as made:

        @settings(examples, max_examples=200)
        @given(
            text=counts(reducers()), at=moments, chosen=st.integers(1, 60), operator=st.sampled_from("=><")
        )
        def check(text: str, at: Moment, chosen: int, operator: str) -> None:
            trait = compile_traits({"x": text}).traits.get("x")
            value = None if trait is None else trait.value(made.people[chosen], at)
            try:
                shown = None if value is None else literal_text(as_literal(value))
            except TypeError:  # an object, or a list with one
                shown = None
            rule = accepted(f"{text} {operator} {shown}" if shown is not None else f"{text}.absent()")
            if rule is not None:
                one_by_one = [p for p, someone in made.people.items() if rule.evaluate(someone, at).holds]
                if operator == "=" and value is not None and shown is not None and not is_beyond(value):
                    assert chosen in one_by_one
                assert preview(rule, at, made.source) == one_by_one

        check()


def test_bulk_computes_the_values_that_one_person_has() -> None:
    with closing(world(3, 60)) as made:

        @settings(examples, max_examples=150)
        @given(text=reductions(), at=moments)
        def check(text: str, at: Moment) -> None:
            trait = compile_traits({"x": text}).traits.get("x")
            if trait is None:
                return
            found = compute(trait, at, made.source)
            for profile, someone in made.people.items():
                value = trait.value(someone, at)
                if INCOMPARABLE not in canonical(value):
                    assert canonical(found.get(profile)) == canonical(value)

        check()


def as_literal(value: object) -> Any:
    """A value of a rule as the literal of another."""
    if isinstance(value, list):
        return tuple(map(as_literal, value))
    if value is None or isinstance(value, dict):
        raise TypeError
    return value if isinstance(value, bool | str) else exact(value) or 0


def is_beyond(value: object) -> bool:
    """Whether a number beyond 38 digits is in a value: it equals nothing."""
    if isinstance(value, list):
        return any(map(is_beyond, value))
    return not isinstance(value, bool | str) and exact(value) is None


@examples
@given(rule=rules, at=moments, first=st.integers(1, PEOPLE - 30))
def test_reduced_properties_change_no_verdict(rule: Rule, at: Moment, first: int) -> None:
    for profile in range(first, first + 30):
        someone = people()[profile]
        assert rule.evaluate(someone.reduced(rule), at) == rule.evaluate(someone, at)


@examples
@given(rule=rules, at=moments, first=st.integers(1, PEOPLE - 9))
def test_a_verdict_stays_until_its_until(rule: Rule, at: Moment, first: int) -> None:
    for profile in range(first, first + 9):
        someone = people()[profile]
        holds, until = rule.evaluate(someone, at)
        assert until is None or until > at
        for moment in AROUND_EDGES:
            if at < moment and (until is None or moment < until):
                assert rule.evaluate(someone, Moment(moment)).holds is holds, moment


@examples
@given(rule=rules)
def test_a_rule_prints_as_text_that_parses_to_it(rule: Rule) -> None:
    again = parse(str(rule))
    assert again == rule
    assert str(again) == str(rule)
    assert again.mentions == rule.mentions


@examples
@given(rule=rules, at=moments, profile=st.integers(1, PEOPLE))
def test_an_explanation_says_what_the_verdict_says(rule: Rule, at: Moment, profile: int) -> None:
    someone = people()[profile]
    reason = rule.explain(someone, at)
    assert (reason.holds, reason.until) == rule.evaluate(someone, at)
    assert reason.text == str(rule)


@cache
def people() -> dict[int, Someone]:
    with closing(world(1, PEOPLE)) as made:
        return made.people
