"""The destinations on the how-to pages are valid, and the pages say what the code does."""

import pytest

from cauce.activate.harmless import harmless
from cauce.activate.schedule import read_schedule
from cauce.app.definitions import load_definitions
from cauce.app.space import TEMPLATE
from tests.docs.markdown_blocks import ROOT, blocks

PAGES = ROOT / "docs/how-to"
PURPOSES = ("operations", "marketing")


@pytest.mark.parametrize(
    ("page", "kind"), [("files.md", "file"), ("sql-tables.md", "sql"), ("webhooks.md", "webhook")]
)
def test_the_definition_of_a_page_is_valid(tmp_path, page, kind):
    (text,) = [block.text for block in blocks(PAGES / page) if block.language == "yaml"]
    folder = tmp_path / "definitions"
    (folder / "destinations").mkdir(parents=True)
    (folder / "identity").mkdir()
    (folder / "identity/person.yaml").write_text((TEMPLATE / "identity/person.yaml").read_text())
    (folder / "destinations/one.yaml").write_text(text)
    (found,) = load_definitions(folder, PURPOSES).destinations.values()
    assert str(found.kind) == kind


def test_every_schedule_and_cell_on_the_page_is_one():
    text = (PAGES / "files.md").read_text()
    rows = [
        line
        for line in text.splitlines()
        if line.startswith(("| `every", "| `daily", "| `weekly", "| `monthly"))
    ]
    schedules = [part for row in rows for part in row.split("|")[1].split("`")[1::2]]
    assert len(schedules) == 7
    for schedule in schedules:
        read_schedule(schedule)
    assert harmless("=1+1") == "'=1+1" and "`'=1+1`" in text
    for number in ("-5", "+34600000000"):
        assert harmless(number) == number and f"`{number}`" in text
