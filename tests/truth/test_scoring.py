"""Scoring against hand-counted pairs."""

import pytest

from demo.scenario import Kind, Scenario, group
from demo.scoring import outcome, score, true_groups, verdict, wrong_profiles
from demo.truth import Owned, Truth


def owned(owner, kind=Kind.OWN):
    return Owned(kind, frozenset({owner} if owner else {1, 2}), owner)


TRUTH = Truth(
    identifiers={
        "user_id:1": owned(1),
        "email:a": owned(1),
        "email:b": owned(1),
        "user_id:2": owned(2),
        "email:c": owned(2),
        "email:junk": owned(None, Kind.NOBODY),
    },
    events={},
    knowable={
        "user_id:1": "user_id:1",
        "email:a": "user_id:1",
        "email:b": "email:b",
        "user_id:2": "user_id:2",
        "email:c": "user_id:2",
        "email:junk": "email:junk",
    },
)


def test_what_rules_can_know_is_full_recall_and_the_rest_is_counted_apart():
    result = score(TRUTH, {"p": ["user_id:1", "email:a"], "q": ["email:b"], "r": ["user_id:2", "email:c"]})
    assert (result.joined, result.joined_true, result.true, result.knowable) == (2, 2, 4, 2)
    assert (result.precision, result.recall, result.knowable_recall) == (1.0, 0.5, 1.0)


def test_a_wrong_merge_costs_precision():
    profiles = {"p": ["user_id:1", "email:a", "email:c"], "q": ["user_id:2"], "r": ["email:b"]}
    result = score(TRUTH, profiles)
    assert (result.joined, result.joined_true, result.knowable_joined) == (3, 1, 1)
    assert result.precision == pytest.approx(1 / 3)
    assert result.knowable_recall == 0.5
    assert wrong_profiles(TRUTH, profiles) == [("p", frozenset({"user_id:1", "email:a", "email:c"}))]


def test_junk_joined_to_anybody_is_wrong_and_absent_junk_is_right():
    joined = {"p": ["user_id:1", "email:junk"]}
    assert score(TRUTH, joined).precision == 0.0
    assert wrong_profiles(TRUTH, joined) == [("p", frozenset({"user_id:1", "email:junk"}))]
    assert score(TRUTH, {"p": ["user_id:1"]}).precision == 1.0
    assert wrong_profiles(TRUTH, {"p": ["email:junk"]}) == []


def test_identifiers_in_no_profile_stand_alone():
    result = score(TRUTH, {})
    assert (result.joined, result.precision, result.recall) == (0, 1.0, 0.0)


def test_an_identifier_that_the_truth_does_not_know_is_refused():
    with pytest.raises(KeyError, match="email:nobody"):
        score(TRUTH, {"p": ["email:nobody"]})


def test_a_scenario_asks_only_about_its_own_identifiers():
    scenario = Scenario(
        id="T-1",
        title="two",
        people=("A", "B"),
        expected=(group("user_id:1", "email:a"), group("user_id:2")),
        absent=frozenset({"email:junk"}),
    )
    right = {"p": ["user_id:1", "email:a", "email:b"], "q": ["user_id:2", "email:c"]}
    assert outcome(scenario, right).as_expected
    assert outcome(scenario, right).found == (group("email:a", "user_id:1"), group("user_id:2"))
    assert not outcome(scenario, {"p": ["user_id:1", "email:a", "user_id:2"]}).as_expected
    assert not outcome(scenario, right | {"j": ["email:junk"]}).as_expected


def test_a_verdict_counts_persons_and_compares_with_the_truth():
    scenario = Scenario(
        id="T-2",
        title="one person known apart",
        people=("A",),
        expected=(group("user_id:1", "email:a"), group("email:b")),
        absent=frozenset({"email:junk"}),
        knowable=False,
        why="nothing connects them",
    )
    assert true_groups(scenario, TRUTH) == {
        frozenset({"user_id:1", "email:a", "email:b"}),
        frozenset({"email:junk"}),
    }
    assert verdict(scenario, TRUTH, {"p": ["user_id:1", "email:a"], "q": ["email:b"]}) == (2, False)
    assert verdict(scenario, TRUTH, {"p": ["user_id:1", "email:a", "email:b"]}) == (1, True)
    assert verdict(scenario, TRUTH, {"p": ["user_id:1", "email:a", "email:b", "email:junk"]}) == (1, False)
    assert verdict(scenario, TRUTH, {"p": ["user_id:1", "email:a", "email:b"], "j": ["email:junk"]}) == (
        1,
        True,
    )
