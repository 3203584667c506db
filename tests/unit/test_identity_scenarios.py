"""Scenarios: what a policy makes of people whose truth is known, with and without doubt."""

from pathlib import Path

import jsonschema
import pytest

from cauce.app.problems import BadFiles
from cauce.app.scenario_files import BUILT_IN_SCENARIOS, read_policies, read_scenarios
from cauce.app.scenario_matching import DECLARED_MODEL, find_matcher
from cauce.app.schemas import schema_files
from cauce.identity.scenario_policies import (
    ADDRESS,
    BUILT_IN,
    PROBABILISTIC,
    SEVERAL,
    UNIQUE,
    Pair,
    ScenarioPolicy,
    built_in_policies,
)
from cauce.identity.scenario_run import run
from cauce.identity.scenarios import Answer, Asked, Mailbox, Scenario, Told, Verdict
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.yaml_lines import load_yaml

EXAMPLES = Path(__file__).parents[2] / "examples" / "identity"
POLICIES = {one.name: one for one in built_in_policies(*find_matcher(None))}
BUILT_IN_FILES = read_scenarios([BUILT_IN_SCENARIOS], BUILT_IN)


class Names:
    """A matcher for tests: records of one last name and first name are alike, by as much as they say."""

    join, candidate = 10.0, 0.0

    def pairs(self, records):
        found = []
        for two, later in enumerate(records):
            for one, earlier in enumerate(records[:two]):
                if later.get("last_name") and later["last_name"] == earlier.get("last_name"):
                    weight = (
                        float(later.get("weight", 0))
                        if later["first_name"] == earlier["first_name"]
                        else -1.0
                    )
                    found.append(Pair(one, two, weight))
        return [pair for pair in found if pair.weight >= self.candidate]


def scenario(*events, people, **more):
    told = [Told(ts=place, **event) for place, event in enumerate(events, 1)]
    return Scenario(id="s", owner="o", title="t", events=told, people=people, **more)


GREG = ("email:old@x", "email:new@x", "anonymous_id:c")
JOB = (
    {"event": "Attended", "ids": {"email": "old@x"}, "traits": {"first_name": "Greg", "last_name": "Smith"}},
    {"ids": {"anonymous_id": "c"}},
    {"ids": {"anonymous_id": "c", "email": "new@x"}, "traits": {"first_name": "Greg", "last_name": "Smith"}},
)


def with_names(weight=None):
    policy = ScenarioPolicy("names", POLICIES[SEVERAL].rules, Names())
    events = [dict(event) for event in JOB]
    if weight is not None:
        events[2] = {**events[2], "traits": {**events[2]["traits"], "weight": weight}}
    asked = [Asked(did="Attended", who=GREG[2])]
    return run(scenario(*events, people={"Greg": list(GREG)}, questions=asked), policy)


def test_what_is_not_known_is_unknown_with_a_candidate_and_no_without():
    plain = run(
        scenario(*JOB, people={"Greg": list(GREG)}, questions=[Asked(did="Attended", who=GREG[2])]),
        POLICIES[SEVERAL],
    )
    assert (plain.verdict, plain.answers[0]) == (Verdict.APART, (Answer.NO, Answer.YES))
    doubtful = with_names()
    assert (doubtful.verdict, doubtful.answers[0].answer) == (Verdict.UNKNOWN, Answer.UNKNOWN)
    assert doubtful.doubts == [["email:new@x", "email:old@x"]]


def test_above_the_threshold_the_two_are_one():
    joined = with_names(weight=12)
    assert (joined.verdict, joined.answers[0].answer, joined.doubts) == (Verdict.RIGHT, Answer.YES, [])
    assert joined.groups == [sorted(GREG)]


def test_no_weight_is_above_a_limit_or_a_never():
    traits = {"first_name": "Ann", "last_name": "Lee", "weight": 99}
    two = [{"ids": {"user_id": name}, "traits": traits} for name in ("u1", "u2")]
    people = {"Ann": ["user_id:u1"], "Anna": ["user_id:u2"]}
    found = run(scenario(*two, people=people), ScenarioPolicy("names", POLICIES[SEVERAL].rules, Names()))
    assert (found.verdict, found.doubts) == (Verdict.RIGHT, [["user_id:u1", "user_id:u2"]])
    mails = [{"ids": {"email": name}, "traits": traits} for name in ("a@x", "b@x")]
    never = {"op": "never", "ids": {"email": ["a@x", "b@x"]}}
    people = {"Ann": ["email:a@x"], "Anna": ["email:b@x"]}
    kept = run(scenario(*mails, never, people=people), ScenarioPolicy("n", POLICIES[SEVERAL].rules, Names()))
    assert kept.verdict is Verdict.RIGHT


