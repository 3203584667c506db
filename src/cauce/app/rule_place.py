"""Where in a YAML file a character of a rule stands.

The YAML reader knows where a text begins, not how it is written. The place is
computed for plain, quoted and literal (``|``) texts and then compared with the
file: if they differ (a folded text, an escape), there is no place to tell.
"""

from collections.abc import Sequence

from cauce.vocabulary.yaml_lines import Place

_COMPARED = 3


def rule_place(lines: Sequence[str], start: Place, text: str, position: int) -> Place | None:
    """The place of the character at ``position`` (from 0) of a text that begins at ``start``."""
    if start.line > len(lines):
        return None
    first = lines[start.line - 1][start.column - 1 :]
    if first[:1] == "|":
        place = _literal(lines, start, text, position)
    else:
        opening = 1 if first[:1] in ("'", '"') else 0
        doubled = text.count("'", 0, position) if first[:1] == "'" else 0
        place = Place(start.line, start.column + opening + position + doubled)
    return place if place and _agrees(lines, place, text, position) else None


def _literal(lines: Sequence[str], start: Place, text: str, position: int) -> Place | None:
    body = lines[start.line :]
    indent = next((len(line) - len(line.lstrip(" ")) for line in body if line.strip()), 0)
    column = position - (text.rfind("\n", 0, position) + 1)
    return Place(start.line + 1 + text.count("\n", 0, position), indent + column + 1)


def _agrees(lines: Sequence[str], place: Place, text: str, position: int) -> bool:
    expected = text[position : position + _COMPARED].partition("\n")[0].partition("'")[0]
    if place.line > len(lines):
        return False
    line = lines[place.line - 1]
    return place.column <= len(line) + 1 and line[place.column - 1 :].startswith(expected)
