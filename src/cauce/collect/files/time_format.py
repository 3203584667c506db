"""Reading times in a declared format, several times as fast as ``strptime`` where they are plain digits."""

import re
from collections.abc import Callable
from datetime import datetime

_PARTS = {
    "%Y": ("year", r"\d{4}"),
    "%m": ("month", r"\d\d"),
    "%d": ("day", r"\d\d"),
    "%H": ("hour", r"\d\d"),
    "%M": ("minute", r"\d\d"),
    "%S": ("second", r"\d\d"),
}


def time_parser(form: str) -> Callable[[str], datetime]:
    """What gives for a text what ``datetime.strptime`` gives for it in this format, and raises alike."""

    def _parse(text: str) -> datetime:
        return datetime.strptime(text, form)  # noqa: DTZ007  # whoever asks knows the zone

    written = re.findall("%.?", form)
    parts = [directive for directive in _PARTS if directive in written]
    if sorted(written) != sorted(parts) or parts != [*_PARTS][: max(3, len(parts))]:
        return _parse
    pattern = re.escape(form)
    for directive in parts:
        name, digits = _PARTS[directive]
        pattern = pattern.replace(directive, f"(?P<{name}>{digits})")
    names = [_PARTS[directive][0] for directive in parts]
    match = re.compile(pattern, re.ASCII).fullmatch

    def _parse_plain(text: str) -> datetime:
        found = match(text)
        if found is None:
            return _parse(text)  # one digit, or more spaces
        year, month, day, *clock = map(int, found.group(*names))
        hour, minute, second = (*clock, 0, 0, 0)[:3]
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001

    return _parse_plain
