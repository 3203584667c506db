"""Reading one entry of a mapping file: its kind is checked, and an error names its place."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from cauce.vocabulary.errors import BadSettings
from cauce.vocabulary.yaml_lines import Document, Steps

Choice = TypeVar("Choice", bound=StrEnum)


class Entry:
    """A value in a YAML document together with the way to it."""

    def __init__(self, document: Document, value: Any, steps: Steps = ()) -> None:
        self.document = document
        self.value = value
        self.steps = steps

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def get(self, key: str) -> "Entry | None":
        """The entry under a key; None if it is absent or null."""
        if key not in self or self.value[key] is None:
            return None
        return Entry(self.document, self.value[key], (*self.steps, key))

    def need(self, key: str, hint: str) -> "Entry":
        """The entry under a key that must be there."""
        entry = self.get(key)
        if entry is None:
            raise self.error(f"{key} is missing.", hint)
        return entry

    def error(self, message: str, hint: str = "") -> BadSettings:
        """An error about this entry."""
        return self.document.error(self.steps, message, hint=hint)

    def only(self, known: Iterable[str]) -> "Entry":
        """This entry, which must be an object with no other keys than the known ones."""
        if not isinstance(self.value, dict):
            raise self.error(f"expected keys and values, found {_kind(self.value)}.")
        names = list(known)
        for key in self.value:
            if key not in names:
                raise self.document.unknown((*self.steps, key), names)
        return self

    def entries(self) -> Iterator[tuple[str, "Entry"]]:
        """The keys and entries of an object."""
        if not isinstance(self.value, dict):
            raise self.error(f"expected keys and values, found {_kind(self.value)}.")
        for key, value in self.value.items():
            yield key, Entry(self.document, value, (*self.steps, key))

    def items(self) -> list["Entry"]:
        """The entries of a list; one that is no list counts as a list of one."""
        if not isinstance(self.value, list):
            return [self]
        return [Entry(self.document, value, (*self.steps, index)) for index, value in enumerate(self.value)]

    def text(self) -> str:
        """A text that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            raise self.error(f"expected text, found {_kind(self.value)}.", "Put it in quotes if it is text.")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """One text or a list of texts."""
        return tuple(item.text() for item in self.items())

    def words(self) -> tuple[str, ...]:
        """Like ``texts``; the empty text is allowed."""
        return tuple("" if item.value == "" else item.text() for item in self.items())

    def boolean(self) -> bool:
        """``true`` or ``false``."""
        if not isinstance(self.value, bool):
            raise self.error(f"expected true or false, found {_kind(self.value)}.")
        return self.value

    def number(self) -> int | Decimal:
        """A number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | Decimal):
            raise self.error(f"expected a number, found {_kind(self.value)}.")
        return self.value

    def choice(self, choices: type[Choice]) -> Choice:
        """One of the names of a closed choice."""
        text = self.text()
        if text not in list(choices):
            raise self.document.unknown((*self.steps, text), list(choices), noun="word")
        return choices(text)


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {dict: "keys and values", list: "a list", str: f"the text {value!r}", bool: "true or false"}
    return names.get(type(value), f"the number {value}")
