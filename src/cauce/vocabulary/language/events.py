"""Chains on ``event(…)``: filters in any order, then ``count()``."""

from collections.abc import Callable
from typing import cast

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
from cauce.vocabulary.language.literals import duration, place, text_of
from cauce.vocabulary.language.parser import Raw
from cauce.vocabulary.language.paths import nfc
from cauce.vocabulary.language.tree import Condition, Count, Duration, Window
from cauce.vocabulary.nearest import did_you_mean


def count(event: Raw, calls: list[Raw], where: Callable[[Raw], Condition]) -> Count:
    """The count that a chain of calls on an event stands for; ``where`` builds its condition."""
    name = nfc(text_of(text_argument(event)))
    if not name:
        raise Fault("The event has no name.", place(event), hint="Write the name of an event.")
    found = _by_name(calls)
    if "count" not in found:
        raise Fault(
            "The events are not counted.",
            place(event),
            hint="End with .count() and compare it.",
            expected=(".count()",),
        )
    if arguments_of(found["count"]):
        raise Fault("count takes nothing in its brackets.", place(found["count"]), expected=("count()",))
    return Count(
        event=name,
        where=where(only_argument(found["where"])) if "where" in found else None,
        excluded=_excluded(found["sources"]) if "sources" in found else (),
        window=_window(found),
        position=place(event),
    )


def _by_name(calls: list[Raw]) -> dict[str, Raw]:
    found: dict[str, Raw] = {}
    for call in calls:
        name = name_of(call)
        if "count" in found:
            raise Fault(f"{name}(…) cannot follow count().", place(call), expected=tuple(OPERATORS))
        if name not in FILTERS and name not in REDUCERS:
            raise unknown(call, (*FILTERS, *REDUCERS))
        if name in found:
            raise Fault(f"{name}(…) is given twice.", place(call), hint="Keep one; join conditions by AND.")
        found[name] = call
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
