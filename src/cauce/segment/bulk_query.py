"""From the syntax tree of a rule to one SQL query that gives its members (DuckDB's dialect).

Every distinct trait and every distinct reduction is a common table expression with a
row per profile; the query joins them to the people and applies the condition.
No condition is ever NULL: a comparison with an absent value is false (rule 8).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from cauce.segment import bulk_fields as fields
from cauce.segment.bulk_reduce import form_of, reduced
from cauce.vocabulary.language.check import ORDERED, kinds
from cauce.vocabulary.language.mentions import operands, own_operands
from cauce.vocabulary.language.paths import Path
from cauce.vocabulary.language.tree import (
    SYMBOLS,
    Comparison,
    Condition,
    Duration,
    Kind,
    Literal,
    Not,
    Operand,
    Operator,
    Or,
    Property,
    Reduction,
    Trait,
)
from cauce.vocabulary.language.values import canonical, plain
from cauce.vocabulary.moment import Moment


class Relations(NamedTuple):
    """The tables or views that hold events, traits and people, as SQL; the events in parts."""

    events: Sequence[fields.Events]
    traits: str
    people: str


def members_query(condition: Condition, at: Moment, relations: Relations) -> str:
    """The query whose one column is the profiles for which a condition holds at a moment, ascending."""
    query = _Query(condition, at, relations)
    return query.text("people.profile", condition, f"WHERE {query.condition(condition)}")


def values_query(reduction: Reduction, at: Moment, relations: Relations) -> str:
    """The query for every profile, ascending, and the leaf of a reduction's value, before ``as``."""
    value = replace(reduction, cast=None)
    condition = Comparison(value, Operator.EXISTS)
    query = _Query(condition, at, relations)
    return query.text(f"people.profile, {query.leaf(value)} AS leaf", condition, "")


