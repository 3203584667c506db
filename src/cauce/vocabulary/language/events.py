"""Chains on ``event(…)``: filters in any order, then a reducer."""

from collections.abc import Callable
from typing import NamedTuple, cast

from lark import Token

from cauce.vocabulary.language.calls import (
    FILTERS,
    OPERATORS,
    REDUCERS,
    arguments_of,
    name_of,
    only_argument,
    plain_argument,
    text_argument,
    unknown,
)
from cauce.vocabulary.language.errors import Fault
from cauce.vocabulary.language.literals import duration, number_of, path_of, place, text_of
from cauce.vocabulary.language.parser import Raw
from cauce.vocabulary.language.paths import Path, nfc
from cauce.vocabulary.language.tree import LEAST, Condition, Duration, Kind, Reducer, Reduction, Window
from cauce.vocabulary.nearest import did_you_mean


def reduction(event: Raw, calls: list[Raw], where: Callable[[Raw], Condition]) -> Reduction:
    """The value that a chain of calls on an event stands for; ``where`` builds its condition."""
    name = nfc(text_of(text_argument(event)))
    if not name:
        raise Fault("The event has no name.", place(event), hint="Write the name of an event.")
    found = _by_name(calls)
    last = next((call for name, call in found.items() if name in REDUCERS), None)
    if last is None:
        raise Fault(
            "The events are not counted.",
            place(event),
            hint="End with .count() and compare it, or with another reducer.",
            expected=tuple(f".{reducer}()" for reducer in REDUCERS),
        )
    reads = _read_by(last)
    return Reduction(
        event=name,
        where=where(only_argument(found["where"])) if "where" in found else None,
        excluded=_excluded(found["sources"]) if "sources" in found else (),
        window=_window(found),
        reducer=REDUCERS[name_of(last)],
        path=reads.path,
        of=reads.of,
        least=reads.least,
        position=place(event),
    )


class _Reads(NamedTuple):
    """What a reducer reads: the arguments in its brackets."""

    path: Path = ()
    of: Kind | None = None
    least: int = LEAST


def _read_by(call: Raw) -> _Reads:
    reducer, arguments = REDUCERS[name_of(call)], arguments_of(call)
    if reducer is Reducer.COUNT:
        if arguments:
            raise Fault("count takes nothing in its brackets.", place(call), expected=("count()",))
        return _Reads()
    most = 2 if reducer is Reducer.MODE else 1
    if not 1 <= len(arguments) <= most:
        wanted = f"{reducer}('property')" if most == 1 else f"{reducer}('property', {LEAST})"
        raise Fault(f"{reducer} takes a property in its brackets.", place(call), expected=(wanted,))
    argument = plain_argument(arguments[0])
    of = None
    if argument.data == "cast":
        inner, name = cast("tuple[Raw, Token]", tuple(argument.children))
        argument, of = plain_argument(inner), _kind_read(reducer, name)
    least = _least(plain_argument(arguments[1])) if len(arguments) == 2 else LEAST
    return _Reads(_property(argument), of, least)


def _property(argument: Raw) -> Path:
    if argument.data == "call" and name_of(argument) == "property":
        return path_of(text_argument(argument))
    if argument.data != "text":
        raise Fault(
            "The name of a property is expected here.",
            place(argument),
            hint="Write it in single quotes, or property('name').",
            expected=("a text in single quotes", "property('name')"),
        )
    return path_of(cast(Token, argument.children[0]))


def _kind_read(reducer: Reducer, name: Token) -> Kind:
    """What ``as`` says in the brackets of a reducer: texts alone, or converted numbers."""
    known = {"number": Kind.NUMBER}
    if reducer in (Reducer.MIN, Reducer.MAX):
        known |= {"string": Kind.TEXT, "text": Kind.TEXT}
    if reducer not in (Reducer.SUM, Reducer.AVG, Reducer.MIN, Reducer.MAX):
        raise Fault(
            f"{reducer} takes values as they are.",
            place(name),
            hint=f"Convert what it gives: (event(…).{reducer}('property')) as {name.value}.",
        )
    if name.value not in known:
        raise Fault(
            f"{reducer} takes no values as {name.value}.",
            place(name),
            hint=did_you_mean(name.value, known),
            expected=tuple(f"as {kind}" for kind in known),
        )
    return known[name.value]


def _least(node: Raw) -> int:
    value = number_of(cast(Token, node.children[0])) if node.data == "number" else None
    if not isinstance(value, int) or not 1 <= value <= MOST_LEAST:
        raise Fault(
            "How often a value must be seen is a whole number.",
            place(node),
            hint=f"Write a number from 1 to {MOST_LEAST:,}.",
            expected=("a whole number",),
        )
    return value


MOST_LEAST = 1_000_000
"""The greatest number of times that ``mode`` can ask for."""


def _by_name(calls: list[Raw]) -> dict[str, Raw]:
    found: dict[str, Raw] = {}
    last = ""
    for call in calls:
        name = name_of(call)
        if last:
            raise Fault(f"{name}(…) cannot follow {last}().", place(call), expected=tuple(OPERATORS))
        if name not in FILTERS and name not in REDUCERS:
            raise unknown(call, (*FILTERS, *REDUCERS))
        if name in found:
            raise Fault(f"{name}(…) is given twice.", place(call), hint="Keep one; join conditions by AND.")
        found[name] = call
        last = name if name in REDUCERS else ""
    return found


def _window(found: dict[str, Raw]) -> Window | None:
    within, between = found.get("within"), found.get("between")
    if within is not None and between is not None:
        raise Fault("There are two windows.", place(between), hint="Keep within(…) or between(…).")
    if within is not None:
        window = Window(0, length(only_argument(within)).length)
    elif between is not None:
        ages = arguments_of(between)
        if len(ages) != 2:
            raise Fault("between takes two lengths of time in its brackets.", place(between))
        window = Window(*(length(plain_argument(age)).length for age in ages))
    else:
        return None
    if window.start >= window.end:
        raise Fault(
            "No event is ever in this window.",
            place(within or cast(Raw, between)),
            hint="Write the shorter length first, as in between(7 days, 10 days), and none of zero alone.",
        )
    return window


def length(node: Raw) -> Duration:
    """A length of time where one must stand."""
    if node.data != "duration":
        raise Fault(
            "A length of time is expected here.",
            place(node),
            hint="Write a number and a unit, as in 7 days.",
            expected=("a length of time",),
        )
    return duration(node)


def _excluded(call: Raw) -> tuple[str, ...]:
    arguments = arguments_of(call)
    if len(arguments) != 1 or arguments[0].data != "options":
        raise Fault(
            "sources takes the sources to leave out.", place(call), hint="Write sources({exclude: ['name']})."
        )
    option, *values = cast("list[Raw]", arguments[0].children)
    if option != "exclude":
        raise Fault(
            f"There is no option {option}.", place(option), hint=did_you_mean(str(option), ["exclude"])
        )
    names: list[str] = []
    for node in (
        inner for value in values for inner in (value.children if value.data == "list" else [value])
    ):
        if cast(Raw, node).data != "text":
            raise Fault("A source is named by a text.", place(node), expected=("a text in single quotes",))
        names.append(text_of(cast(Token, cast(Raw, node).children[0])))
    return tuple(dict.fromkeys(names))
