"""What every page has: its head, the way to the other pages, and who is signed in."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import cast

from nicegui import ui
from nicegui.element import Element
from nicegui.language import Language

from cauce.app.console.language import LANGUAGES
from cauce.app.console.parts import box, text
from cauce.app.console.visit import Visit

STYLE = "/assets/console.css"


@contextmanager
def frame(visit: Visit, title: str) -> Iterator[Element]:
    """The frame of a page; what is made inside stands in its main part."""
    words = visit.words
    _speak(words.language)
    ui.add_head_html(f'<link rel="stylesheet" href="{STYLE}">')
    ui.page_title(f"{title} · Cauce")
    with box("div", "page", lang=words.language):
        text("a", words.say("To the content"), "skip", href="#content")
        with box("header", "top"):
            text("a", "Cauce", "mark", href="/")
            _ways(visit)
            _who(visit)
        with box("main", "", id="content", tabindex="-1") as place:
            text("h1", title)
            yield place


def _speak(language: str) -> None:
    """Let this page alone say in a language what the framework says, as that the connection was lost."""
    client = ui.context.client
    client.page = copy(client.page)
    client.page.language = cast(Language, "en-US" if language == "en" else language)


def _ways(visit: Visit) -> None:
    words = visit.words
    with box("nav", "ways", aria_label=words.say("Pages")):
        for path, label in (
            ("/people", words.say("People")),
            ("/review", words.say("Review queue")),
            ("/what-if", words.say("What if")),
        ):
            way = text("a", label, href=path)
            if visit.path.partition("?")[0] == path:
                way.props["aria-current"] = "page"


def _who(visit: Visit) -> None:
    words = visit.words
    session = visit.session
    with box("div", "who"):
        for language, label in LANGUAGES.items():
            link = text("a", label, href=f"/language/{language}", lang=language)
            if language == words.language:
                link.props["aria-current"] = "true"
        text("span", f"{session.viewer.name} · {session.purpose}")
        with box("form", action="/sign-out", method="post"):
            text("button", words.say("Sign out"), "button", type="submit")
