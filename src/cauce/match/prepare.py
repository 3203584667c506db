"""The features of records that comparisons read, as SQL over the raw columns.

A record becomes one row: its number and, for each kind of column there is, its
values without accents, case, punctuation and words that stand for nothing. Missing
is NULL. The expressions are DuckDB's.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cauce.match.column import COMPARED, Column, DateOrder, Kind

_NOTHING = (
    *("", "-", "--", "n/a", "null", "none", "nan", "unknown", "undefined", "missing", "desconocido", "s/d"),
    *("no consta", "not known", "anonymous", "test", "?", ".", "nil", "#n/a", "unbekannt"),
    *("test@test.com", "test@example.com", "none@none.com", "no@email.com", "noemail@noemail.com"),
)
_TITLES = "mr|mrs|ms|miss|dr|prof|sr|sra|srta|don|dona|d|herr|frau|mme|mlle|sir"
_STREETS = {
    "street": "st|str",
    "road": "rd",
    "avenue": "av|ave|avda|avd|avenida",
    "calle": "c|cl",
    "plaza": "pl|pza|plza|place",
    "paseo": "pso|ps",
    "crescent": "cres|cr|crs",
    "drive": "dr|drv",
    "lane": "ln",
    "court": "ct|crt",
    "circuit": "cct",
    "carretera": "ctra",
    "boulevard": "blvd|bvd",
}
"""A word of addresses and how it is cut short."""


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _trimmed(column: Column) -> str:
    """The trimmed value; NULL where it is a word for nothing."""
    value = f"trim(CAST({quoted(column.name)} AS VARCHAR))"
    nothing = ", ".join(map(_literal, _NOTHING))
    return f"CASE WHEN lower({value}) IN ({nothing}) THEN NULL ELSE {value} END"


def _plain(value: str) -> str:
    """Lower case, without accents; marks become blanks, apostrophes go."""
    bare = f"regexp_replace(lower(strip_accents({value})), '[''`´’]', '', 'g')"
    return f"nullif(trim(regexp_replace({bare}, '[^\\p{{L}}\\p{{N}}]+', ' ', 'g')), '')"


def _person(plain: str) -> str:
    """A plain name without its title."""
    return f"regexp_replace({plain}, '^({_TITLES}) ', '')"


def _squeezed(value: str) -> str:
    return f"nullif(replace({value}, ' ', ''), '')"


def _address(plain: str) -> str:
    """A plain address with its usual words written in one way."""
    for word, short in _STREETS.items():
        plain = f"regexp_replace({plain}, '\\b({short})\\b', '{word}', 'g')"
    return plain


def _digits(value: str) -> str:
    return f"nullif(regexp_replace({value}, '\\D', '', 'g'), '')"


_MONTH_NAMES = (
    *("%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%d-%B-%Y", "%B %d, %Y", "%b %d, %Y", "%d %b, %Y", "%B %d %Y"),
    *("%b %d %Y", "%d%b%Y", "%d-%b-%y", "%d %b %y", "%a %b %d %Y"),
)


def _date(raw: str, order: DateOrder) -> str:
    """Eight digits, year first; what is no date keeps its digits: a typing error may have made it so."""
    value = f"regexp_replace({raw}, '[T ]\\d\\d:.*$', '')"
    ymd = r"^\D*(\d{4})\D+(\d{1,2})\D+(\d{1,2})\D*$"
    ends = r"^\D*(\d{1,2})\D+(\d{1,2})\D+(\d{2,4})\D*$"
    day, month = (2, 1) if order is DateOrder.MDY else (1, 2)
    named = f"strftime(try_strptime({value}, [{', '.join(map(_literal, _MONTH_NAMES))}]), '%Y%m%d')"
    digits = _digits(value)
    if order is DateOrder.DMY:
        whole = f"regexp_matches({value}, '^\\d{{8}}$')"
        digits = f"CASE WHEN {whole} THEN {value}[5:8] || {value}[3:4] || {value}[1:2] ELSE {digits} END"
    return (
        f"CASE WHEN regexp_matches({value}, '[A-Za-z]{{3}}') AND {named} IS NOT NULL THEN {named} "
        f"WHEN regexp_matches({value}, '{ymd}') THEN {_parts(value, ymd, (1, 2, 3))} "
        f"WHEN regexp_matches({value}, '{ends}') THEN {_parts(value, ends, (3, month, day))} "
        f"ELSE {digits} END"
    )


def _parts(value: str, pattern: str, places: tuple[int, int, int]) -> str:
    """Year, month and day at those places of a pattern, as eight digits."""
    year, month, day = (f"regexp_extract({value}, '{pattern}', {place})" for place in places)
    return f"{_year(year)} || lpad({month}, 2, '0') || lpad({day}, 2, '0')"


def _year(year: str) -> str:
    """Four digits of a year; of two digits those up to 29 are of this century."""
    century = f"CASE WHEN {year} < '30' THEN '20' ELSE '19' END"
    return f"CASE WHEN length({year}) = 2 THEN {century} || {year} ELSE {year} END"


def _phone(raw: str) -> str:
    """The last nine digits: country codes and trunk zeros are written or not."""
    digits = _digits(raw)
    return f"CASE WHEN length({digits}) >= 6 THEN right({digits}, 9) END"


class _Cells(NamedTuple):
    """Where a column's trimmed and plain values are."""

    column: Column
    raw: str
    plain: str


