"""What the pages refer to is there, and the two READMEs are one."""

import re

import pytest

from tests.docs.markdown_blocks import ROOT, blocks, headings, links, pages

ENGLISH, SPANISH = ROOT / "README.md", ROOT / "README.es.md"
LONGEST = 150


def name(page):
    return str(page.relative_to(ROOT))


def slugs(page):
    """The anchors of a page's headings, as code hosts make them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(page):
    found = []
    for link in links(page):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        inside = target.is_relative_to(ROOT)
        there = target.exists() and (not anchor or anchor in slugs(target))
        if not (inside and there):
            found.append(link)
    return found


def test_the_pages_are_found():
    assert {"README.md", "README.es.md", "CHANGELOG.md", "docs/tutorial.md", "examples/README.md"} <= {
        name(page) for page in pages()
    }


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_relative_link_leads_somewhere(page):
    assert broken(page) == []


def test_a_broken_link_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A\n[one](nowhere.md) [two](#a) [three](https://example.org/) [four](#b)\n")
    assert links(page) == ["nowhere.md", "#a", "https://example.org/", "#b"]
    assert {"nowhere.md", "#b"} <= set(broken(page))


def test_the_readmes_have_the_same_code_and_the_same_structure():
    assert blocks(ENGLISH) == blocks(SPANISH)
    assert headings(ENGLISH) == headings(SPANISH)
    lengths = [len(page.read_text(encoding="utf-8").splitlines()) for page in (ENGLISH, SPANISH)]
    assert lengths[0] == lengths[1] <= LONGEST


def test_the_readmes_lead_to_the_same_places_and_to_each_other():
    assert [*links(ENGLISH)[:-1], "README.md"] == [*links(SPANISH)[:-1], links(SPANISH)[-1]]
    assert links(ENGLISH)[-1] == "README.es.md"


def test_the_licence_is_there_in_full():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