class _Query:
    """Names the tables and columns of one query."""

    def __init__(self, condition: Condition, at: Moment, relations: Relations) -> None:
        self._at = at
        self._relations = relations
        found = list(dict.fromkeys(operands(condition)))
        reductions = list(dict.fromkeys(_inside_out(condition)))
        traits = dict.fromkeys(o.path for o in found if isinstance(o, Trait))
        read = [o.path for o in found if isinstance(o, Property)]
        properties = dict.fromkeys([*read, *(o.path for o in reductions if o.path)])
        self._traits: dict[Path, str] = {path: f"trait{n}" for n, path in enumerate(traits)}
        self._properties: dict[Path, str] = {path: f"property{n}" for n, path in enumerate(properties)}
        self._reductions = {o: f"{o.reducer}{n}" for n, o in enumerate(reductions)}

    def text(self, columns: str, condition: Condition, filtered: str) -> str:
        """The whole query: these columns of everybody whom the filter lets through, ascending."""
        tables = ", ".join([*self.trait_tables(), *self.reduction_tables()])
        joins = self.joins(own_operands(condition), "people")
        rows = f"{self._relations.people} AS people{joins} {filtered}"
        with_tables = f"WITH {tables} " if tables else ""
        return f"{with_tables}SELECT {columns} FROM {rows} ORDER BY people.profile"

    def leaf(self, operand: Operand) -> str:
        """The leaf of an operand that is not converted."""
        return self._form(operand).leaf

    def trait_tables(self) -> Iterable[str]:
        """A table with the leaf of each trait."""
        for path, table in self._traits.items():
            yield f"{table} AS ({fields.trait_columns(self._relations.traits, path, table)})"

    def reduction_tables(self) -> Iterable[str]:
        """A table with the value of each reduction, for profiles that have such events."""
        for reduction, table in self._reductions.items():
            inner = list(own_operands(reduction.where)) if reduction.where else []
            read = Property(reduction.path) if reduction.path else None
            properties = [o.path for o in (*inner, read) if isinstance(o, Property)]
            paths = {path: self._properties[path] for path in dict.fromkeys(properties)}
            events = fields.property_columns(self._relations.events, paths, self._eligible(reduction))
            filtered = f" WHERE {self.condition(reduction.where)}" if reduction.where else ""
            rows = f"FROM ({events}) AS event{self.joins(inner, 'event')}{filtered}"
            yield f"{table} AS ({reduced(reduction, self._form(read) if read else None, rows)})"

    def joins(self, found: Iterable[Operand], base: str) -> str:
        """Left joins of the tables of these operands to a base table."""
        operands = list(found)
        tables = [self._traits[o.path] for o in operands if isinstance(o, Trait)]
        tables += [self._reductions[o] for o in operands if isinstance(o, Reduction)]
        return "".join(f" LEFT JOIN {t} ON {t}.profile = {base}.profile" for t in dict.fromkeys(tables))

    def condition(self, condition: Condition) -> str:
        """A condition, in brackets, never NULL."""
        if isinstance(condition, Comparison):
            return f"coalesce({self._comparison(condition)}, FALSE)"
        if isinstance(condition, Not):
            return f"(NOT {self.condition(condition.condition)})"
        word = " OR " if isinstance(condition, Or) else " AND "
        return f"({word.join(map(self.condition, condition.conditions))})"

    def _eligible(self, events: Reduction) -> str:
        """Which events a reduction looks at, before ``where``."""
        start = events.window.start if events.window else 0
        tests = [
            fields.named("name", events.event),
            f"time <= {fields.integer(Moment(self._at - start))}",
        ]
        if events.window is not None:
            tests.append(f"time > {fields.integer(Moment(self._at - events.window.end))}")
        if events.excluded:
            tests.append(f"source NOT IN ({', '.join(map(fields.quoted, events.excluded))})")
        return " AND ".join(tests)

    def _comparison(self, comparison: Comparison) -> str:
        left, operator, right = comparison.left, comparison.operator, comparison.right
        if isinstance(right[0] if right else None, Duration):
            return self._relative(comparison)
        values = [operand for operand in right if not isinstance(operand, Duration)]
        match operator:
            case Operator.EXISTS:
                return self._exists(left)
            case Operator.ABSENT:
                return f"NOT ({self._exists(left)})"
            case Operator.CONTAINS:
                return self._contains(left, values)
            case Operator.OMITS:
                kinds_held = [self._as(left, Kind.TEXT), self._list_of(left)]
                held = " OR ".join(f"{form} IS NOT NULL" for form in kinds_held if form)
                return f"({held}) AND NOT coalesce({self._contains(left, values)}, FALSE)"
            case Operator.STARTS_WITH | Operator.ENDS_WITH:
                text = self._as(left, Kind.TEXT)
                return _any(f"{operator}({text}, {self._as(value, Kind.TEXT)})" for value in values)
            case Operator.BEFORE_DATE | Operator.AFTER_DATE:
                sign = "<" if operator is Operator.BEFORE_DATE else ">"
                return f"{self._as(left, Kind.TIME)} {sign} {self._as(values[0], Kind.TIME)}"
            case Operator.ONE_OF:
                return _any(self._related(left, "=", value) for value in values)
            case Operator.NONE_OF | Operator.DIFFERS:
                equal = _any(self._related(left, "=", value) for value in values)
                also = f" AND {self._exists(values[0])}" if operator is Operator.DIFFERS else ""
                return f"{self._exists(left)}{also} AND NOT ({equal})"
        return self._related(left, SYMBOLS[operator], values[0])

    def _relative(self, comparison: Comparison) -> str:
        length = comparison.right[0].length if isinstance(comparison.right[0], Duration) else 0
        time = self._as(comparison.left, Kind.TIME)
        now, ago, ahead = (fields.integer(Moment(self._at + d)) for d in (0, -length, length))
        match comparison.operator:
            case Operator.WITHIN_LAST:
                return f"{time} > {ago} AND {time} <= {now}"
            case Operator.WITHIN_NEXT:
                return f"{time} > {now} AND {time} <= {ahead}"
            case Operator.BEFORE_LAST:
                return f"{time} <= {ago}"
        return f"{time} > {ahead}"

    def _related(self, left: Operand, sign: str, right: Operand) -> str:
        """The relation within each kind that both sides can have."""
        shared = kinds(left) & kinds(right)
        if sign != "=":
            shared &= ORDERED
        return _any(f"{self._as(left, kind)} {sign} {self._as(right, kind)}" for kind in sorted(shared))

    def _contains(self, left: Operand, values: list[Operand]) -> str:
        tests = []
        text, elements = self._as(left, Kind.TEXT), self._list_of(left)
        for value in values:
            if Kind.TEXT in kinds(value):
                tests.append(f"contains({text}, {self._as(value, Kind.TEXT)})")
            if elements:
                tests.append(fields.holds_element(elements, self._element(value)))
        return _any(tests)

    def _list_of(self, operand: Operand) -> str:
        """The leaf of a list, NULL of anything else; empty if the operand can be no list."""
        return fields.list_of(self._form(operand)) if Kind.LIST in kinds(operand) else ""

    def _element(self, operand: Operand) -> str:
        if isinstance(operand, Literal):
            return fields.quoted(canonical(plain(operand.value)))
        if operand.cast is not None:
            (kind,) = kinds(operand)
            return fields.element_of(self._as(operand, kind), kind)
        return fields.element(self._form(operand))

    def _exists(self, operand: Operand) -> str:
        if isinstance(operand, Literal):
            return "TRUE"
        if operand.cast is not None:
            return f"({self._as(operand, operand.cast)}) IS NOT NULL"
        return f"{self._form(operand).leaf} IS NOT NULL"

    def _as(self, operand: Operand, kind: Kind) -> str:
        """The comparable form of an operand as one kind that it can have."""
        if isinstance(operand, Literal):
            return fields.constant(operand, kind)
        form = self._form(operand)
        if operand.cast is None:
            return fields.field(form, kind)
        value = fields.converted(form, operand.cast)
        return fields.moment_of(value) if kind is not operand.cast else value

    def _form(self, operand: Operand) -> fields.Form:
        if isinstance(operand, Trait):
            name = self._traits[operand.path]
            return fields.Form(f"{name}.{name}", f"{name}.{name}_text")
        if isinstance(operand, Property):
            return fields.property_form(f"event.{self._properties[operand.path]}")
        if isinstance(operand, Reduction):
            return form_of(operand, self._reductions[operand])
        raise TypeError("only traits and properties are read from documents")


def _inside_out(condition: Condition) -> Iterator[Reduction]:
    """The reductions of a condition, those inside a ``where`` before the one they stand in."""
    for operand in own_operands(condition):
        if isinstance(operand, Reduction):
            if operand.where is not None:
                yield from _inside_out(operand.where)
            yield operand


def _any(tests: Iterable[str]) -> str:
    """One of the tests at least; none of them is NULL afterwards."""
    return "(" + " OR ".join(f"coalesce({test}, FALSE)" for test in tests) + ")"
