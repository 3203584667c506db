from pathlib import Path

import msgspec
import pytest

from cauce.app.definitions import load_definitions
from cauce.app.misfit import explain_misfit
from cauce.app.problems import BadFiles
from cauce.vocabulary.definitions import SourceKind, SurvivorshipRule
from cauce.vocabulary.identifier import Normalization

PURPOSES = ("operations", "marketing")

WEB = "name: web\nowner: data@example.org\nkind: web\n"
PERSON = """\
name: person
owner: data@example.org
rules:
  purpose: operations
  strength: {web: 3}
  identifiers:
    - {type: user_id, limit: 1}
    - {type: email, limit: 5, normalize: email}
"""
CRM = """\
name: crm
owner: a@example.org
kind: webhook
url: https://crm.example.org/in
secret: env:CRM_SECRET
"""
BUYERS = "key: buyers\nowner: a@example.org\nrule: event('Order Completed').count() >= 1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, {"sources/web.yaml": WEB, "identity/person.yaml": PERSON})
    return tmp_path


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)


def problems(folder: Path, **files: str) -> list[str]:
    write(folder, {f"{kind}/a.yaml": text for kind, text in files.items()})
    with pytest.raises(BadFiles) as refusal:
        load_definitions(folder, PURPOSES)
    return [str(one).replace(f"{folder}/", "") for one in refusal.value.problems]


def test_every_kind_is_read(folder):
    traits = (
        "- {name: plan, owner: a, survivorship: source_priority, sources: [web]}\n- {name: email, owner: a}\n"
    )
    write(
        folder,
        {
            "traits/all.yml": traits,
            "segments/buyers.yaml": BUYERS + "destinations: [crm]\nanonymous: true\n",
            "destinations/crm.yaml": CRM,
            "destinations/README.md": "not read",
            "segments/later.yaml": "# nothing yet\n",
        },
    )
    found = load_definitions(folder, PURPOSES)
    assert found.sources["web"].kind is SourceKind.WEB
    assert list(found.traits) == ["email", "plan"]
    assert found.traits["email"].survivorship is SurvivorshipRule.NEWEST
    assert found.traits["plan"].sources == ("web",)
    assert found.segments["buyers"].destinations == ("crm",)
    assert found.destinations["crm"].secret == "env:CRM_SECRET"
    assert found.ruleset("person")["strength"] == {"web": 3}


def test_strengths_of_sources_complete_the_rules(folder):
    write(folder, {"sources/crm.yaml": "{name: crm, owner: a, kind: server, strength: 7, region: ES}"})
    found = load_definitions(folder, PURPOSES)
    assert found.ruleset("person")["strength"] == {"web": 3, "crm": 7}
    assert found.normalization("person", "crm") == Normalization({"email": "email"}, "ES")
    assert found.normalization("person", "web").region == ""


def test_a_definition_needs_an_owner(folder):
    assert problems(folder, traits="name: plan\n") == [
        "traits/a.yaml:1:1: the key owner is missing. "
        "Who answers for this definition: a person, a team or an address."
    ]


def test_unknown_keys_and_words_name_the_nearest(folder):
    assert problems(folder, traits="- name: plan\n  ownr: a\n  owner: a\n  survivorship: newst\n") == [
        "traits/a.yaml:2:3: ownr: unknown key. Did you mean owner?",
        "traits/a.yaml:4:3: survivorship: invalid enum value 'newst'. Did you mean newest?",
    ]


def test_a_value_of_the_wrong_kind_says_what_the_field_is(folder):
    assert problems(folder, destinations=CRM + "rate: fast\n") == [
        "destinations/a.yaml:6:1: rate: expected `int`, got `str`. The most requests sent per second."
    ]


def test_a_secret_is_never_written_into_a_file(folder):
    [found] = problems(folder, destinations=CRM.replace("env:CRM_SECRET", "hunter2"))
    assert found.startswith("destinations/a.yaml:5:1: secret: expected `str` matching")
    assert "hunter2" not in found


def test_references_are_checked(folder):
    write(folder, {"destinations/crm.yaml": CRM})
    found = problems(
        folder,
        segments=BUYERS + "destinations:\n  - crn\n",
        traits="{name: plan, owner: a, survivorship: source_priority, sources: [wbe]}",
    )
    assert found == [
        "segments/a.yaml:5:5: unknown destination crn. Did you mean crm?",
        "traits/a.yaml:1:65: unknown source wbe. Did you mean web?",
    ]


def test_a_reference_to_a_kind_that_has_nothing_says_where_to_define_it(folder):
    [found] = problems(folder, segments=BUYERS + "destinations: [crm]\n")
    assert found.endswith(
        "unknown destination crm. There is none yet: define it in definitions/destinations."
    )


def test_a_purpose_must_be_declared(folder):
    assert problems(folder, destinations=CRM + "purpose: marketin\n") == [
        "destinations/a.yaml:6:1: unknown purpose marketin. "
        "Did you mean marketing? Purposes are declared in cauce.yaml."
    ]


def test_survivorship_by_source_needs_sources_and_others_have_none(folder):
    found = problems(
        folder,
        traits="- {name: a, owner: a, survivorship: source_priority}\n- {name: b, owner: a, sources: [web]}",
    )
    assert [one.partition(": ")[2] for one in found] == [
        "source_priority needs sources. Add `sources: [best, next best]`.",
        "sources have no effect with newest. Remove them, or write `survivorship: source_priority`.",
    ]


def test_a_name_is_defined_once(folder):
    write(folder, {"segments/b.yaml": BUYERS})
    [found] = problems(folder, segments=BUYERS)
    assert found.startswith(
        "segments/b.yaml:1:1: buyers is defined already. The first is in segments/a.yaml:1"
    )