@pytest.mark.parametrize(
    "policy, verdict", [(UNIQUE, Verdict.APART), (SEVERAL, Verdict.MIXED), (ADDRESS, Verdict.MIXED)]
)
def test_apart_and_mixed(policy, verdict):
    fourteen = next(one.scenario for one in BUILT_IN_FILES if one.scenario.id == "EM-14")
    assert run(fourteen, POLICIES[policy]).verdict is verdict


def test_an_identifier_of_nobody_must_join_and_steal_nothing():
    event = {"ids": {"user_id": "u1", "email": "info@x"}}
    people = {"Ann": ["user_id:u1"]}
    assert run(scenario(event, people=people), POLICIES[SEVERAL]).verdict is Verdict.RIGHT
    stolen = run(scenario(event, people=people, nobody=["email:info@x"]), POLICIES[SEVERAL])
    assert stolen.verdict is Verdict.MIXED


def test_expectations_that_fail_are_told():
    wrong = scenario(
        *JOB,
        people={"Greg": list(GREG)},
        expect={SEVERAL: Verdict.RIGHT},
        questions=[Asked(did="Attended", who=GREG[2], expect={SEVERAL: Answer.UNKNOWN})],
        addresses=[Mailbox(address="old@x", dead=True)],
    )
    assert run(wrong, POLICIES[SEVERAL]).unexpected == [
        "the people are apart, expected right",
        "Attended of anonymous_id:c: no, expected unknown",
        "old@x: dead is no, expected yes",
    ]


CHANGE = {
    "event": "Email Address Changed",
    "ids": {"user_id": "u"},
    "properties": {"from": "a@x", "to": "b@x"},
}


@pytest.mark.parametrize(
    "later, expected",
    [
        ([], {"superseded_by": "b@x"}),
        ([{"ts": 1}], {"superseded_by": "b@x", "kept_out": True}),
        ([{"ts": 9}], {}),
        ([{"ts": 9, "event": "Email Bounced"}], {"superseded_by": "b@x", "dead": True}),
        ([{"ts": 8, "event": "Email Bounced"}, {"ts": 9, "event": "Email Opened"}], {"superseded_by": "b@x"}),
    ],
)
def test_a_superseded_address_comes_back_by_a_newer_time_only(later, expected):
    first = Told(ts=1, ids={"user_id": "u", "email": "a@x"})
    more = [Told(id=f"again {n}", ids={"user_id": "u", "email": "a@x"}, **one) for n, one in enumerate(later)]
    told = Scenario(
        id="s", owner="o", title="t", events=[first, Told(ts=5, **CHANGE), *more],
        people={"Ann": ["user_id:u"]}, addresses=[Mailbox(address="a@x", **expected)],
    )  # fmt: skip
    assert run(told, POLICIES[SEVERAL]).unexpected == []


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("one", BUILT_IN_FILES, ids=lambda one: one.scenario.id)
def test_the_scenarios_of_everybody_come_out_as_expected(one, name):
    assert name in one.scenario.expect
    assert run(one.scenario, POLICIES[name]).unexpected == []


def test_all_fourteen_are_there():
    names = {one.scenario.id.partition(" ")[0] for one in BUILT_IN_FILES}
    assert names == {f"EM-{number:02}" for number in range(1, 15)}
    assert all(one.scenario.owner and one.scenario.title for one in BUILT_IN_FILES)


@pytest.mark.parametrize(
    "path", sorted(set(EXAMPLES.rglob("*.yaml")) - {DECLARED_MODEL}), ids=lambda path: path.name
)
def test_the_examples_fit_their_schema(path):
    kind = "identity" if path.parent.name == "policies" else "scenario"
    jsonschema.Draft202012Validator(decode_json(schema_files()[f"{kind}.json"].encode())).validate(
        load_yaml(path).value
    )


def test_father_and_daughter_at_one_address_are_not_one_by_weight():
    home = {"street": "Main St 1", "zip": "12345", "city": "Springfield"}
    family = [
        {"ids": {"email": f"{name}@home.example"}, "traits": {"name": f"{name} Lee", **home}}
        for name in ("Ann", "Bob")
    ]
    again = {"ids": {"email": "ann@work.example"}, "traits": {"name": "LEE, Ann", **home}}
    people = {"Ann": ["email:ann@home.example", "email:ann@work.example"], "Bob": ["email:bob@home.example"]}
    for events in ([*family, again], [again, *family[::-1]]):
        found = run(scenario(*events, people=people), POLICIES[PROBABILISTIC])
        assert (found.verdict, found.doubts) == (Verdict.RIGHT, [])


