"""What the cells of a column hold: kinds, and how numbers and times are written."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from cauce.collect.files.convert import WrongValue, converter
from cauce.collect.files.mapping.model import ColumnType, Kind

NOTHING = ("", "-", "n/a", "na", "null", "none", "nan", "\\n", "#n/a", "s/d")
"""Words that stand for nothing in many files, in lower case."""

_EMAIL = re.compile(r"[^@\s;,]+@[^@\s;,]+\.[^@\s;,.]{2,}")
_PHONE = re.compile(r"\+?[\d\s().\-/]{7,20}")
_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d{0,17})")
_CODE = re.compile(r"0\d+")
_MARKS = ((".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (".", " "), (",", "\u00a0"), (".", "'"))
_BOOLEANS = (
    (("true",), ("false",)),
    (("yes",), ("no",)),
    (("y",), ("n",)),
    (("sí", "si"), ("no",)),
    (("s",), ("n",)),
    (("ja",), ("nein",)),
    (("oui",), ("non",)),
    (("verdadero",), ("falso",)),
)
_DATES = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d"),
    *(
        "%d/%m/%y",
        "%m/%d/%y",
        "%d-%m-%y",
        "%d.%m.%y",
        "%d %b %Y",
        "%d %B %Y",
        "%b %d, %Y",
        "%B %d, %Y",
        "%d-%b-%Y",
    ),
)
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S.%f", " %H:%M:%S%z", "T%H:%M:%S")
_COMPACT = {"%Y%m%d": 8, "%Y%m%d%H%M%S": 14}
"""Times in digits alone, and how many digits."""
_EPOCH = {"epoch": (946_684_800, 4_102_444_800), "epoch_ms": (946_684_800_000, 4_102_444_800_000)}
_TIMELY = re.compile(r"date|fecha|time|dat(um)?$|day|(^|[._ ])(at|ts)$|epoch|stamp|hora", re.IGNORECASE)
"""Names of columns that speak of time."""
_MOST_FORMS = 3
_TRIED = 2_000


_UNITS = ("€", "EUR", "$", "USD", "£", "GBP", "CHF", "¥", "kr", "MXN", "%")
"""What numbers of money and shares are written with."""


class Seen(NamedTuple):
    """What was seen in a column.

    ``share`` of the filled cells are of the ``type``; the rest do not fit.
    ``doubt`` says what could also be. ``emails``, ``phones``, ``uuids`` and
    ``urls`` are shares of the filled cells.
    """

    name: str
    total: int
    filled: int
    distinct: int
    type: ColumnType
    share: float
    doubt: str
    nothing: tuple[str, ...]
    emails: float
    phones: float
    uuids: float
    urls: float
    common: list[tuple[str, int]]

    @property
    def unique(self) -> float:
        """How many of the filled cells are distinct, as a share."""
        return self.distinct / self.filled if self.filled else 0.0


def see(name: str, cells: Sequence[Any], *, day_first: bool) -> Seen:
    """Look at the cells of a column; ``day_first`` decides where a date can be read in two ways."""
    typed = [cell for cell in cells if cell is not None]
    texts = [_text(cell) for cell in typed]
    nothing = tuple(sorted({text for text in texts if text.strip().lower() in NOTHING}))
    kept = [(cell, text) for cell, text in zip(typed, texts, strict=True) if text not in nothing]
    filled = [text for _, text in kept]
    counts = Counter(filled)
    if kept and all(not isinstance(cell, str) for cell, _ in kept):
        found = _of_values(name, [cell for cell, _ in kept])
    else:
        found = _of_texts(name, filled, day_first=day_first)
    type_, share, doubt = found
    return Seen(
        name=name,
        total=len(cells),
        filled=len(filled),
        distinct=len(counts),
        type=type_,
        share=share,
        doubt=doubt,
        nothing=nothing,
        emails=_share(filled, _EMAIL),
        phones=_share(filled, _PHONE, lambda text: 7 <= sum(map(str.isdigit, text)) <= 15),
        uuids=_share(filled, _UUID),
        urls=_share(filled, _URL),
        common=counts.most_common(20),
    )


def _text(cell: Any) -> str:
    return cell.strip() if isinstance(cell, str) else str(cell)


def _share(texts: list[str], pattern: re.Pattern[str], also: Callable[[str], bool] = lambda _: True) -> float:
    if not texts:
        return 0.0
    return sum(1 for text in texts if pattern.fullmatch(text) and also(text)) / len(texts)


_Found = tuple[ColumnType, float, str]


def _of_values(name: str, values: list[Any]) -> _Found:
    """Cells that have types already; whole numbers may be times."""
    if _TIMELY.search(name) and all(type(value) is int for value in values):
        for form, (low, high) in _EPOCH.items():
            if all(low <= value <= high for value in values):
                return ColumnType(kind=Kind.TIME, formats=(form,)), 1.0, ""
    for kind, types in ((Kind.BOOLEAN, (bool,)), (Kind.INTEGER, (int,)), (Kind.NUMBER, (int, Decimal))):
        if all(type(value) in types for value in values):
            return ColumnType(kind=kind), 1.0, ""
    return ColumnType(kind=Kind.ANY), 1.0, ""


def _of_texts(name: str, texts: list[str], *, day_first: bool) -> _Found:
    if not texts:
        return ColumnType(kind=Kind.TEXT), 1.0, ""
    for found in (_boolean(texts), _time(name, texts, day_first=day_first), _number(texts)):
        if found is not None:
            return found
    return ColumnType(kind=Kind.TEXT), 1.0, ""


def _boolean(texts: list[str]) -> _Found | None:
    words = {text.lower() for text in texts}
    for true, false in _BOOLEANS:
        if words <= {*true, *false} and not words.isdisjoint(true) and not words.isdisjoint(false):
            return ColumnType(kind=Kind.BOOLEAN, true=true, false=false), 1.0, ""
    return None


def _number(texts: list[str]) -> _Found | None:
    """Whole numbers, or numbers with the marks that most of the cells are written with."""
    if any(_CODE.fullmatch(text) for text in texts):
        return None  # codes with leading zeros, such as postcodes, are texts
    unit = _unit(texts)
    if unit:
        bare = _number([text.removesuffix(unit).removeprefix(unit).strip() for text in texts])
        return bare and (replace(bare[0], unit=unit), *bare[1:])
    whole = sum(1 for text in texts if _INTEGER.fullmatch(text)) / len(texts)
    if whole == 1.0:
        return ColumnType(kind=Kind.INTEGER), 1.0, ""
    fits = []
    for decimal, thousands in _MARKS:
        type_ = ColumnType(kind=Kind.NUMBER, decimal=decimal, thousands=thousands)
        share = _fit(texts, type_)
        if share >= 0.95:
            fits.append((share, type_))
    if not fits:
        return None
    best = max(share for share, _ in fits)
    chosen = [type_ for share, type_ in fits if share == best]
    type_ = chosen[0]
    commas = [text for text in texts if "," in text]
    if type_.decimal == "," and not type_.thousands and commas:
        triples = all(re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+", text) for text in commas)
        if triples and len(commas) >= 2:
            type_ = ColumnType(kind=Kind.NUMBER, decimal=".", thousands=",")
            return type_, best, "its commas could also be decimal marks"
    return type_, best, ""


def _unit(texts: list[str]) -> str:
    """The unit that nearly all numbers are written with; empty if there is none."""
    for unit in _UNITS:
        with_it = sum(1 for text in texts if text.endswith(unit) or text.startswith(unit))
        if with_it >= 0.5 * len(texts) and all(any(map(str.isdigit, text)) for text in texts[:_TRIED]):
            return unit
    return ""


def _fit(texts: list[str], type_: ColumnType) -> float:
    read = converter("", type_, frozenset(), texts=True)
    fitting = 0
    sample = texts[:_TRIED]
    for text in sample:
        with suppress(WrongValue):
            read(text)
            fitting += 1
    return fitting / len(sample)


def _time(name: str, texts: list[str], *, day_first: bool) -> _Found | None:
    """Times, if nearly all cells are written in at most three forms."""
    sample = texts[:_TRIED]
    if not any(character.isdigit() for character in sample[0]):
        return None
    if all(text.isdigit() for text in sample):
        return _bare(name, sample)
    forms = [form for form in _forms(day_first) if any(_is(form, text) for text in sample[:200])]
    chosen: list[str] = []
    left = sample
    while left and len(chosen) < _MOST_FORMS and forms:
        best = max(forms, key=lambda form: sum(1 for text in left if _is(form, text)))
        rest = [text for text in left if not _is(best, text)]
        if len(rest) == len(left):
            break
        chosen.append(best)
        left = rest
    share = 1 - len(left) / len(sample)
    if not chosen or share < 0.9:
        return None
    zone = "UTC" if any(_lacks_zone(form, sample) for form in chosen) else ""
    return ColumnType(kind=Kind.TIME, formats=tuple(chosen), zone=zone), share, _order_doubt(chosen, sample)


def _bare(name: str, sample: list[str]) -> _Found | None:
    """Times written in digits alone: only where the name speaks of time too."""
    named = _TIMELY.search(name)
    days = len(set(sample)) > 1 and all("19000101" <= text <= "20991231" for text in sample)
    if not named and not days:
        return None
    for form, (low, high) in _EPOCH.items():
        if all(low <= int(text) <= high for text in sample):
            return ColumnType(kind=Kind.TIME, formats=(form,)), 1.0, ""
    for form, length in _COMPACT.items():
        share = sum(1 for text in sample if len(text) == length and _is(form, text)) / len(sample)
        if share >= 0.9:
            zone = "UTC" if "%H" in form else ""
            return ColumnType(kind=Kind.TIME, formats=(form,), zone=zone), share, ""
    return None


def _forms(day_first: bool) -> list[str]:
    dates = sorted(_DATES, key=lambda form: form.startswith("%m") is day_first)
    return ["iso", *(date + clock for date in dates for clock in _CLOCKS)]


def _is(form: str, text: str) -> bool:
    try:
        if form == "iso":
            return len(text) >= 8 and not text.isdigit() and bool(datetime.fromisoformat(text))
        datetime.strptime(text, form)  # noqa: DTZ007  only whether it can be read
    except ValueError:
        return False
    return True


def _lacks_zone(form: str, sample: list[str]) -> bool:
    """Whether a form gives hours without saying of which zone."""
    if form != "iso":
        return ("%H" in form or "%I" in form) and "%z" not in form
    read = (datetime.fromisoformat(text) for text in sample if len(text) > 10 and _is("iso", text))
    return any(when.tzinfo is None for when in read)


def _order_doubt(forms: list[str], sample: list[str]) -> str:
    """Whether day and month could be the other way round in every cell."""
    swapped = [re.sub(r"%([dm])", lambda mark: "%" + {"d": "m", "m": "d"}[mark[1]], form) for form in forms]
    numeric = [form for form in forms if form.startswith(("%d/%m", "%m/%d", "%d-%m", "%m-%d", "%d.%m"))]
    if not numeric or not all(any(_is(form, text) for form in swapped) for text in sample):
        return ""
    return "day and month could also be the other way round: no cell has a day above 12"
