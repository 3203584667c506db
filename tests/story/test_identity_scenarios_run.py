"""`cauce identity scenarios` as it is typed, and as a test of one's own rules in CI."""

import shutil
from pathlib import Path

from tests.story.command import cauce, succeed

EXAMPLES = Path(__file__).parents[2] / "examples" / "identity"
OWN, POLICIES = EXAMPLES / "own_scenarios.yaml", EXAMPLES / "policies"


def test_the_matrix_is_printed(tmp_path):
    shown = succeed("identity", "scenarios", "--space", tmp_path).out
    for number in range(1, 15):
        assert f"EM-{number:02} " in shown
    told = succeed("identity", "scenarios", "--space", tmp_path, "--json").json
    names = [one["name"] for one in told["policies"]]
    assert names == ["unique e-mail", "several e-mails", "e-mail and address", "probabilistic"]
    second = next(one for one in told["scenarios"] if one["id"] == "EM-02")["outcomes"]
    assert not second["several e-mails"]["right"] and second["e-mail and address"]["right"]
    [asked] = second["e-mail and address"]["answers"]
    assert (asked["answer"], asked["truth"], asked["right"]) == ("yes", "yes", True)


def test_scenarios_and_policies_of_ones_own_fail_like_tests(tmp_path):
    run = ("identity", "scenarios", OWN, "--space", tmp_path)
    assert "right (2)" in succeed(*run, "--policy", POLICIES).out
    unknown = cauce(*run)
    assert unknown.code == 2
    assert f"{OWN}:14:" in unknown.err and "no_offices: there is no such policy" in unknown.err
    policies = Path(shutil.copytree(POLICIES, tmp_path / "policies"))
    policy = policies / "no_offices.yaml"
    policy.write_text(policy.read_text().replace("(info|", "("))
    failed = cauce(*run, "--policy", policies)
    assert failed.code == 1
    assert "an office orders, no_offices: the people are mixed, expected right" in failed.out
    assert cauce(*run, "--policy", policies, "--json").code == 1


def test_the_views_of_the_space_are_policies(tmp_path):
    space = tmp_path / "space"
    succeed("init", space)
    told = succeed("identity", "scenarios", "--space", space, "--json").json
    assert told["policies"][-1] == {"name": "person", "needs": None}
    twelve = next(one for one in told["scenarios"] if one["id"] == "EM-12")
    assert twelve["outcomes"]["person"]["verdict"] == "right"
    rules = space / "definitions" / "identity" / "person.yaml"
    rules.write_text(rules.read_text().replace("limit: 5", "limit: 1"))
    told = succeed("identity", "scenarios", "--space", space, "--json").json
    twelve = next(one for one in told["scenarios"] if one["id"] == "EM-12")
    assert twelve["outcomes"]["person"]["verdict"] == "apart"
