"""The page on matching: its commands do what they show, and its table is there for every data set."""

from pathlib import Path

import pytest

from tests.docs.markdown_blocks import blocks, commands
from tests.docs.match_figures import BEGIN, END, PAGE, data
from tests.docs.tutorial_reader import Reader, free_ports


def test_records_are_matched_as_the_page_says(tmp_path: Path) -> None:
    ports = dict(zip(("8765", "8766", "9000"), free_ports(3), strict=True))
    with Reader(tmp_path, ports) as reader:
        for block in blocks(PAGE):
            if block.file:
                reader.write(block.file, block.text)
            elif block.language == "console":
                for command in commands(block):
                    reader.type(command)


def test_every_data_set_has_its_figures() -> None:
    table = PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
    titles = [one.title for one in data()]
    if len(titles) < 5:
        pytest.skip("the public data sets are not here")
    rows = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()[2:]]
    assert rows == titles