def test_records_that_say_nothing_match_nobody():
    matcher, _ = find_matcher(None)
    assert matcher is not None
    assert matcher.pairs([]) == matcher.pairs([{"name": "Ann Lee"}]) == []
    assert matcher.pairs([{"name": ""}, {"name": None, "x": [1]}, {}]) == []


GOOD = """\
id: one
owner: me
title: two
events:
  - {ts: 1, event: Attended, ids: {email: a@x}}
people:
  Ann: ["email:a@x"]
questions:
  - {did: Attended, who: "email:a@x", expect: {unique e-mail: yes}}
"""


@pytest.mark.parametrize(
    "old, new, line, message",
    [
        ("owner: me", "ownr: me", 2, "ownr: unknown key. Did you mean owner?"),
        ("owner: me\n", "", 1, "the key owner is missing."),
        ("ids:", "idss:", 5, "idss: unknown key. Did you mean ids?"),
        ("ts: 1", "ts: soon", 5, "ts names no moment."),
        ("ts: 1", "ts: 1, op: sane", 5, "op: invalid enum value 'sane'. Did you mean same?"),
        ("ts: 1", "ts: 1, op: same", 5, "same is about two identifiers."),
        ("Ann: [\"email:a@x\"]", "Ann: [\"email:b@x\"]", 7,
         "no event carries email:b@x. Did you mean email:a@x?"),
        ("Ann: [\"email:a@x\"]", "Ann: [a@x]", 7, "expected `str` matching regex"),
        ("did: Attended", "did: Atended", 9, "no event of this scenario is Atended. Did you mean Attended?"),
        ("unique e-mail", "uniqe e-mail", 9,
         "uniqe e-mail: there is no such policy. Did you mean unique e-mail?"),
        (": yes}", ": perhaps}", 9, "invalid enum value 'perhaps'."),
        ("  - {ts: 1", "  - {ts: 1, ids: {email: b@x}}\n  - {ts: 1", 5, ""),
    ],
)  # fmt: skip
def test_errors_name_file_line_and_the_nearest_name(tmp_path, old, new, line, message):
    path = tmp_path / "s.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    if not message:  # another event of no harm
        assert len(read_scenarios([path], BUILT_IN)) == 1
        return
    with pytest.raises(BadFiles) as wrong:
        read_scenarios([path], BUILT_IN)
    assert f"{path}:{line}:" in wrong.value.message
    assert message in wrong.value.message


def test_further_errors_of_files(tmp_path):
    path = tmp_path / "s.yaml"
    one = GOOD.replace("\n", "\n  ").strip()
    path.write_text(f"- {one}\n- {one}\n")
    with pytest.raises(BadFiles, match=r"there is a scenario one already\. The first is in .*:1"):
        read_scenarios([path], BUILT_IN)
    path.write_text(GOOD.replace("people:", 'people:\n  Bob: ["email:a@x"]'))
    with pytest.raises(BadFiles, match="email:a@x is also of Bob"):
        read_scenarios([path], BUILT_IN)
    for text, message in (
        ("", "the file is empty"),
        ("- 7", "expected keys and values"),
        ("a: [", "s.yaml:1"),
    ):
        path.write_text(text)
        with pytest.raises(BadFiles, match=message):
            read_scenarios([path], BUILT_IN)
    with pytest.raises(BadFiles, match="no such file"):
        read_scenarios([tmp_path / "absent.yaml"], BUILT_IN)


def test_policies_are_identity_definitions(tmp_path):
    assert [one.name for one in read_policies([EXAMPLES / "policies"])] == ["household", "no_offices"]
    path = tmp_path / "p.yaml"
    for rules, message in (
        ("{identifiers: [{type: email, limt: 1}]}", "Did you mean limit?"),
        ("{identifiers: [{type: email, limit: 0}]}", ">= 1"),
    ):
        path.write_text(f"name: mine\nowner: me\nrules: {rules}\n")
        with pytest.raises(BadFiles) as wrong:
            read_policies([path])
        assert f"{path}:3:" in wrong.value.message and message in wrong.value.message
    path.write_text("name: probabilistic\nowner: me\nrules: {identifiers: [{type: email}]}\n")
    with pytest.raises(BadFiles, match="there is a policy probabilistic already"):
        read_policies([path])
