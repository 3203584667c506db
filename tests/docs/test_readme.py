"""What the README tells people to type works, and every rule on a page parses."""

import shutil

import pytest
import yaml

from cauce.vocabulary.language import parse
from cauce.vocabulary.language.tree import Operator
from tests.docs.markdown_blocks import ROOT, Command, blocks, commands, pages
from tests.docs.tutorial_reader import READY, Reader, free_ports
from tests.story.command import succeed
from tests.story.serving import until

README = ROOT / "README.md"


def rules():
    """Every rule on a page: a block of its own, or in a definition."""
    for page in pages():
        for number, block in enumerate(blocks(page)):
            content = yaml.safe_load(block.text) if block.language == "yaml" else None
            text = content.get("rule") if isinstance(content, dict) else None
            if block.language == "rule":
                text = block.text
            if text:
                yield pytest.param(text, id=f"{page.relative_to(ROOT)}:{number}")


def typed(heading):
    """The commands below a heading, with the installed `cauce`; `make setup` is what the tests run in."""
    found = [c for b in blocks(README, heading) if b.language == "console" for c in commands(b)]
    lines = [command.line.replace(".venv/bin/cauce", "cauce") for command in found]
    assert lines[0] == "make setup"
    return lines[1:]


EXPECTED = {
    "curl": '{"success":true}',
    "profile show": "Profile p_",
    "segment preview": "the rule holds for 1.",
    "segment why": "user_id:ann is in recent_buyers",
}


def test_what_is_to_be_typed_works(tmp_path):
    init, copy, serve, *rest = typed("Use it")
    assert (init, serve) == ("cauce init shop", "cauce serve --space shop")
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    ports = dict(zip(("8765", "8766", "9000"), free_ports(3), strict=True))
    with Reader(tmp_path, ports) as reader:
        printed = reader.type(Command(init, []))
        key = next(word for word in printed.split() if word.startswith("cauce_write_"))
        space = tmp_path / "shop"
        reader.type(Command(copy, []))
        reader.type(Command(serve, READY))
        said = {}
        for line in rest:
            wanted = "cauce" in line and "import" not in line
            if wanted:
                until(lambda: succeed("log", "stats", "--json", "--space", space).json["folded"] == 4, line)
            said[line] = reader.type(Command(line.replace("WRITE_KEY", key), []))
    told = {word: next(text for line, text in said.items() if word in line) for word in EXPECTED}
    assert all(text in told[word] for word, text in EXPECTED.items()), told


def test_the_demo_that_is_named_exists():
    demo = [c.line for b in blocks(README, "See it") if b.language == "console" for c in commands(b)]
    assert demo == ["make demo", 'make demo DEMO="--once"']
    assert (ROOT / "demo/__main__.py").is_file()


@pytest.mark.parametrize("rule", list(rules()))
def test_the_rules_on_the_pages_parse(rule):
    mentions = parse(rule).mentions
    assert mentions.traits or mentions.events


def test_rules_are_found_on_the_pages():
    found = {param.id.partition(":")[0] for param in rules()}
    assert found >= {"README.md", "README.es.md", "docs/tutorial.md", "docs/reference/language.md"}


def test_every_comparison_is_on_the_page_of_the_language():
    page = (ROOT / "docs/reference/language.md").read_text(encoding="utf-8")
    assert [name for name in Operator if f"`{name}" not in page] == []
