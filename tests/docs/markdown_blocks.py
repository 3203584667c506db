"""Markdown pages as their readers see them: blocks of code, commands, links and headings."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INTO = re.compile(r"[Ww]rite this into `([^`]+)`[^`\n]*:\s*\Z")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A block of code; ``file`` is the file that the text before it says to write it into."""

    language: str
    text: str
    file: str


class Command(NamedTuple):
    """What is typed after ``$``, without comments, and what is shown below it."""

    line: str
    shown: list[str]


def blocks(page: Path, heading: str = "") -> list[Block]:
    """The blocks of a page, or of what stands below one heading of it."""
    text = page.read_text(encoding="utf-8")
    if heading:
        text = re.split(r"^## ", text.split(f"\n## {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]
    found = []
    for match in _FENCE.finditer(text):
        into = _INTO.search(text[: match.start()])
        found.append(Block(match[1], match[2], into[1] if into else ""))
    return found


def commands(block: Block) -> Iterator[Command]:
    """The commands of a console block; a line that ends in a backslash goes on below."""
    assert block.language == "console"
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        line, *shown = re.sub(r"\\\n\s*", "", part).splitlines()
        yield Command(re.sub(r"\s+#\s.*", "", line), shown)


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    """The targets of the links of a page."""
    return _LINK.findall(prose(page))


def headings(page: Path) -> list[str]:
    """The marks of the headings of a page, in order: ``#``, ``##``…"""
    return re.findall(r"^(#+) ", prose(page), re.MULTILINE)


def pages() -> list[Path]:
    """The Markdown pages of the repository."""
    folders = ("docs", "examples", "src", "bench", "demo")
    found = [page for folder in folders for page in (ROOT / folder).rglob("*.md")]
    return sorted([*ROOT.glob("*.md"), *found])
