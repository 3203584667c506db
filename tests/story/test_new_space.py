"""A space is made, looked at and broken, all without a terminal."""

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.story.command import cauce, succeed


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("story") / "deep" / "space"
    return root, succeed("init", root, "--json").json


@pytest.fixture
def space(made, tmp_path: Path) -> Path:
    """A space of its own for each test that changes something."""
    return Path(shutil.copytree(made[0], tmp_path / "space"))


def test_init_makes_a_space_that_fits(made):
    root, printed = made
    assert printed["space"] == str(root)
    assert printed["source"] == "web"
    assert printed["write_key"].startswith("cauce_write_")
    assert printed["api_key"].startswith("cauce_api_")
    kinds = {file.parent.name for file in root.glob("definitions/*/*")}
    assert kinds == {"sources", "identity", "traits", "segments", "destinations"}
    checked = succeed("definitions", "check", "--space", root, "--json").json
    assert checked["problems"] == []
    assert checked["sources"] == 1
    assert checked["identities"] == 1
    assert checked["segments"] == 2


def test_the_secrets_are_shown_once_and_stored_nowhere(made):
    root, printed = made
    listed = succeed("key", "list", "--space", root, "--json")
    stored = b"".join(file.read_bytes() for file in root.rglob("*") if file.is_file())
    for secret in (printed["write_key"], printed["api_key"]):
        assert secret not in listed.out
        assert secret.encode() not in stored
    assert sorted((key["kind"], key["source"], key["scopes"]) for key in listed.json) == [
        ("api", "", ["define", "read", "write"]),
        ("write", "web", []),
    ]


def test_editors_find_a_schema_that_each_file_fits(made):
    root, _ = made
    for file in root.rglob("*.yaml"):
        first = file.read_text().splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema="), file
        schema = json.loads((file.parent / first.partition("=")[2]).read_text())
        jsonschema.validate(yaml.safe_load(file.read_text()), schema)


def test_the_example_in_the_readme_of_destinations_is_valid(space):
    readme = (space / "definitions/destinations/README.md").read_text()
    (space / "definitions/destinations/crm.yaml").write_text(readme.split("```yaml\n")[1].split("```")[0])
    checked = succeed("definitions", "check", "--space", space, "--json").json
    assert checked["destinations"] == 1


def test_a_folder_with_anything_in_it_is_left_alone(made, tmp_path):
    root, _ = made
    again = cauce("init", root)
    assert (again.code, again.err.splitlines()[0]) == (4, f"Error: {root} is a space already.")
    (tmp_path / "mine.txt").write_text("mine")
    foreign = cauce("init", tmp_path)
    assert foreign.code == 4
    assert "is not empty" in foreign.err
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
    assert cauce("init", tmp_path / "mine.txt").code == 4


def test_a_key_is_issued_for_a_source_that_exists_and_revoked(space):
    issued = succeed("key", "create", "write", "web", "--name", "shop", "--space", space, "--json").json
    assert issued["secret"].startswith("cauce_write_")
    unknown = cauce("key", "create", "write", "wbe", "--space", space)
    assert unknown.code == 3
    assert "Did you mean web?" in unknown.err
    assert cauce("key", "create", "api", "bi", "--scope", "raed", "--space", space).code == 2
    revoked = succeed("key", "revoke", issued["id"], "--space", space, "--json").json
    assert revoked["revoked"] is not None
    assert cauce("key", "revoke", "key_none", "--space", space).code == 3


def test_the_space_comes_from_the_option_the_environment_or_the_folder(made, monkeypatch):
    root, _ = made
    assert succeed("config", "show", "--json", CAUCE_SPACE=str(root)).json
    monkeypatch.chdir(root)
    assert succeed("config", "show", "--json").json
    monkeypatch.chdir(root.parent)
    nowhere = cauce("config", "show")
    assert nowhere.code == 3
    assert "cauce init" in nowhere.err


def test_config_show_says_where_each_value_came_from(space):
    (space / "cauce.yaml").write_text("collector:\n  port: 1234\n")
    rows = succeed("config", "show", "--space", space, "--json", CAUCE_API__PORT="4321").json
    found = {row["setting"]: row for row in rows}
    assert found["collector.port"]["value"] == 1234
    assert found["collector.port"]["origin"] == f"{space}/cauce.yaml:2"
    assert found["api.port"]["origin"] == "environment CAUCE_API__PORT"
    assert found["api.host"] == {
        "setting": "api.host",
        "value": "127.0.0.1",
        "origin": "default",
        "variable": "CAUCE_API__HOST",
    }
    assert "collector.port" in succeed("config", "show", "--space", space).out


def test_all_mistakes_of_all_files_are_told_together(space):
    (space / "definitions/traits/contact.yaml").write_text("name: plan\nownr: x\n")
    (space / "definitions/segments/bad.yaml").write_text("key: bad\nowner: x\nrule: event('a').cuont() > 1\n")
    told = cauce("definitions", "check", "--space", space)
    assert told.code == 2
    assert "traits/contact.yaml:2:1: ownr: unknown key. Did you mean owner?" in told.err
    assert "traits/contact.yaml:1:1: the key owner is missing." in told.err
    assert "segments/bad.yaml:3:" in told.err
    problems = cauce("definitions", "check", "--space", space, "--json").json["problems"]
    assert len(problems) == 3
    assert {problem["line"] for problem in problems} == {1, 2, 3}
    assert cauce("serve", "--space", space).code == 2


def test_a_wrong_setting_is_a_usage_error(space):
    (space / "cauce.yaml").write_text("colector:\n  port: 1\n")
    told = cauce("config", "show", "--space", space)
    assert told.code == 2
    assert "cauce.yaml:1:1: colector: unknown setting. Did you mean collector?" in told.err


def test_schemas_of_another_version_are_noticed_and_renewed(space):
    (space / ".schemas/source.json").write_text("{}")
    findings = {one["check"]: one for one in cauce("doctor", "--space", space, "--json").json}
    assert findings["schemas"]["level"] == "warning"
    assert f"cauce definitions schemas --space {space}" in findings["schemas"]["advice"]
    succeed("definitions", "schemas", "--space", space)
    findings = {one["check"]: one for one in cauce("doctor", "--space", space, "--json").json}
    assert findings["schemas"]["level"] == "ok"


def test_doctor_says_what_is_wrong_and_what_to_do(space):
    (space / "definitions/destinations/crm.yaml").write_text(
        "name: crm\nowner: a\nkind: webhook\nurl: https://crm.example.org/\nsecret: env:NO_SUCH_SECRET\n"
    )
    for key in succeed("key", "list", "--space", space, "--json").json:
        succeed("key", "revoke", key["id"], "--space", space)
    ran = cauce("doctor", "--space", space, "--json")
    findings = {one["check"]: one for one in ran.json}
    assert ran.code == 1
    assert findings["secrets"]["level"] == "error"
    assert "NO_SUCH_SECRET" in findings["secrets"]["advice"]
    assert findings["keys"]["level"] == "warning"
    assert "cauce key create write" in findings["keys"]["advice"]
    assert findings["durability"]["level"] in ("ok", "warning")
    assert "NO_SUCH_SECRET" in cauce("doctor", "--space", space).out


def test_usage_is_told_and_versions_are_printed():
    assert cauce("nothing").code == 2
    assert cauce("config", "show", "--nothing").code == 2
    assert set(succeed("version", "--json").json) == {"cauce", "python", "sqlite"}
