"""How rows cross to PostgreSQL in bulk: each column as one array literal, and texts with NUL escaped.

One literal per column is made by a few passes in C over the whole column, which costs less
than adapting each value. PostgreSQL cannot hold the character NUL in a text; where it
occurs, it and the escape itself are written as two private-use characters.
"""

from collections.abc import Iterable, Sequence
from typing import Any

_ESCAPE = "\ue000"
_NUL, _ITSELF = _ESCAPE + "\ue001", _ESCAPE + "\ue002"


def escaped(text: str) -> str:
    """A text as PostgreSQL can hold it."""
    if _ESCAPE in text:
        text = text.replace(_ESCAPE, _ITSELF)
    return text.replace("\x00", _NUL) if "\x00" in text else text


def unescaped(value: Any) -> Any:
    """A value as it was before ``escaped``."""
    if type(value) is str and _ESCAPE in value:
        return value.replace(_NUL, "\x00").replace(_ITSELF, _ESCAPE)
    return value


def unescaped_rows(rows: list[tuple[Any, ...]], places: Sequence[int]) -> list[tuple[Any, ...]]:
    """Rows whose texts, at ``places``, are as they were before ``escaped``."""
    for place in places:
        for row in rows:
            text = row[place]
            if text is not None and _ESCAPE in text:
                return [tuple(map(unescaped, row)) for row in rows]
    return rows


def numbers(values: Iterable[int | None]) -> str:
    """An array literal of whole numbers."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def texts(values: Iterable[str | None]) -> str:
    """An array literal of texts."""
    column = list(values)
    if None in column:
        return "{" + ",".join(["NULL" if text is None else f'"{_quoted(text)}"' for text in column]) + "}"
    if not column:
        return "{}"
    joined = "\x00".join(column)  # type: ignore[arg-type]  # no None among them
    if _ESCAPE in joined or joined.count("\x00") != len(column) - 1:
        return '{"' + '","'.join([_quoted(text) for text in column]) + '"}'  # type: ignore[arg-type]
    return '{"' + joined.replace("\\", "\\\\").replace('"', '\\"').replace("\x00", '","') + '"}'


def _quoted(text: str) -> str:
    return escaped(text).replace("\\", "\\\\").replace('"', '\\"')


def octets(values: Iterable[bytes | None]) -> str:
    """An array literal of byte strings."""
    return "{" + ",".join(["NULL" if v is None else f'"\\\\x{v.hex()}"' for v in values]) + "}"
