"""The kinds of columns, found by their names and by patterns in their values.

A name says much and may lie: what is called e-mail and holds none is none. Names
are those of CRMs, shops, registers and research data, in English and Spanish, and
some of other languages.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from cauce.match.column import Column, DateOrder, Kind
from cauce.match.column_names import KIND_OF_NAME, STEMS
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.nearest import nearest

SAMPLE = 5_000
"""How many cells of a column are looked at."""

_FILLING = frozenset(
    ("de", "del", "la", "el", "of", "the", "customer", "client", "cliente", "person", "contact", "y", "and")
)
_EMAIL = re.compile(r"[^@\s;,]+@[^@\s;,]+\.[^@\s;,.]{2,}")
_PHONE = re.compile(r"\+?[\d\s().\-/]{7,20}")
_DATE = re.compile(
    r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}([T ].*)?|\d{8}|\d{1,2}[- ]?[^\W\d]{3,10}\.?[- ,]*\d{2,4}"
)
_CODE = re.compile(r"(?=.*\d)[\w\-/. ]{4,24}")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


def words(name: str) -> str:
    """The words of a column's name in lower case, without accents: ``CustomerID`` as ``customer_id``."""
    flat = unicodedata.normalize("NFKD", name)
    flat = "".join(letter for letter in flat if not unicodedata.combining(letter))
    flat = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", flat)
    return " ".join(re.findall(r"[a-z0-9]+", flat.lower()))


def find_kinds(table: Mapping[str, Sequence[str | None]]) -> list[Column]:
    """The columns of a table of texts with their kinds; None and blank cells are missing."""
    return _names_together([_find(name, cells) for name, cells in table.items()], table)


def _names_together(columns: list[Column], table: Mapping[str, Sequence[str | None]]) -> list[Column]:
    """What a name is depends on its neighbours: beside a surname it is given, alone and of two words full."""
    kinds = {column.kind for column in columns}
    found = []
    for column in columns:
        kind, why = column.kind, column.why
        if kind is Kind.FULL_NAME and Kind.SURNAME in kinds and Kind.GIVEN_NAME not in kinds:
            kind, why = Kind.GIVEN_NAME, "by its name, beside a surname"
        elif kind is Kind.GIVEN_NAME and Kind.SURNAME not in kinds and Kind.FULL_NAME not in kinds:
            cells = [
                cell.strip() for cell in table[column.name][:SAMPLE] if cell is not None and cell.strip()
            ]
            if sum(1 for cell in cells if " " in cell or "," in cell) > 0.6 * len(cells):
                kind, why = Kind.FULL_NAME, "by its name; it holds two words and more"
        found.append(Column(name=column.name, kind=kind, why=why, order=column.order))
    return found


def override(columns: Sequence[Column], kinds: Mapping[str, str]) -> list[Column]:
    """The columns with the kinds that a person gave; raises ``InvalidInput`` for what does not exist."""
    names = [column.name for column in columns]
    for name, kind in kinds.items():
        if name not in names:
            raise InvalidInput(f"There is no column {name}.", hint=_near(name, names))
        if kind not in set(Kind):
            raise InvalidInput(f"{kind} is no kind of column.", hint=_near(kind, [str(one) for one in Kind]))
    return [
        Column(name=one.name, kind=Kind(kinds[one.name]), why="as given", order=one.order)
        if one.name in kinds
        else one
        for one in columns
    ]


def _near(wrong: str, known: Sequence[str]) -> str:
    close = nearest(wrong, known)
    return f"Did you mean {close}?" if close else f"There are: {', '.join(known)}."


