"""Renamed domains and changed forms of addresses: pairs, their evidence, and the way back."""

import json

import pytest
from typer.testing import CliRunner

from cauce.app.cli import app
from cauce.app.domain_rename import CONTRADICTION, JOIN, JOINED, propose_renaming, state_all
from cauce.app.profile_view import view_profile
from cauce.govern.access import Scope
from cauce.identity import default_rules, simulate
from cauce.identity.domain_rename import Pair, pair_up, read_form, statement_id
from cauce.vocabulary.access import OPERATIONS, Viewer
from cauce.vocabulary.errors import InvalidInput, NotAllowed
from cauce.vocabulary.event import Accepted, Call
from cauce.vocabulary.moment import DAY, Moment, to_iso
from tests.property.small_space import ANALYST, applied, closed, defined, folded, space

NOW = Moment(1_780_000_000_000_000)
READ = {"purpose": OPERATIONS, "viewer": ANALYST}

SEEN = [
    {"email": "greg@oldco.example", "cookie": "c1"},
    {"email": "greg@newco.example", "user": "u1"},
    {"email": "ana@oldco.example", "user": "u2"},
    {"email": "ana@newco.example", "user": "u3"},
    {"email": "eva@oldco.example", "user": "u4"},
    {"email": "eva@newco.example", "user": "u4"},
    {"email": "only@oldco.example"},
    {"email": "fresh@newco.example"},
    {"email": "gsmith@firm.example"},
    {"email": "greg.smith@firm.example"},
    {"email": "gina.smith@firm.example"},
    {"email": "mlopez-ruiz@firm.example"},
    {"email": "maria.lopez-ruiz@firm.example"},
]


def accepted(number: int, told: dict[str, str]) -> Accepted:
    body: dict = {"type": "identify", "messageId": f"m{number}", "traits": {"email": told["email"]}}
    body |= {key: told[name] for key, name in (("userId", "user"), ("anonymousId", "cookie")) if name in told}
    time = Moment(NOW + number * DAY)
    return Accepted(
        message_id=f"m{number}",
        time=time,
        call=Call.IDENTIFY,
        name="",
        source="web",
        body=json.dumps(body).encode(),
    )


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory):
    composition = space(tmp_path_factory.mktemp("space"))
    events = [accepted(number, told) for number, told in enumerate(SEEN)]
    composition.log.append(events, [], now=Moment(NOW + 99 * DAY))
    composition = folded(applied(composition, defined(), NOW), Moment(NOW + 99 * DAY))
    yield composition
    closed(composition)


def observations() -> list[dict]:
    found = []
    for number, told in enumerate(SEEN):
        ids = {
            kind: told[name]
            for kind, name in (("user_id", "user"), ("anonymous_id", "cookie"))
            if name in told
        }
        ids["email"] = told["email"]
        found.append({"id": f"m{number}", "ts": to_iso(Moment(NOW + number * DAY)), "ids": ids})
    return found


def test_local_parts_are_joined_across_domains_with_evidence(firm):
    found = propose_renaming(firm, "OldCo.example", "@newco.example", **READ)
    verdicts = {one.pair.old: one.verdict for one in found.pairs}
    assert verdicts == {
        "greg@oldco.example": JOIN,
        "ana@oldco.example": CONTRADICTION,
        "eva@oldco.example": JOINED,
    }
    [greg] = [one for one in found.pairs if one.verdict == JOIN]
    assert (greg.old_events, greg.new_events) == (1, 1)
    assert (greg.old_last, greg.new_first, greg.overlap) == (NOW, Moment(NOW + DAY), False)
    [ana] = [one for one in found.pairs if one.verdict == CONTRADICTION]
    assert ana.contradiction == "user_id"


def test_a_change_of_form_joins_what_is_clear_and_names_what_is_not(firm):
    found = propose_renaming(firm, "firm.example", "firm.example", "{f}{last}:{first}.{last}", **READ)
    assert [one.pair for one in found.pairs] == [
        Pair("mlopez-ruiz@firm.example", "maria.lopez-ruiz@firm.example")
    ]
    assert found.ambiguous == {"gsmith@firm.example": ["gina.smith@firm.example", "greg.smith@firm.example"]}


