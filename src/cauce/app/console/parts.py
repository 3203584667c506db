"""The parts that pages are made of: plain HTML elements whose content is text, and nothing else."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

from nicegui import run, ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from cauce.app.console.language import Words
from cauce.app.console.sessions import SignedOut
from cauce.vocabulary.errors import CauceError

T = TypeVar("T")
Made = TypeVar("Made", bound=Element)


def text(tag: str, content: str, classes: str = "", **attributes: str) -> TextElement:
    """An element with text in it."""
    made = TextElement(tag=tag, text=content)
    return _dressed(made, classes, attributes)


def box(tag: str, classes: str = "", **attributes: str) -> Element:
    """An element for others: use it with ``with``."""
    return _dressed(ui.element(tag), classes, attributes)


def _dressed(made: Made, classes: str, attributes: dict[str, str]) -> Made:
    made.classes(classes)
    for name, value in attributes.items():
        made.props[name.rstrip("_").replace("_", "-")] = value
    return made


def button(label: str, act: Callable[[], Awaitable[None] | None], classes: str = "") -> TextElement:
    """A button that does something when it is pressed."""
    made = text("button", label, f"button {classes}", type="button")
    made.on("click", lambda _: act())
    return made


def field(name: str, label: str, value: str, kind: str = "text", hint: str = "") -> Element:
    """A field of a form, with its label."""
    with box("label", "field"):
        text("span", label)
        made = box("input", "", name=name, type=kind, value=value, autocomplete="off", spellcheck="false")
        if hint:
            made.props["placeholder"] = hint
    return made


@contextmanager
def table(caption: str, heads: Sequence[str]) -> Iterator[None]:
    """A table; its rows are made inside."""
    with box("div", "scroll", tabindex="0", role="region", aria_label=caption), box("table"):
        text("caption", caption)
        with box("thead"), box("tr"):
            for head in heads:
                text("th", head, scope="col")
        with box("tbody"):
            yield


def row(*cells: str, classes: str = "") -> None:
    """A row of texts."""
    with box("tr", classes):
        for cell in cells:
            text("td", cell)


def note(content: str, kind: str = "") -> None:
    """A remark that stands out: of kind ``bad``, ``good`` or none."""
    text("p", content, f"note {kind}")


def problem(words: Words, error: CauceError) -> None:
    """A refusal: what it means, and what the service says of it."""
    with box("div", "note bad", role="alert"):
        text("strong", meaning(words, error))
        text("p", str(error), lang="en")
        if isinstance(error, SignedOut):
            text("a", words.say("Sign in"), href="/sign-in")


def meaning(words: Words, error: CauceError) -> str:
    """What a refusal means, by the family of the error."""
    by_code = {
        "not_found": words.say("Nobody and nothing of that name was found."),
        "invalid_input": words.say("What you wrote cannot be read."),
        "not_allowed": words.say("You may not do that."),
        "signed_out": words.say("You are not signed in any more."),
        "conflict": words.say("That cannot be done at this moment."),
        "bad_settings": words.say("A file of the space is wrong."),
        "unsupported": words.say("This installation cannot do that."),
        "transient": words.say("The store does not answer. Try again in a moment."),
    }
    return by_code.get(error.code, words.say("That went wrong."))


async def answered(words: Words, place: Element, read: Callable[[], T], show: Callable[[T], None]) -> None:
    """Read on a thread and show what was found in a place; until then, and if it is refused, say so."""
    place.clear()
    with place:
        text("p", words.say("Looking …"), "waiting", role="status")
    try:
        found = cast(T, await run.io_bound(read))
    except CauceError as error:
        place.clear()
        with place:
            problem(words, error)
        return
    place.clear()
    with place:
        show(found)