def _find(name: str, cells: Sequence[str | None]) -> Column:
    step = max(1, len(cells) // SAMPLE)
    filled = [cell.strip() for cell in cells[::step] if cell is not None and cell.strip()]
    order = date_order(filled)
    if len(set(filled)) < 2:
        return Column(name=name, kind=Kind.IGNORED, why="it has fewer than two values")
    named = _named(words(name))
    if named is not None and _agrees(named, filled):
        if named is Kind.ID and _all_distinct(cells):
            return Column(name=name, kind=Kind.RECORD_KEY, why="every record has another value")
        return Column(name=name, kind=named, why="by its name", order=order)
    kind, why = _of_values(filled, cells)
    return Column(name=name, kind=kind, why=why, order=order)


def _named(name: str) -> Kind | None:
    bare = " ".join(word for word in name.split() if word not in _FILLING)
    for form in (name, bare, re.sub(r" ?\d+$", "", bare)):
        if form in KIND_OF_NAME:
            return KIND_OF_NAME[form]
    for kind, stem in STEMS:
        if re.search(stem, bare):
            return kind
    return None


def _share(filled: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(1 for text in filled if pattern.fullmatch(text)) / len(filled)


def _agrees(kind: Kind, filled: Sequence[str]) -> bool:
    """Whether the values can be what the name says."""
    digits = sum(1 for text in filled if any(map(str.isdigit, text))) / len(filled)
    match kind:
        case Kind.EMAIL:
            return sum(1 for text in filled if "@" in text) >= 0.5 * len(filled)
        case Kind.PHONE | Kind.BIRTH_DATE | Kind.HOUSE_NUMBER | Kind.ID:
            return digits >= 0.5
        case Kind.GIVEN_NAME | Kind.SURNAME | Kind.FULL_NAME | Kind.PLACE | Kind.STATE:
            return digits <= 0.5
    return True


def _all_distinct(cells: Sequence[str | None]) -> bool:
    counts = Counter(cell.strip() for cell in cells if cell is not None and cell.strip())
    return len(counts) == len(cells)


def _of_values(filled: Sequence[str], cells: Sequence[str | None]) -> tuple[Kind, str]:
    """The kind that the values alone speak for."""
    if _all_distinct(cells):
        return Kind.RECORD_KEY, "every record has another value"
    if _share(filled, _EMAIL) >= 0.7:
        return Kind.EMAIL, "its values are e-mail addresses"
    if _share(filled, _DATE) >= 0.8:
        return _of_dates(filled)
    distinct = len(set(filled))
    if _share(filled, _PHONE) >= 0.8 and _phones(filled):
        return Kind.PHONE, "its values look like phone numbers"
    if distinct <= max(2, min(20, 0.25 * len(filled))) or distinct <= 0.02 * len(filled):
        return Kind.CATEGORY, f"it has {distinct} values"
    if _share(filled, _NUMBER) >= 0.9 and not _of_one_length(filled):
        return Kind.IGNORED, "it holds numbers of no known meaning"
    if _share(filled, _CODE) >= 0.8 and not any(" " in text for text in filled[:100]):
        if distinct >= 0.2 * len(filled):
            return Kind.ID, "its values look like codes of a person"
        return Kind.TEXT, "its values look like codes that many share"
    if sum(map(len, filled)) / len(filled) > 60:
        return Kind.IGNORED, "it holds long texts"
    return Kind.TEXT, "it holds texts of no known meaning"


def _phones(filled: Sequence[str]) -> bool:
    """Whether there are nine digits or more, or marks that phone numbers are written with."""
    long = sum(1 for text in filled if 9 <= sum(map(str.isdigit, text)) <= 15)
    marked = sum(1 for text in filled if re.search(r"[+() ]", text))
    return long >= 0.8 * len(filled) and (marked > 0 or all(text.isdigit() for text in filled[:100]))


def _of_one_length(filled: Sequence[str]) -> bool:
    (_, most) = Counter(map(len, filled)).most_common(1)[0]
    return most >= 0.7 * len(filled) and len(set(filled)) > 0.1 * len(filled)


def _of_dates(filled: Sequence[str]) -> tuple[Kind, str]:
    years = sorted(int(found[0]) for text in filled if (found := re.search(r"(18|19|20)\d\d", text)))
    if years and years[len(years) // 2] <= 2005:
        return Kind.BIRTH_DATE, "its values are dates of long ago"
    if filled and all(text.isdigit() for text in filled[:100]) and not years:
        return Kind.ID, "its values are numbers of eight digits"
    return Kind.IGNORED, "its values are dates of late"


def date_order(filled: Sequence[str]) -> DateOrder:
    """How dates are written: the year first, or else the day unless a middle part above 12 says otherwise."""
    parts = [re.findall(r"\d+", text) for text in filled]
    three = [one for one in parts if len(one) >= 3]
    if not three:
        late = [text for text in filled if re.fullmatch(r"\d{8}", text)]
        ending = sum(1 for text in late if text[4:6] in ("19", "20") and text[:2] not in ("19", "20"))
        return DateOrder.DMY if late and ending > 0.5 * len(late) else DateOrder.YMD
    if sum(1 for one in three if len(one[0]) == 4) > 0.5 * len(three):
        return DateOrder.YMD
    first = sum(1 for one in three if int(one[0]) > 12)
    second = sum(1 for one in three if int(one[1]) > 12)
    return DateOrder.MDY if second > first else DateOrder.DMY
