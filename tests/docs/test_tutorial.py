"""The tutorial does what it says, from its first command to its last."""

from tests.docs.markdown_blocks import ROOT, blocks, commands
from tests.docs.tutorial_reader import Reader, free_ports, looks_like
from tests.story.serving import until

PAGE = ROOT / "docs/tutorial.md"
FILES = (
    "customers.csv",
    "shop/definitions/sources/crm.yaml",
    "mapping.yaml",
    "shop/definitions/segments/good_readers.yaml",
    "shop/definitions/destinations/crm.yaml",
    "receiver.py",
)


def test_what_the_page_shows_is_compared_line_by_line():
    assert looks_like(["a  b…", "…", "d"], "a b 1\nx\ny\nd\n")
    assert looks_like(["a", "…"], "a\n")
    assert not looks_like(["a", "b"], "a\nc\n")
    assert not looks_like(["a"], "a\nb\n")


def test_the_tutorial_from_its_first_command_to_its_last(tmp_path):
    preparation, *rest = blocks(PAGE)
    assert preparation.language == "sh"  # what the tests run in: Cauce installed, an empty folder
    assert tuple(block.file for block in rest if block.file) == FILES
    ports = dict(zip(("8765", "8766", "9000"), free_ports(3), strict=True))
    with Reader(tmp_path, ports) as reader:
        for block in rest:
            if block.file:
                reader.write(block.file, block.text)
            elif block.language == "text":
                told = block.text.splitlines()
                until(lambda told=told: looks_like(told, reader.printed_by("python3 receiver.py")), told)
            else:
                for command in commands(block):
                    reader.type(command)
