"""Why a rule holds for a person or not, part by part."""

from typing import Any

from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.language.closures import NEVER, NO_EVENT, looking
from cauce.vocabulary.language.compile import compile_condition, counting
from cauce.vocabulary.language.paths import walk
from cauce.vocabulary.language.person import Entry, Person, Reason
from cauce.vocabulary.language.tree import (
    Comparison,
    Condition,
    Count,
    Duration,
    Literal,
    Not,
    Operand,
    Trait,
)
from cauce.vocabulary.language.values import CONVERT, kind_of
from cauce.vocabulary.moment import Moment, to_iso

_SHOWN_EVENTS = 10
_SHOWN_CHARACTERS = 200


def explain(condition: Condition, person: Person, at: Moment) -> Reason:
    """The reasons of a condition and of all its parts."""
    holds, until = looking(compile_condition(condition))(person, NO_EVENT, at)
    evidence = ""
    events: list[Entry] = []
    parts: tuple[Reason, ...] = ()
    if isinstance(condition, Comparison):
        operands = [o for o in (condition.left, *condition.right) if not isinstance(o, Literal | Duration)]
        events = [e for o in operands if isinstance(o, Count) for e in counting(o).counted(person, at)]
        evidence = "; ".join(_evidence(operand, condition, person, at) for operand in operands)
    elif isinstance(condition, Not):
        parts = (explain(condition.condition, person, at),)
    else:
        parts = tuple(explain(part, person, at) for part in condition.conditions)
    return Reason(
        text=str(condition),
        holds=holds,
        until=None if until == NEVER else until,
        evidence=evidence,
        message_ids=tuple(e.message_id for e in _newest(events)),
        reasons=parts,
    )


def _newest(events: list[Entry]) -> list[Entry]:
    return sorted(events, key=lambda e: (e.time, e.received, e.message_id), reverse=True)[:_SHOWN_EVENTS]


def _evidence(operand: Operand, comparison: Comparison, person: Person, at: Moment) -> str:
    """What was found, and why it could not be compared if so."""
    if isinstance(operand, Count):
        counted = counting(operand).counted(person, at)
        newest = f", the newest at {to_iso(counted[-1].time)}" if counted else ""
        return f"{len(counted)} of {len(person.events(operand.event))} {operand.event} events count{newest}"
    if not isinstance(operand, Trait):
        return ""
    value = walk(person.trait(operand.path[0]), operand.path[1:])
    name = ".".join(operand.path)
    if value is None:
        return f"{name} is absent"
    shown = f"{name} is {_shown(value)}"
    if operand.cast is not None:
        return shown if CONVERT[operand.cast](value) is not None else f"{shown}, which is no {operand.cast}"
    return shown + _wrong_kind(value, comparison)


def _wrong_kind(value: Any, comparison: Comparison) -> str:
    constants = [o for o in comparison.right if isinstance(o, Literal) and o.cast is None]
    found = kind_of(value)
    wanted = {kind_of(list(o.value) if isinstance(o.value, tuple) else o.value) for o in constants}
    if found is None:
        return ", beyond the range of numbers"
    if not wanted or found in wanted or str(found) in ("list",):
        return ""
    return f", a {found} and not a {' or '.join(sorted(str(kind) for kind in wanted))}"


def _shown(value: Any) -> str:
    text = encode_json(value).decode()
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
