"""Calls in the raw tree: their names and arguments, and what is wrong with them."""

from collections.abc import Iterable
from typing import cast

from lark import Token

from cauce.vocabulary.language.errors import NOT_YET, Fault
from cauce.vocabulary.language.literals import place
from cauce.vocabulary.language.parser import Raw
from cauce.vocabulary.language.tree import Operator, Reducer
from cauce.vocabulary.nearest import did_you_mean

OPERATORS = {str(operator): operator for operator in Operator}
EXTRACTORS = ("trait", "property", "event", "literal")
FILTERS = ("where", "sources", "within", "between")
REDUCERS = {str(reducer): reducer for reducer in Reducer}

_TO_COME = frozenset(
    (
        *("entity", "context", "segment", "was", "became", "held"),
        *("known_never", "known_not", "unknown", "expires_after", "for"),
    )
)


def name_of(call: Raw) -> str:
    """The name of a call; empty for another node."""
    return str(call.children[0]) if call.data == "call" else ""


def arguments_of(call: Raw) -> list[Raw]:
    """The arguments of a call."""
    return cast("list[Raw]", call.children[1:])


def only_argument(call: Raw) -> Raw:
    """The one argument of a call."""
    arguments = [plain_argument(argument) for argument in arguments_of(call)]
    if len(arguments) != 1:
        raise Fault(f"{name_of(call)} takes one value in its brackets.", place(call), expected=("one value",))
    return arguments[0]


def text_argument(call: Raw) -> Token:
    """The token of the one argument of a call, which is a text."""
    argument = only_argument(call)
    if argument.data != "text":
        raise Fault(
            "A text is expected here.",
            place(argument),
            hint="Write it in single quotes.",
            expected=("a text in single quotes",),
        )
    return cast(Token, argument.children[0])


def plain_argument(argument: Raw) -> Raw:
    """The argument, unless it has a form that only later versions know or another function takes."""
    if argument.data in ("named", "qualified"):
        name = cast(Token, argument.children[0])
        if name in ("parent", "calendar"):
            raise to_come(f"{name.value} in brackets", argument)
        raise Fault(f"There is no argument {name.value}.", place(argument), hint="Write the value alone.")
    if argument.data == "options":
        raise Fault("Braces stand only in sources({exclude: [...]}).", place(argument))
    return argument


def to_come(what: str, node: Raw) -> Fault:
    """The fault of what is documented but not there yet."""
    return Fault(
        f"{what} is not supported yet.",
        place(node),
        hint="The reference of the rule language says what this version knows.",
        code=NOT_YET,
    )


def unknown(call: Raw, known: Iterable[str]) -> Fault:
    """The fault of a call that cannot stand where it stands, with the nearest that can."""
    name, names = name_of(call), tuple(known)
    if name in _TO_COME:
        return to_come(f"{name}(…)", call)
    if name in (*OPERATORS, *EXTRACTORS, *FILTERS, *REDUCERS):
        return Fault(
            f"{name}(…) cannot stand here.",
            place(call),
            hint=f"Expected one of {', '.join(names)}.",
            expected=names,
        )
    return Fault(f"There is no function {name}.", place(call), hint=did_you_mean(name, names), expected=names)