def test_statements_join_and_their_retraction_restores_what_was(firm):
    found = propose_renaming(firm, "oldco.example", "newco.example", **READ)
    statements = found.statements(NOW)
    assert [one["ids"]["email"] for one in statements] == [["greg@oldco.example", "greg@newco.example"]]
    before = simulate(default_rules(), observations())
    joined = simulate(default_rules(), [*observations(), *statements])
    assert "email:greg@oldco.example" in joined["user_id:u1"]
    assert simulate(default_rules(), [*observations(), *statements, *found.undo(NOW)]) == before


def test_ids_come_from_the_change_and_not_from_the_moment(firm):
    one, again = (propose_renaming(firm, "oldco.example", "newco.example", **READ) for _ in range(2))
    assert [s["id"] for s in one.statements(NOW)] == [s["id"] for s in again.statements(Moment(NOW + 5))]
    other = propose_renaming(firm, "oldco.example", "newco.example", name="second try", **READ)
    assert other.statements(NOW)[0]["id"] != one.statements(NOW)[0]["id"]
    assert statement_id("n", Pair("a", "b")) != statement_id("n", Pair("b", "a"))


def test_the_command_writes_statements_and_their_undoing(firm, tmp_path):
    run = CliRunner().invoke
    call = ["identity", "rename-domain", "oldco.example", "newco.example", "--space", str(firm.space.root)]
    file = tmp_path / "same.jsonl"
    told = run(app, [*call, "--write", str(file)])
    assert told.exit_code == 0, told.output
    assert f"1 statements in {file}." in told.output
    [line] = file.read_text().splitlines()
    assert json.loads(line)["op"] == "same"
    assert run(app, [*call, "--write", str(file)]).exit_code != 0
    undone = json.loads(run(app, [*call, "--undo", "--json"]).output)
    assert json.loads(line)["id"] in undone["statements"][0]["events"]


@pytest.mark.parametrize(
    "form", ["", "{f}{last}", "{f}{last}:{first}", "{x}:{first}.{last}", "{f:{first}.{last}"]
)
def test_a_form_that_says_nothing_is_refused(form):
    with pytest.raises(InvalidInput):
        read_form(form)


@pytest.mark.parametrize(
    ("old", "new"), [("firm", "firm.example"), ("a@b", "c.d"), ("x.example", "x.example")]
)
def test_domains_are_domains(firm, old, new):
    with pytest.raises(InvalidInput):
        propose_renaming(firm, old, new, **READ)


def test_nobody_proposes_without_the_scope(firm):
    with pytest.raises(NotAllowed):
        propose_renaming(
            firm, "a.example", "b.example", purpose=OPERATIONS, viewer=Viewer("x", frozenset({Scope.WRITE}))
        )


def test_signs_in_domains_are_no_patterns(firm):
    assert pair_up(["a@x_y.example", "a@xzy.example"], "x_y.example", "new.example").clear == []
    assert propose_renaming(firm, "%.example", "newco.example", **READ).pairs == []


def test_stated_in_the_log_they_join_people_and_part_them_again(tmp_path):
    composition = space(tmp_path)
    events = [accepted(number, told) for number, told in enumerate(SEEN)]
    late = Moment(NOW + 99 * DAY)
    composition.log.append(events, [], now=late)
    composition = folded(applied(composition, defined(), NOW), late)

    def greg() -> list[str]:
        view = view_profile(composition, "user_id:u1", at=late, **READ)
        return [str(one) for one in view.profile.identifiers]

    before = greg()
    found = propose_renaming(composition, "oldco.example", "newco.example", **READ)
    with pytest.raises(InvalidInput):
        state_all(composition, found.statements(late), " ", now=late, viewer=ANALYST)
    with pytest.raises(NotAllowed):
        reader = Viewer("x", frozenset({Scope.READ}))
        state_all(composition, found.statements(late), "renamed", now=late, viewer=reader)
    stated = state_all(composition, found.statements(late), "renamed", now=late, viewer=ANALYST)
    assert (stated.new, stated.known) == (1, 0)
    composition = folded(composition, late)
    assert "email:greg@oldco.example" in greg()
    again = state_all(composition, found.statements(late), "renamed", now=late, viewer=ANALYST)
    assert (again.new, again.known) == (0, 1)
    now_joined = propose_renaming(composition, "oldco.example", "newco.example", **READ)
    assert {one.verdict for one in now_joined.pairs} == {JOINED, CONTRADICTION}
    state_all(composition, now_joined.undo(late), "a mistake", now=late, viewer=ANALYST)
    composition = folded(composition, late)
    assert greg() == before
    closed(composition)