def prepare(columns: Sequence[Column], source: str, key: str) -> str:
    """The SQL that gives one row of features for each row of the table ``source``.

    ``key`` is an expression over it that numbers the rows; it becomes ``unique_id``.
    """
    cells = [_Cells(one, f"raw_{n}", f"plain_{n}") for n, one in enumerate(columns) if one.kind in COMPARED]
    raw = ", ".join([f"{key} AS unique_id", *(f"{_trimmed(one.column)} AS {one.raw}" for one in cells)])
    plain = ", ".join(["*", *(f"{_plain(one.raw)} AS {one.plain}" for one in cells)])
    made = ", ".join(["unique_id", *(f"{sql} AS {name}" for name, sql in _features(cells).items())])
    return (
        f"WITH trimmed AS MATERIALIZED (SELECT {raw} FROM {source}), "
        f"plain AS MATERIALIZED (SELECT {plain} FROM trimmed) SELECT {made} FROM plain"
    )


def _features(cells: Sequence[_Cells]) -> dict[str, str]:
    of = {kind: [one for one in cells if one.column.kind is kind] for kind in Kind}
    found = _names(of) | _addresses(of)
    for number, cell in enumerate(of[Kind.BIRTH_DATE], 1):
        found[f"birth_{number}"] = _date(cell.raw, cell.column.order)
    for number, cell in enumerate(of[Kind.EMAIL], 1):
        found[f"email_{number}"] = f"lower(regexp_replace({cell.raw}, '^mailto:|\\s', '', 'g'))"
    for number, cell in enumerate(of[Kind.PHONE], 1):
        found[f"phone_{number}"] = _phone(cell.raw)
    for kind in (Kind.ID, Kind.CATEGORY):
        for number, cell in enumerate(of[kind], 1):
            found[f"{kind}_{number}"] = _squeezed(cell.plain)
    for number, cell in enumerate(of[Kind.TEXT], 1):
        found[f"text_{number}"] = cell.plain
    return found


def _joined(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"nullif(trim(concat_ws(' ', {', '.join(values)})), '')"


def _names(of: dict[Kind, list[_Cells]]) -> dict[str, str]:
    """Given name and surname; a full name is taken apart where its parts are missing."""
    parts: dict[str, list[str]] = {"given": [], "surname": []}
    for name, kind in (("given", Kind.GIVEN_NAME), ("surname", Kind.SURNAME)):
        if of[kind]:
            parts[name].append(_joined([_person(cell.plain) for cell in of[kind]]))
    for cell in of[Kind.FULL_NAME][:1]:
        parts["given"].append(_given_of(cell))
        parts["surname"].append(_surname_of(cell))
    found = {name: _squeezed(f"coalesce({', '.join(values)})") for name, values in parts.items() if values}
    if parts["surname"]:
        whole = f"coalesce({', '.join(parts['surname'])})"
        found["surname_first"] = f"split_part({whole}, ' ', 1)"
        found["surname_last"] = f"split_part({whole}, ' ', -1)"
    return found


def _given_of(full: _Cells) -> str:
    """What is behind a comma, or else the first word."""
    after = _plain(f"regexp_extract({full.raw}, ',(.*)$', 1)")
    first = f"nullif(split_part({_person(full.plain)}, ' ', 1), '')"
    return f"CASE WHEN contains({full.raw}, ',') THEN {after} ELSE {first} END"


def _surname_of(full: _Cells) -> str:
    """What is before a comma, or else all words but the first."""
    plain = _person(full.plain)
    before = _plain(f"split_part({full.raw}, ',', 1)")
    rest = f"nullif(trim(substr({plain}, length(split_part({plain}, ' ', 1)) + 1)), '')"
    return f"CASE WHEN contains({full.raw}, ',') THEN {before} ELSE {rest} END"


def _addresses(of: dict[Kind, list[_Cells]]) -> dict[str, str]:
    found = {}
    streets = [_address(cell.plain) for cell in of[Kind.STREET]]
    for number, street in enumerate(streets, 1):
        found[f"street_{number}"] = _squeezed(f"regexp_replace({street}, '\\b\\d+\\w?\\b', '', 'g')")
    numbers = [cell.plain for cell in of[Kind.HOUSE_NUMBER]]
    if streets and not numbers:
        numbers = [f"nullif(regexp_extract({cell.plain}, '\\b\\d+\\w?\\b'), '')" for cell in of[Kind.STREET]]
    if numbers:
        found["house_number"] = _squeezed(f"coalesce({', '.join(numbers)})")
    for name, kind in (("place", Kind.PLACE), ("post_code", Kind.POST_CODE)):
        if of[kind]:
            found[name] = _squeezed(of[kind][0].plain)
    for number, cell in enumerate(of[Kind.STATE], 1):
        found[f"state_{number}"] = _squeezed(cell.plain)
    return found
