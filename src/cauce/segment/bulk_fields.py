"""SQL that reads values of JSON documents exactly as the rule language does.

A *leaf* is a value as text: NULL if absent, the JSON text of a plain boolean,
number or text, and whatever ``bulk_odd.leaf`` gives for anything else. Each kind
has an expression over a leaf: the comparable form, NULL for other kinds. DuckDB
computes an expression as often as it is written, so what is used more than once
is a column of an inner query.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cauce.eventlog.promoted import PROPERTIES, Column, column_name
from cauce.segment.bulk_odd import BETWEEN, TEXT, leaf
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.language.paths import ASCII_TWINS, Path, one_spelling
from cauce.vocabulary.language.tree import Kind, Literal, number_text
from cauce.vocabulary.language.values import INCOMPARABLE, moment, plain
from cauce.vocabulary.moment import Moment

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_ -]+", re.ASCII)
"""Names that JSON text spells in one way, apart from escapes by ``\\u``, and JSON paths take as they are."""

# Scripts whose Unicode normalization is the same in every version of Unicode since 5.
_PLAIN_SCRIPTS = r"[\x{20}-\x{07FF}\x{2000}-\x{20CF}\x{3000}-\x{30FF}\x{4E00}-\x{9FFF}\x{AC00}-\x{D7A3}]*"
# A JSON reader may take numbers for binary floats; these it gives back to the ninth decimal.
_PLAIN_NUMBER = r"-?[0-9]{1,18}|-?[0-9]{1,6}\.[0-9]{1,9}"
_PLAIN_LEAF = f'{_PLAIN_NUMBER}|true|false|"{_PLAIN_SCRIPTS}"'
_PLAIN_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z)?"
_PLAIN_DIGITS = r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?"

NUMBER = "DECIMAL(38, 9)"


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def named(column: str, name: str) -> str:
    """Whether a column holds a name, in whatever Unicode form (``language.md``, points left open)."""
    if one_spelling(name):
        return f"{column} = {quoted(name)}"
    composed = (
        f"CASE WHEN regexp_full_match({column}, {quoted(_PLAIN_SCRIPTS)}) "
        f"THEN nfc_normalize({column}) ELSE cauce_nfc({column}) END"
    )
    return f"{composed} = {quoted(name)}"


class Form(NamedTuple):
    """A value in SQL: a column with its leaf, and one with its text in NFC if it is a text.

    ``number``, ``boolean`` and ``time`` are columns with the comparable forms, or
    empty where these are to be made from leaf and text.
    """

    leaf: str
    text: str
    number: str = ""
    boolean: str = ""
    time: str = ""


def property_form(name: str) -> Form:
    """The value of a property among the columns of ``property_columns``."""
    return Form(name, *(f"{name}_{kind}" for kind in ("text", "number", "boolean", "time")))


class Events(NamedTuple):
    """Some of the events as SQL, and the paths of properties that need no reading of ``body``.

    ``typed`` gives for each such path the promoted columns that are there
    (``eventlog.promoted``); the others would be null throughout.
    """

    sql: str
    typed: Mapping[Path, tuple[Column, ...]]


_BESIDE = ("profile", "time", "received", "message_id")
"""What ``property_columns`` gives of an event beside its properties."""


def property_columns(relation: Sequence[Events], paths: Mapping[Path, str], where: str) -> str:
    """A query for the events ``where`` lets through: who and when, and the forms of each property by name.

    Columns: ``_BESIDE``, and those of ``property_form``.
    """
    return " UNION ALL ".join(_properties(part, paths, where) for part in relation)


def _properties(events: Events, paths: Mapping[Path, str], where: str) -> str:
    found, leaves, forms = [], [], []
    for path, name in paths.items():
        if path in events.typed:
            forms += _typed(path, events.typed[path], name)
            continue
        odd = f"cauce_event_leaf(body, call, {quoted(encode_json(path).decode())})"
        names = ("properties", *path)
        if all(map(_PLAIN_NAME.fullmatch, names)):
            found.append(f"json_extract(body, {quoted(_json_path(names))})::VARCHAR AS {name}_found")
            ambiguous = f"regexp_matches(body, {quoted(_repeated(names))})"
            if path[0] in ("page_name", "screen_name"):
                ambiguous += " OR call IN ('page', 'screen')"
            odd = f"CASE WHEN {ambiguous} THEN {odd} ELSE {_plain_or(f'{name}_found', odd)} END"
        leaves.append(f"{odd} AS {name}")
        forms += [name, f"{text_of_leaf(name)} AS {name}_text"]
        forms += [f"{_of_leaf(name, kind)} AS {name}_{kind}" for kind in (Kind.NUMBER, Kind.BOOLEAN)]
        forms.append(f"{moment_of(text_of_leaf(name))} AS {name}_time")
    rows = f"(SELECT {', '.join(['*', *found])} FROM {events.sql} WHERE {where})"
    if leaves:
        rows = f"(SELECT {', '.join(['*', *leaves])} FROM {rows})"
    return f"SELECT {', '.join([*_BESIDE, *forms])} FROM {rows}"


def _typed(path: Path, there: Sequence[Column], name: str) -> list[str]:
    """The forms of a property, given its promoted columns."""
    column = {kind: _identifier(column_name((PROPERTIES, *path), kind)) for kind in there}
    leaves = {
        Column.NUMBER: f"{_digits('{}')}",
        Column.TEXT: f"{quoted(TEXT)} || {{}}",
        Column.BOOLEAN: "{}::VARCHAR",
        Column.JSON: "cauce_json_leaf({})",
    }
    leaf = [leaves[kind].format(column[kind]) for kind in leaves if kind in column]
    time = f"epoch_us({column[Column.TIME]})" if Column.TIME in column else "NULL::BIGINT"
    return [
        f"{f'coalesce({chr(44).join(leaf)})' if leaf else 'NULL::VARCHAR'} AS {name}",
        f"{column.get(Column.TEXT, 'NULL::VARCHAR')} AS {name}_text",
        f"{column.get(Column.NUMBER, f'NULL::{NUMBER}')} AS {name}_number",
        f"{column.get(Column.BOOLEAN, 'NULL::BOOLEAN')} AS {name}_boolean",
        f"{time} AS {name}_time",
    ]


def _identifier(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def trait_columns(relation: str, path: Path, name: str) -> str:
    """A query for profile, leaf and text of a trait or of what a path leads to in it."""
    odd = f"cauce_trait_leaf(value, {quoted(encode_json(path[1:]).decode())})"
    leaf_of = odd if path[1:] else _plain_or("value", odd)
    return _leaves(f"(SELECT * FROM {relation} WHERE {named('name', path[0])})", [(name, leaf_of)])


def _leaves(rows: str, read: Sequence[tuple[str, str]]) -> str:
    leaves = "".join(f", {expression} AS {name}" for name, expression in read)
    texts = "".join(f", {text_of_leaf(name)} AS {name}_text" for name, _ in read)
    return f"SELECT *{texts} FROM (SELECT profile{leaves} FROM {rows})"


def text_of_leaf(form: str) -> str:
    """The text in NFC that a leaf stands for, NULL if it is no text."""
    return (
        f"CASE WHEN starts_with({form}, '\"') THEN nfc_normalize(json_extract_string({form}, '$')) "
        f"WHEN starts_with({form}, '{TEXT}') THEN substr({form}, 2) END"
    )


def _plain_or(found: str, odd: str) -> str:
    """The value as found if it is absent or plain."""
    plain_leaf = f"regexp_full_match({found}, {quoted(_PLAIN_LEAF)}) AND NOT contains({found}, '\\u')"
    absent = f"{found} IS NULL OR {found} = 'null'"
    return f"CASE WHEN {absent} THEN NULL WHEN {plain_leaf} THEN {found} ELSE {odd} END"


def _json_path(names: Path) -> str:
    return "$" + "".join(f'."{name}"' for name in names)


def _repeated(names: Path) -> str:
    """A pattern of documents in which a name may occur twice or be spelled by an escape."""
    twice = [f'"{name}".*"{name}"' for name in dict.fromkeys(names)]
    twins = [twin for letter, twin in ASCII_TWINS.items() if any(letter in name for name in names)]
    return "(?s)" + "|".join([*twice, *twins, r"\\u"])


def field(form: Form, kind: Kind) -> str:
    """The comparable form of a value as one kind; a text is read as a time where TIME is asked for."""
    match kind:
        case Kind.NUMBER:
            return form.number or _of_leaf(form.leaf, kind)
        case Kind.BOOLEAN:
            return form.boolean or _of_leaf(form.leaf, kind)
        case Kind.TEXT:
            return form.text
        case Kind.TIME:
            return form.time or moment_of(form.text)
    bracket = "[" if kind is Kind.LIST else "{"
    return (
        f"CASE WHEN starts_with({form.leaf}, '{bracket}') "
        f"AND NOT contains({form.leaf}, {quoted(INCOMPARABLE)}) THEN {form.leaf} END"
    )


def _of_leaf(leaf: str, kind: Kind) -> str:
    """A number or boolean made from a leaf."""
    if kind is Kind.NUMBER:
        return f"TRY_CAST({leaf} AS {NUMBER})"
    return f"CASE {leaf} WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END"


def moment_of(text: str) -> str:
    """The microseconds of the moment that a text names (``moment.parse_iso``)."""
    return (
        f"CASE WHEN regexp_full_match({text}, {quoted(_PLAIN_TIME)}) AND NOT starts_with({text}, '0000') "
        f"THEN epoch_us(TRY_CAST(rtrim({text}, 'Z') AS TIMESTAMP)) "
        f"WHEN regexp_matches({text}, '^[0-9]{{4}}') THEN cauce_moment({text}) END"
    )


def converted(form: Form, kind: Kind) -> str:
    """The comparable form of a value converted by ``as``."""
    if kind is Kind.TIME:
        return field(form, kind)
    number = field(form, Kind.NUMBER)
    if kind is Kind.NUMBER:
        plain_digits = f"regexp_full_match({form.text}, {quoted(_PLAIN_DIGITS)})"
        digits = f"CASE WHEN {plain_digits} THEN {form.text} ELSE cauce_digits({form.text}) END"
        return f"coalesce({number}, TRY_CAST({digits} AS {NUMBER}))"
    boolean = f"CASE WHEN {form.leaf} IN ('true', 'false') THEN {form.leaf} END"
    return f"coalesce({form.text}, {boolean}, {_digits(number)})"


def element(form: Form) -> str:
    """The canonical text of a value as an element of a list."""
    return f"cauce_element({form.leaf})"


def list_of(form: Form) -> str:
    """The leaf of a list, also of one with an element that equals nothing."""
    return f"CASE WHEN starts_with({form.leaf}, '[') THEN {form.leaf} END"


def element_of(form: str, kind: Kind) -> str:
    """The canonical text of a comparable form, as an element of a list."""
    if kind is Kind.NUMBER:
        return _digits(form)
    return f"cauce_element({quoted(TEXT)} || {form})"


def _digits(number: str) -> str:
    return f"rtrim(rtrim(({number})::VARCHAR, '0'), '.')"


def holds_element(form: str, canonical: str) -> str:
    """Whether a list has an element with that canonical text."""
    between = quoted(BETWEEN)
    return (
        f"(contains({form}, {between} || {canonical} || {between}) "
        f"AND NOT contains({canonical}, {quoted(INCOMPARABLE)}))"
    )


def constant(literal: Literal, kind: Kind) -> str:
    """A literal in its comparable form."""
    value = literal.value
    if kind is Kind.TIME:
        return integer(moment(value))
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, tuple):
        return quoted(leaf(plain(value)) or "")
    return f"{quoted(number_text(value))}::{NUMBER}"


def integer(moment: Moment | None) -> str:
    """A moment as an SQL literal; NULL of None."""
    return "NULL" if moment is None else f"{moment}::BIGINT"
