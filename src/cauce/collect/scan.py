"""Reading the outer structure of JSON text whose inner parts may be broken.

A strict decoder gives up on a whole batch for one broken event in it. These
functions look at strings, brackets and commas only, so the neighbours of a
broken event come out whole. They use no recursion, so no nesting is too deep.
"""

import re
from collections.abc import Iterator

_STRING = rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
_TOKEN = re.compile(_STRING + rb'|[\[\]{},"]', re.DOTALL)
_SPACE = b" \t\r\n"
_MEMBER = re.compile(rb"\s*" + _STRING + rb"\s*:\s*", re.DOTALL)
_MOST_TOKENS = 100_000
"""The densest text whose structure is looked for; that takes 50 ms, and events need a fifth of it."""

_OPEN = b"[{"
_CLOSE = b"]}"


def members(text: bytes) -> dict[bytes, bytes] | None:
    """The members of the object ``text``: raw names to raw values; None if it has no such structure.

    Of a name that occurs twice the last counts.
    """
    parts = _parts(text, b"{", b"}")
    if parts is None:
        return None
    found = {}
    for part in parts:
        match = _MEMBER.match(part)
        if match is None:
            return None
        found[match[1]] = part[match.end() :].strip(_SPACE)
    return found


def elements(text: bytes) -> list[bytes] | None:
    """The elements of the list ``text``, raw; None if it has no such structure."""
    parts = _parts(text, b"[", b"]")
    return None if parts is None else [part.strip(_SPACE) for part in parts]


def is_deeper(text: bytes, limit: int) -> bool:
    """Whether brackets are nested more than ``limit`` deep in ``text``, strings aside."""
    depth = 0
    for token, _ in _tokens(text):
        if token in _OPEN:
            depth += 1
            if depth > limit:
                return True
        elif token in _CLOSE:
            depth -= 1
        elif token == b'"':  # an endless string: what follows is no structure
            break
    return False


def _tokens(text: bytes) -> Iterator[tuple[bytes, int]]:
    """Brackets, commas and quotes without partner, with their places; strings are passed over."""
    for match in _TOKEN.finditer(text):
        token = match[0]
        if len(token) == 1:
            yield token, match.start()


def _parts(text: bytes, opening: bytes, closing: bytes) -> list[bytes] | None:
    """What lies between the commas of the outermost brackets; None if they do not enclose the text."""
    text = text.strip(_SPACE)
    if text[:1] != opening or text[-1:] != closing or len(text) < 2:
        return None
    depth, begin, parts = 0, 1, []
    for count, (token, place) in enumerate(_tokens(text)):
        if token == b'"' or count > _MOST_TOKENS:
            return None
        if token in _OPEN:
            depth += 1
        elif token in _CLOSE:
            depth -= 1
            if depth == 0 and place != len(text) - 1:
                return None
        elif depth == 1:
            parts.append(text[begin:place])
            begin = place + 1
    if depth != 0:
        return None
    last = text[begin:-1]
    return [*parts, last] if parts or last.strip(_SPACE) else []
