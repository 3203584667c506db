"""The reference and the schemas say what the code says, and nothing is left out of them."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from cauce.app.exit_codes import EXIT_CODES
from cauce.app.reference import reference_files
from cauce.app.schemas import KINDS, schema_files
from cauce.app.settings import declared
from cauce.app.settings_file import settings_file
from cauce.app.space import TEMPLATE
from cauce.vocabulary.errors import CauceError
from cauce.vocabulary.exact import decode_json

ROOT = Path(__file__).parents[2]
FILES = reference_files()
COMMANDS = (
    "init",
    "serve",
    "import",
    "profile show",
    "segment preview",
    "segment members",
    "segment why",
    "log show",
    "config show",
    "doctor",
    "identity simulate",
    "key revoke",
    "delivery replay",
)


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_file_in_the_repository_is_made_from_the_code_as_it_is(name):
    file = ROOT / name
    written = file.read_text(encoding="utf-8") if file.is_file() else ""
    assert written == FILES[name], "run: python -m cauce.app.reference ."


def test_every_setting_and_variable_is_on_the_page():
    page = FILES["docs/reference/settings.md"]
    for setting in declared():
        assert f"| `{setting.name}` |" in page
        assert f"| `{setting.variable}` |" in page


def test_every_family_has_an_exit_code():
    assert set(CauceError.__subclasses__()) >= set(EXIT_CODES)
    families = {one for one in CauceError.__subclasses__() if one.__module__ == "cauce.vocabulary.errors"}
    assert families == set(EXIT_CODES)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_are_on_the_page(command):
    assert f"## `cauce {command}`" in FILES["docs/reference/cli.md"]


def test_no_command_is_without_help():
    page = FILES["docs/reference/cli.md"]
    for block in page.split("\n## `")[1:]:
        assert block.splitlines()[2].endswith("."), block.splitlines()[0]
        assert "|  |\n" not in block, block.splitlines()[0]


def schema(name: str) -> dict:
    return decode_json(schema_files()[name])


@pytest.mark.parametrize("name", sorted(schema_files()))
def test_schemas_are_valid_and_refuse_what_is_unknown(name):
    jsonschema.Draft202012Validator.check_schema(schema(name))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"nothing": 1}, schema(name))


@pytest.mark.parametrize("file", sorted(TEMPLATE.rglob("*.yaml")), ids=lambda file: file.stem)
def test_the_schemas_take_the_examples(file):
    kind = dict(zip(("sources", "identity", "traits", "segments", "destinations"), KINDS, strict=True))
    jsonschema.validate(yaml.safe_load(file.read_text()), schema(f"{kind[file.parent.name]}.json"))


def test_the_settings_schema_takes_the_settings_file_and_knows_ranges():
    jsonschema.validate(yaml.safe_load(settings_file()), schema("settings.json"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"api": {"port": 70_000}}, schema("settings.json"))
