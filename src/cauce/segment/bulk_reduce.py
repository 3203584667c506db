"""What reducers are in SQL: one row per profile from the events that a reduction takes.

The numbers are those of ``language/reduce.py`` to the last digit: sums are exact
whatever their order, as whole numbers and fractions are added apart.
"""

from cauce.segment import bulk_fields as fields
from cauce.segment.bulk_odd import TEXT, leaf
from cauce.vocabulary.language.tree import Kind, Reducer, Reduction

_ORDER = "(time, received, message_id)"
_BILLION = "1000000000::HUGEINT"
_FAR = 15 * 10**28
"""Sums of whole parts beyond this have too many digits anyhow; the billionths of others fit a HUGEINT."""


def reduced(reduction: Reduction, form: fields.Form | None, rows: str) -> str:
    """A query for profile and value of a reduction; ``rows`` are its events, ``form`` the property it reads.

    Columns: profile and ``value``; of reducers that give values of any kind ``leaf`` and ``text``.
    """
    if form is None:
        return f"SELECT event.profile, count(*) AS value {rows} GROUP BY event.profile"
    match reduction.reducer:
        case Reducer.SUM | Reducer.AVG:
            return _summed(reduction, form, rows)
        case Reducer.MIN | Reducer.MAX:
            value = form.text if reduction.of is Kind.TEXT else _number(reduction, form)
            return (
                f"SELECT event.profile, {reduction.reducer}({value}) AS value {rows} GROUP BY event.profile"
            )
        case Reducer.FIRST | Reducer.LAST:
            pick = "arg_min" if reduction.reducer is Reducer.FIRST else "arg_max"
            found = (
                f"SELECT event.profile, {pick}({form.leaf}, {_ORDER}) AS leaf {rows} GROUP BY event.profile"
            )
        case _:
            least = fields.quoted(str(reduction.least))
            listed = f"to_json(list({form.leaf}) FILTER ({form.leaf} IS NOT NULL))::VARCHAR"
            call = (
                f"cauce_mode({listed}, {least})"
                if reduction.reducer is Reducer.MODE
                else f"cauce_unique({listed})"
            )
            found = f"SELECT event.profile, {call} AS leaf {rows} GROUP BY event.profile"
    return f"SELECT profile, leaf, {fields.text_of_leaf('leaf')} AS text FROM ({found})"


def form_of(reduction: Reduction, table: str) -> fields.Form:
    """The value of a reduction among the columns of its table, joined to everybody."""
    value = f"{table}.value"
    match reduction.reducer:
        case Reducer.COUNT:
            return _number_form(f"coalesce({value}, 0)::{fields.NUMBER}")
        case Reducer.SUM:
            return _number_form(f"CASE WHEN {table}.profile IS NULL THEN 0::{fields.NUMBER} ELSE {value} END")
        case Reducer.MIN | Reducer.MAX if reduction.of is Kind.TEXT:
            return fields.Form(f"({fields.quoted(TEXT)} || {value})", value, boolean="NULL::BOOLEAN")
        case Reducer.AVG | Reducer.MIN | Reducer.MAX:
            return _number_form(value)
        case Reducer.UNIQUE:
            nothing = fields.quoted(leaf([]) or "")
            return fields.Form(f"coalesce({table}.leaf, {nothing})", "NULL::VARCHAR")
    return fields.Form(f"{table}.leaf", f"{table}.text")


def _number(reduction: Reduction, form: fields.Form) -> str:
    if reduction.of is Kind.NUMBER:
        return fields.converted(form, Kind.NUMBER)
    return fields.field(form, Kind.NUMBER)


def _number_form(number: str) -> fields.Form:
    return fields.Form(f"({number})::VARCHAR", "NULL::VARCHAR", number, "NULL::BOOLEAN", "NULL::BIGINT")


def _summed(reduction: Reduction, form: fields.Form, rows: str) -> str:
    """The sum or the average; NULL where the sum has more than 38 digits."""
    numbers = f"SELECT event.profile, {_number(reduction, form)} AS x {rows}"
    parts = (
        "SELECT profile, count(x) AS n, coalesce(sum(trunc(x)), 0) AS whole, "
        f"coalesce(sum(x - trunc(x)), 0) AS part FROM ({numbers}) GROUP BY profile"
    )
    near = f"SELECT profile, n, CASE WHEN abs(whole) <= {_FAR} THEN whole END AS whole, part FROM ({parts})"
    fraction = "(part::DECIMAL(28, 9) * 1000000000::DECIMAL(10, 0))::HUGEINT"
    total = f"SELECT profile, n, whole::HUGEINT * {_BILLION} + {fraction} AS total FROM ({near})"
    value = f"CASE WHEN abs(total) < {10**38}::HUGEINT THEN total END"
    if reduction.reducer is Reducer.AVG:
        total = f"SELECT profile, n, {value} AS total FROM ({total})"
        quotient = (
            "SELECT profile, n, sign(total) AS side, abs(total) // n AS q, abs(total) % n AS rest "
            f"FROM ({total})"
        )
        up = "CASE WHEN 2 * rest > n OR (2 * rest = n AND q % 2 = 1) THEN 1 ELSE 0 END"
        total = f"SELECT profile, (q + {up}) * side AS total FROM ({quotient} WHERE n > 0)"
        value = "total"
    return (
        f"SELECT profile, {_decimal('value')} AS value FROM (SELECT profile, {value} AS value FROM ({total}))"
    )


def _decimal(billionths: str) -> str:
    """The number of so many billionths."""
    sign = f"CASE WHEN {billionths} < 0 THEN '-' ELSE '' END"
    whole, rest = f"(abs({billionths}) // {_BILLION})", f"(abs({billionths}) % {_BILLION})"
    return f"({sign} || {whole}::VARCHAR || '.' || lpad({rest}::VARCHAR, 9, '0'))::{fields.NUMBER}"
