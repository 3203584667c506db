"""The console's messages: all are translated, with the same places for values, and no text goes past them."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from cauce.app.console import language
from cauce.app.console.language import LANGUAGES, Words, choose
from cauce.identity.why_words import ENGLISH, Preferred, Said
from cauce.vocabulary.moment import Moment

CONSOLE = Path(language.__file__).parent
KEYWORDS = {"say": None, "several": (1, 2)}
SHOWING = {"text", "note", "button", "field", "table"}
"""The parts that show texts; the first of their arguments is a tag, a name or the text itself."""

RAW = (
    "ui.html",
    "ui.markdown",
    "ui.restructured_text",
    "innerHTML",
    "v-html",
    "run_javascript",
    "ui.add_body",
)


def messages() -> set[object]:
    methods = [("**.py", "python")]
    found = extract_from_dir(CONSOLE, method_map=methods, keywords=KEYWORDS)
    return {message for _, _, message, _, _ in found} | set(ENGLISH.values())


def places(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("name", sorted(set(LANGUAGES) - {"en"}))
def test_no_message_is_untranslated(name: str) -> None:
    with (language.FOLDER / name / "LC_MESSAGES" / "console.po").open("rb") as file:
        catalogue = read_po(file, locale=name)
    entries = {one.id: one for one in catalogue if one.id}
    assert set(entries) == messages()
    for entry in entries.values():
        assert not entry.fuzzy
        ids, texts = (one if isinstance(one, tuple) else (one,) for one in (entry.id, entry.string))
        assert all(texts), entry.id
        assert {frozenset(places(one)) for one in texts} == {frozenset(places(one)) for one in ids}, entry.id


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(CONSOLE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield path.name, node


def literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip()


def test_every_text_that_a_page_shows_goes_through_the_catalogue() -> None:
    bare, seen = [], 0
    for file, call in calls():
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name in SHOWING:
            seen += 1
            shown = call.args[1:2] if name in ("text", "field") else call.args[:1]
            allowed = call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value == "code"
            bare += [(file, call.lineno) for one in shown if literal(one) and not allowed]
        if isinstance(call.func, ast.Attribute) and call.func.attr in KEYWORDS:
            bare += [
                (file, call.lineno) for one in call.args[:1] if not isinstance(one, ast.Constant | ast.Name)
            ]
    assert seen > 50
    assert bare == []


def test_nothing_reaches_a_page_as_html() -> None:
    for path in CONSOLE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert [one for one in RAW if one in source] == [], path.name
    for file, call in calls():
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("props", "add_head_html"):
            assert file == "frame.py", f"{file}:{call.lineno}: attributes are set as props[name] = value"


def test_languages_are_chosen_by_the_reader_then_by_the_browser() -> None:
    assert choose("es", "en") == "es"
    assert choose("", "es-MX,es;q=0.9,en;q=0.8") == "es"
    assert choose("", "fr;q=0.9, en;q=0.2, es;q=0.5") == "es"
    assert choose("xx", "fr") == choose("", "") == choose("", "es;q=junk") == "en"


def test_numbers_moments_and_sentences_are_as_the_language_writes_them() -> None:
    english, spanish = Words("en"), Words("es")
    assert (english.number(1234567), spanish.number(1234567)) == ("1,234,567", "1.234.567")
    assert (english.signed(-1.25), spanish.signed(0.84)) == ("-1.2", "+0,8")
    assert spanish.moment(Moment(0)) == "1 ene 1970, 0:00:00 UTC"
    assert english.moment("no moment") == "no moment"
    assert (english.several("{n} more", "{n} more", 2), spanish.several("{n} more", "{n} more", 2)) == (
        "2 more",
        "2 más",
    )
    assert spanish.sentence(Said(Preferred.NEWER, {})) == "se probó antes, porque es más nuevo"
    assert english.say("Profile {id}", id="{id.__class__}") == "Profile {id.__class__}"
