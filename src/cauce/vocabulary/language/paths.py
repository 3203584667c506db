"""Paths to values inside JSON objects, and properties reduced to the paths that rules read."""

import unicodedata
from collections.abc import Collection
from typing import Any

Path = tuple[str, ...]
"""Names from the outer object to the value, each in Unicode NFC (``language.md`` rule 7)."""

# The only characters outside ASCII that NFC turns into ASCII: Kelvin sign, Greek question mark, varia.
ASCII_TWINS = {"K": "\u212a", ";": "\u037e", "`": "\u1fef"}


def nfc(text: str) -> str:
    """The text in Unicode NFC, the form in which names and texts are compared (rule 4)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def one_spelling(name: str) -> bool:
    """Whether a name in NFC is the only text with that NFC."""
    return name.isascii() and not any(twin in name for twin in ASCII_TWINS)


def walk(value: Any, path: Path) -> Any:
    """The value at the end of a path; None where it is absent or leads through anything but objects."""
    for name in path:
        if type(value) is not dict:
            return None
        value = named(value, name)
    return value


def named(properties: dict[str, Any], name: str) -> Any:
    """The value of a name in NFC, whatever Unicode form its key has; None if absent."""
    value = properties.get(name)
    if value is not None or one_spelling(name):
        return value
    for key, other in properties.items():
        if other is not None and nfc(key) == name:
            return other
    return None


def reduce_properties(properties: dict[str, Any], paths: Collection[Path]) -> dict[str, Any]:
    """Only the values at ``paths``, nested as they were; absent ones are left out, lists stay whole.

    A rule that mentions these paths evaluates to the same on the result as on ``properties``.
    """
    reduced: dict[str, Any] = {}
    for path in sorted(paths):  # so that equal properties have equal texts
        if any(path[:depth] in paths for depth in range(1, len(path))):
            continue  # a shorter path keeps the whole object
        value = walk(properties, path)
        if value is not None:
            inner = reduced
            for name in path[:-1]:
                inner = inner.setdefault(name, {})
            inner[path[-1]] = value
    return reduced
