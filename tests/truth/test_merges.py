"""The demo's rules against the truth: what identity makes of the generated company."""

import random

import pytest

from cauce.identity import simulate
from cauce.vocabulary.moment import parse_iso
from demo.company import generate
from demo.scoring import outcome, score, wrong_profiles
from demo.simulation import observations, policies, rules

UNTIL = parse_iso("2026-06-30T12:00:00Z")


@pytest.fixture(scope="module")
def company():
    return generate(until=UNTIL)


@pytest.fixture(scope="module")
def seen(company):
    return observations(company.records)


@pytest.fixture(scope="module")
def profiles(seen):
    return {name: simulate(policy, seen) for name, policy in policies().items()}


def test_merges_agree_with_the_truth(company, profiles):
    result = score(company.truth, profiles["several e-mails"])
    assert result.precision >= 0.99
    assert result.knowable_recall >= 0.9
    assert result.recall < result.knowable_recall
    assert result.knowable > 2_000


def test_every_scenario_ends_as_expected(company, profiles):
    found = {scenario.id: outcome(scenario, profiles["several e-mails"]) for scenario in company.scenarios}
    assert {
        id_: [sorted(group) for group in one.found] for id_, one in found.items() if not one.as_expected
    } == {}


def test_the_only_wrong_profiles_are_those_that_no_rule_can_know(company, profiles):
    expected = [
        group
        for scenario in company.scenarios
        if not scenario.knowable
        for group in scenario.expected
        if len({company.truth.identifiers[name].owner for name in group}) > 1
    ]
    wrong = wrong_profiles(company.truth, profiles["several e-mails"])
    assert len(wrong) == len(expected) == 2
    assert all(any(group <= members for group in expected) for _, members in wrong)


def test_unique_addresses_tear_people_apart_and_no_limits_mix_them(company, profiles):
    """EM-14: both policies on the same data, side by side with the demo's."""
    scores = {name: score(company.truth, found) for name, found in profiles.items()}
    assert scores["unique e-mail"].precision >= 0.99
    assert scores["unique e-mail"].knowable_recall < scores["several e-mails"].knowable_recall - 0.05
    assert scores["no limits"].precision < 0.8
    (policy_story,) = [scenario for scenario in company.scenarios if scenario.id == "EM-14"]
    assert len(outcome(policy_story, profiles["several e-mails"]).found) == 1
    assert len(outcome(policy_story, profiles["unique e-mail"]).found) == 3


def test_order_and_repeats_change_nothing(seen, profiles):
    rng = random.Random(3)
    shuffled = seen + rng.choices(seen, k=500)
    rng.shuffle(shuffled)
    assert simulate(rules(), shuffled) == profiles["several e-mails"]


@pytest.mark.parametrize("seed", [11, 12])
def test_other_companies_fare_as_well(seed):
    company = generate(until=UNTIL, people=300, seed=seed)
    found = simulate(rules(), observations(company.records))
    result = score(company.truth, found)
    assert result.precision >= 0.99
    assert result.knowable_recall >= 0.9
    assert [s.id for s in company.scenarios if not outcome(s, found).as_expected] == []