def test_a_rule_that_does_not_parse_points_at_the_character_in_the_file(folder):
    rule = "rule: |\n  event('Product Added').count() >= 1\n  AND event('Order').cuont() >= 1\n"
    [found] = problems(folder, segments="key: x\nowner: a\n" + rule)
    assert found.startswith("segments/a.yaml:5:")
    column = int(found.split(":")[2])
    line = rule.splitlines()[2]
    assert line[column - 1 :].startswith("cuont")
    caret = next(one for one in found.splitlines() if one.strip() == "^")
    excerpt = found.splitlines()[found.splitlines().index(caret) - 1]
    assert excerpt[caret.index("^") :].startswith("cuont")


def test_identity_rules_are_checked_in_their_place(folder):
    rules = "  purpose: operatons\n  strength: {wbe: 1}\n"
    rules += "  identifiers:\n    - {type: user_id}\n    - {type: user_id}\n"
    write(folder, {"identity/person.yaml": f"name: person\nowner: a\nrules:\n{rules}"})
    found = problems(folder)
    assert [one.partition(" ")[0] for one in found] == [
        "identity/person.yaml:4:3:",
        "identity/person.yaml:5:14:",
        "identity/person.yaml:8:8:",
    ]
    assert "Did you mean operations?" in found[0]
    assert "Did you mean web?" in found[1]
    assert "user_id is listed twice" in found[2]


def test_an_unknown_key_in_identity_rules_names_the_nearest(folder):
    write(folder, {"identity/person.yaml": PERSON.replace("limit: 5", "limt: 5")})
    assert problems(folder) == [
        "identity/person.yaml:8:21: limt: unknown key. Did you mean limit?",
    ]


def test_there_is_exactly_one_identity_view(folder):
    [found] = problems(folder, identity=PERSON.replace("name: person", "name: household"))
    assert found.startswith("identity/a.yaml:1:1: no other identity view than person is supported yet.")
    for file in (folder / "identity").iterdir():
        file.unlink()
    [found] = problems(folder)
    assert found == "identity: there is no view person. Define one: `name: person`."


def test_what_stands_in_the_wrong_folder_is_told(folder):
    write(folder, {"segment/x.yaml": BUYERS, "traits/none.txt": "not read"})
    (folder / "plan.yaml").write_text("name: plan\n")
    assert problems(folder) == [
        "plan.yaml: belongs to no kind. "
        "Move it to one of: sources, identity, traits, segments, destinations.",
        "segment: is no kind of definition. Did you mean segments?",
    ]


def test_broken_yaml_does_not_hide_the_other_problems(folder):
    found = problems(folder, segments="key: [\n", traits="name: plan\n", destinations="7\n")
    assert [one.partition(":")[0] for one in found] == [
        "destinations/a.yaml",
        "segments/a.yaml",
        "traits/a.yaml",
    ]


def test_a_missing_folder_is_told(tmp_path):
    assert "there is no such folder" in problems(tmp_path / "nowhere")[0]


FILE = "name: drop\nowner: a\nkind: file\nfolder: exports/drop\nschedule: daily at 03:00\n"
TABLE = "name: wh\nowner: a\nkind: sql\nurl: env:URL\ntable: crm\n"


def test_destinations_of_every_kind_are_read_by_their_kind(folder):
    write(folder, {"destinations/a.yaml": FILE + "fields: [profile_id, {value: trait.x, name: y}]\n"})
    write(folder, {"destinations/b.yaml": TABLE + "mode: mirror\n", "destinations/c.yaml": CRM})
    found = load_definitions(folder, PURPOSES).destinations
    assert {name: str(one.kind) for name, one in found.items()} == {
        "crm": "webhook",
        "drop": "file",
        "wh": "sql",
    }
    assert [field.column for field in found["drop"].chosen()] == ["profile_id", "y"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            FILE.replace("kind: file", "kind: fil"),
            "a.yaml:3:1: kind: there is no kind fil. Did you mean file?",
        ),
        (FILE.replace("kind: file\n", ""), "a.yaml:1:1: the key kind is missing. Write one of: webhook, "),
        (FILE + "rate: 5\n", "a.yaml:6:1: rate: unknown key. Did you mean format?"),
        (FILE.replace("03:00", "29:00"), "a.yaml:5:1: schedule: there is no time 29:00."),
        (FILE + "fields: [trait.a, identifier.A]\n", "a.yaml:6:19: two fields are called A."),
        (FILE + "fields: [email]\n", "a.yaml:6:10: fields: expected `str` matching regex"),
        (TABLE + "fields: [trait.segment]\n", "a.yaml:6:10: two fields are called segment."),
        (TABLE.replace("env:URL", "sqlite:///x"), "a.yaml:4:1: url: expected `str` matching"),
        (TABLE + "compare: weekly on mnday at 03:00\n", "a.yaml:6:1: compare: there is no day mnday."),
        (CRM + "fields: [segment]\n", "a.yaml:6:10: a webhook tells segment in any case."),
    ],
)
def test_what_is_wrong_in_a_destination_is_told_at_its_place(folder, text, says):
    [found] = problems(folder, destinations=text)
    assert found.startswith(f"destinations/{says}")


def test_a_wrong_value_under_a_name_of_ones_own_is_found():
    """The validator does not say which key of an object has the wrong value."""
    value, type_ = {"a": [{"x": 1}, {"x": 1, "y": "no"}]}, dict[str, list[dict[str, int]]]
    with pytest.raises(msgspec.ValidationError) as wrong:
        msgspec.convert(value, type_)
    assert explain_misfit(wrong.value, value, type_).way == ("a", 1, "y")
