from pathlib import Path

import pytest

from cauce.app.field_docs import field_sentences
from cauce.app.problems import BadFiles
from cauce.app.settings import Settings, declared, load_settings
from cauce.app.settings_file import settings_file


@pytest.fixture
def load(tmp_path: Path):
    def load(text: str, **environment: str):
        file = tmp_path / "cauce.yaml"
        file.write_text(text)
        return load_settings(file, environment)

    return load


@pytest.fixture
def problems(load, tmp_path: Path):
    def problems(text: str, **environment: str) -> list[str]:
        with pytest.raises(BadFiles) as refusal:
            load(text, **environment)
        return [str(one).removeprefix(f"{tmp_path}/") for one in refusal.value.problems]

    return problems


def test_an_empty_file_means_the_defaults(load):
    loaded = load("")
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}


def test_environment_wins_over_file_and_file_over_default(load, tmp_path):
    loaded = load("collector:\n  port: 1000\n  host: 0.0.0.0\n", CAUCE_COLLECTOR__PORT="2000")
    assert loaded.settings.collector.port == 2000
    assert loaded.settings.collector.host == "0.0.0.0"
    assert loaded.settings.api == Settings().api
    assert loaded.origins["collector.port"] == "environment CAUCE_COLLECTOR__PORT"
    assert loaded.origins["collector.host"] == f"{tmp_path}/cauce.yaml:3"
    assert loaded.origins["api.port"] == "default"


def test_lists_and_fractions_are_read_from_both(load):
    loaded = load(
        "serve:\n  stop_seconds: 0.5\n", CAUCE_PURPOSES="support, care", CAUCE_SERVE__READY_SECONDS="2.5"
    )
    assert loaded.settings.serve.stop_seconds == 0.5
    assert loaded.settings.serve.ready_seconds == 2.5
    assert loaded.settings.purposes == ("support", "care")


def test_everything_wrong_is_told_together_with_its_place_and_the_nearest_name(problems):
    found = problems(
        "colector:\n  port: 1\ncollector:\n  prt: 8\n  port: eighty\nserve: 3\n",
        CAUCE_COLLECTOR__PROT="1",
        CAUCE_API__PORT="99999",
    )
    assert sorted(found) == [
        "CAUCE_API__PORT: expected `int` <= 65535.",
        "CAUCE_COLLECTOR__PROT: sets nothing. Did you mean CAUCE_COLLECTOR__PORT?",
        "cauce.yaml:1:1: colector: unknown setting. Did you mean collector?",
        "cauce.yaml:4:3: prt: unknown setting. Did you mean port?",
        "cauce.yaml:5:3: port: expected `int`, got `str`.",
        "cauce.yaml:6:1: expected settings by name. Write `name: value` below.",
    ]


def test_a_broken_file_is_told_with_its_line(problems):
    [found] = problems("collector:\n  port: [1\n")
    assert found.startswith("cauce.yaml:3:1: ")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(BadFiles, match="there is no such file"):
        load_settings(tmp_path / "cauce.yaml", {})


def test_foreign_variables_are_left_alone(load):
    assert load("", CAUCE_SPACE="here", PATH="/bin", CAUCE="1").settings == Settings()


def test_the_file_of_a_new_space_says_each_default(load):
    uncommented = "\n".join(
        line.replace("# ", "", 1) if _is_value(line) else line for line in settings_file().splitlines()
    )
    loaded = load(uncommented)
    assert loaded.settings == Settings()
    assert "default" not in loaded.origins.values()


def _is_value(line: str) -> bool:
    names = {setting.path[-1] for setting in declared()}
    return line.strip().removeprefix("# ").partition(":")[0] in names and line.strip().startswith("#")


def test_a_new_space_s_file_holds_only_comments_and_sections(load):
    assert set(load(settings_file()).origins.values()) == {"default"}


def test_every_setting_has_a_sentence():
    for setting in declared():
        section = type(getattr(Settings(), setting.path[0])) if len(setting.path) > 1 else Settings
        sentence = field_sentences(section).get(setting.path[-1], "")
        assert sentence.endswith("."), f"{setting.name} has no sentence"
