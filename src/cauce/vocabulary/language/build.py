"""From the raw tree to the syntax tree: every name known, every argument as its function wants it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from lark import Token

from cauce.vocabulary.language import events
from cauce.vocabulary.language.calls import (
    EXTRACTORS,
    OPERATORS,
    arguments_of,
    name_of,
    only_argument,
    plain_argument,
    text_argument,
    unknown,
)
from cauce.vocabulary.language.check import check, check_conversion
from cauce.vocabulary.language.errors import Fault
from cauce.vocabulary.language.literals import literal, path_of, place
from cauce.vocabulary.language.parser import Raw
from cauce.vocabulary.language.paths import Path
from cauce.vocabulary.language.tree import (
    SYMBOLS,
    And,
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
from cauce.vocabulary.language.values import CONVERT
from cauce.vocabulary.nearest import did_you_mean

Expressions = Mapping[str, Reduction]
"""The expressions of computed traits, by the name of the trait in NFC."""

MOST_COMPARISONS = 50
"""The most primary expressions of a rule (``field.md`` 2.10)."""

_BY_SYMBOL = {symbol: operator for operator, symbol in SYMBOLS.items()} | {"==": Operator.EQUALS}
_MIRRORED = {
    Operator.GREATER_THAN: Operator.LESS_THAN,
    Operator.AT_LEAST: Operator.AT_MOST,
    Operator.LESS_THAN: Operator.GREATER_THAN,
    Operator.AT_MOST: Operator.AT_LEAST,
}
_TAKES_NOTHING = (Operator.ABSENT, Operator.EXISTS)
_TAKES_LENGTH = (Operator.WITHIN_LAST, Operator.WITHIN_NEXT, Operator.BEFORE_LAST, Operator.AFTER_NEXT)
_TAKES_SEVERAL = (
    *(Operator.CONTAINS, Operator.OMITS, Operator.STARTS_WITH, Operator.ENDS_WITH),
    *(Operator.ONE_OF, Operator.NONE_OF),
)


class Builder:
    """Builds one rule; a ``Fault`` tells what is wrong and where."""

    def __init__(self, computed: Expressions) -> None:
        self._comparisons = 0
        self._in_event = False
        self._computed = computed

    def value(self, node: Raw) -> Reduction:
        """The value of events that a raw node stands for, as a computed trait is one."""
        operand = self.operand(node)
        if not isinstance(operand, Reduction):
            raise Fault(
                "A computed trait is a value of events.",
                place(node),
                hint="Write event('Name') and a reducer, as in event('Order Completed').sum('total').",
                expected=("event('Name')",),
            )
        return operand

    def condition(self, node: Raw) -> Condition:
        """The condition that a raw node stands for."""
        parts = cast("list[Raw]", node.children)
        match node.data:
            case "disjunction":
                return Or(tuple(map(self.condition, parts)))
            case "conjunction":
                return And(tuple(map(self.condition, parts)))
            case "not":
                return Not(self.condition(parts[0]))
            case "comparison":
                return self._by_symbol(node)
            case "chain" if name_of(parts[-1]) in OPERATORS:
                head = parts[0] if len(parts) == 2 else Raw("chain", [*parts[:-1]], node.meta)
                return self._by_name(parts[-1], self.operand(head), arguments_of(parts[-1]))
            case "call" if name_of(node) in OPERATORS and len(parts) > 1:
                left, *right = arguments_of(node)
                return self._by_name(node, self.operand(left), right)
        self.operand(node)
        raise Fault(
            "This is a value; a condition is expected here.",
            place(node),
            hint="Compare it, for example with >= 1, or ask .exists().",
            expected=(*_BY_SYMBOL, *OPERATORS),
        )

    def operand(self, node: Raw) -> Operand:
        """The value that a raw node stands for."""
        match plain_argument(node).data:
            case "text" | "number" | "true" | "false" | "null" | "list":
                return literal(node)
            case "cast":
                return self._cast(node)
            case "call" if name_of(node) not in OPERATORS or len(node.children) == 1:
                return self._extractor(node)
            case "chain" if name_of(cast(Raw, node.children[-1])) not in OPERATORS:
                return self._chain(node)
            case "duration":
                raise Fault("A length of time is no value.", place(node), hint="Compare by within_last(…).")
        raise Fault(
            "This is a condition; a value is expected here.",
            place(node),
            hint="Compare values; join conditions by AND and OR.",
        )

    def _by_symbol(self, node: Raw) -> Comparison:
        left_node, symbol, right_node = cast("tuple[Raw, Token, Raw]", tuple(node.children))
        operator = _BY_SYMBOL[symbol.value]
        left, right = self.operand(left_node), self.operand(right_node)
        if isinstance(left, Literal) and not isinstance(right, Literal):
            left, right, operator = right, left, _MIRRORED.get(operator, operator)
        return self._comparison(left, operator, (right,), place(node))

    def _by_name(self, call: Raw, left: Operand, arguments: list[Raw]) -> Comparison:
        operator = OPERATORS[name_of(call)]
        right: list[Operand | Duration] = []
        for argument in arguments:
            if operator in _TAKES_LENGTH:
                right.append(events.length(argument))
            elif operator in _TAKES_SEVERAL and argument.data == "list":
                right.extend(literal(cast(Raw, element)) for element in argument.children)
            else:
                right.append(self.operand(argument))
        wanted = "at least one value" if operator in _TAKES_SEVERAL else "one value"
        if operator in _TAKES_NOTHING:
            wanted = "nothing"
        if len(right) != (operator not in _TAKES_NOTHING) and not (operator in _TAKES_SEVERAL and right):
            raise Fault(f"{operator} takes {wanted} in its brackets.", place(call), expected=(wanted,))
        return self._comparison(left, operator, tuple(right), place(call))

    def _comparison(
        self, left: Operand, operator: Operator, right: tuple[Operand | Duration, ...], position: int
    ) -> Comparison:
        self._comparisons += 1
        if self._comparisons > MOST_COMPARISONS:
            raise Fault(
                f"A rule has at most {MOST_COMPARISONS} comparisons.",
                position,
                hint="Split it into several segments.",
            )
        if isinstance(left, Literal):
            raise Fault(
                "A constant is compared here.",
                left.position,
                hint="Put trait(…), property(…) or event(…).count() first.",
            )
        comparison = Comparison(left, operator, right)
        check(comparison, position)
        return comparison

    def _cast(self, node: Raw) -> Operand:
        inner, name = cast("tuple[Raw, Token]", tuple(node.children))
        operand = self.operand(inner)
        kinds = {str(kind): kind for kind in CONVERT}
        kind = kinds.get(name.value)
        if kind is None:
            raise Fault(
                f"There is no conversion to {name.value}.",
                place(name),
                hint=did_you_mean(name.value, kinds),
                expected=tuple(kinds),
            )
        if operand.cast is not None:
            raise Fault("This value needs no conversion.", place(name), hint=f"Take out: as {kind}.")
        if isinstance(operand, Literal):
            return _constant(operand, kind)
        if isinstance(operand, Reduction):
            check_conversion(operand, kind, place(name))
            return replace(operand, cast=kind)
        return type(operand)(operand.path, kind, operand.position)

    def _extractor(self, call: Raw) -> Operand:
        name = name_of(call)
        if name not in EXTRACTORS:
            raise unknown(call, (*EXTRACTORS, *OPERATORS))
        if name == "event":
            return self._reduction(call, [])
        if name == "literal":
            return literal(_constant_argument(call))
        path, position = path_of(text_argument(call)), place(call)
        if name == "trait":
            return self._trait(path, position)
        if not self._in_event:
            raise Fault("A property belongs to an event.", position, hint="Use it in event(…).where(…).")
        return Property(path, position=position)

    def _chain(self, node: Raw) -> Operand:
        head, *calls = cast("list[Raw]", node.children)
        if name_of(head) == "event":
            return self._reduction(head, calls)
        if head.data == "call" and name_of(head) in OPERATORS:
            raise Fault(f"{name_of(calls[0])}(…) cannot follow a condition.", place(calls[0]))
        self.operand(head)
        raise unknown(calls[0], OPERATORS)

    def _trait(self, path: Path, position: int) -> Operand:
        """A trait, or the expression of a computed one in its place."""
        try:
            reduction = self._computed.get(path[0])
        except Fault as fault:  # the expression of that trait has no meaning
            fault.position = position
            raise
        if reduction is None:
            return Trait(path, position=position)
        if len(path) > 1:
            raise Fault(
                f"The computed trait {path[0]} has no parts.",
                position,
                hint=f"Write trait('{path[0]}'); let its expression read the part.",
            )
        return replace(reduction, position=position, trait=path[0])

    def _reduction(self, event: Raw, calls: list[Raw]) -> Reduction:
        return events.reduction(event, calls, self._where)

    def _where(self, node: Raw) -> Condition:
        outside, self._in_event = self._in_event, True
        condition = self.condition(node)
        self._in_event = outside
        return condition


def _constant_argument(call: Raw) -> Raw:
    argument = only_argument(call)
    if argument.data not in ("text", "number", "true", "false", "null", "list"):
        raise Fault("literal takes a constant in its brackets.", place(argument), expected=("a constant",))
    return argument


def _constant(constant: Literal, kind: Kind) -> Literal:
    value = CONVERT[kind](constant.value)
    if value is None:
        raise Fault(f"This constant cannot be read as a {kind}.", constant.position)
    if kind is Kind.TIME:
        return Literal(constant.value, kind, constant.position)
    return Literal(value, position=constant.position)
