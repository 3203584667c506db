"""A console in a real Chromium, used as people use it: read, fill in fields, press what is offered."""

import json
from typing import Any

from tests.clients.browser import Page, Refused
from tests.story.serving import until

_TEXTS = """(() => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    if (!walk.currentNode.parentElement.closest('script, style')) found.push(walk.currentNode.data.trim());
  }
  return found.filter(Boolean);
})()"""


class Console:
    """One page of the console."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def open(self, path: str) -> None:
        self.page.open(self.url + path)

    def sign_in(self, key: str) -> None:
        self.open("/sign-in")
        self.fill("[name=key]", key)
        self.press("button[type=submit]", "Sign in")

    def fill(self, selector: str, value: str) -> None:
        """Put the focus into a field and type."""
        self.page.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.page.send("Input.insertText", text=value)

    def press(self, selector: str, label: str) -> None:
        """Focus what has a label and press Enter, as people without a mouse do."""
        self.wait_for(f"{_labelled(selector, label)} !== undefined", label)
        self.page.run(f"{_labelled(selector, label)}.focus()")
        assert self.page.run(f"document.activeElement === {_labelled(selector, label)}"), label
        for kind in ("keyDown", "keyUp"):
            self.page.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key="Enter",
                code="Enter",
                windowsVirtualKeyCode=13,
                text="\r" if kind == "keyDown" else "",
            )

    def hover(self, selector: str) -> None:
        """Move the mouse to the middle of a line of a picture."""
        script = f"""(() => {{
          const line = document.querySelector({json.dumps(selector)});
          line.scrollIntoView({{block: 'center'}});
          const middle = line.getPointAtLength(line.getTotalLength() / 2), on = line.getScreenCTM();
          return [middle.x * on.a + on.e, middle.y * on.d + on.f];
        }})()"""
        x, y = self.page.run(script)
        for away in (9, 0):
            self.page.send("Input.dispatchMouseEvent", type="mouseMoved", x=x + away, y=y + away)

    def wait_for(self, script: str, what: str) -> Any:
        try:
            return until(lambda: self._value(script), what)
        except AssertionError as late:
            raise AssertionError(f"{late}, on: {self.text()[:2_000]}") from late

    def _value(self, script: str) -> Any:
        try:
            return self.page.run(script)
        except Refused:  # the page is on its way to another one
            return None

    def see(self, text: str) -> None:
        """Wait until the page shows a text."""
        self.wait_for(f"document.body.innerText.includes({json.dumps(text)})", text)

    def text(self) -> str:
        return str(self.page.run("document.body ? document.body.innerText : ''"))

    def texts(self) -> list[str]:
        """Every text of the page, as its nodes have it."""
        return list(self.page.run(_TEXTS))

    def rows(self, caption: str) -> list[list[str]]:
        """The cells of the table with a caption."""
        script = f"""(() => {{
          const found = [...document.querySelectorAll('table')].find(
            (one) => one.caption && one.caption.textContent === {json.dumps(caption)});
          return found ? [...found.tBodies[0].rows].map(
            (row) => [...row.cells].map((cell) => cell.textContent)) : [];
        }})()"""
        return list(self.page.run(script))


def _labelled(selector: str, label: str) -> str:
    wanted = json.dumps(label)
    return (
        f"[...document.querySelectorAll({json.dumps(selector)})].find((e) => e.innerText.trim() === {wanted})"
    )
