"""Why a rule holds for a person or not, part by part."""

from collections.abc import Iterable
from typing import Any

from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.language.closures import NEVER, NO_EVENT, looking
from cauce.vocabulary.language.compile import compile_condition, reducing
from cauce.vocabulary.language.mentions import operands
from cauce.vocabulary.language.paths import walk
from cauce.vocabulary.language.person import Bounded, Entry, Person, Reason
from cauce.vocabulary.language.tree import (
    Comparison,
    Condition,
    Duration,
    Literal,
    Not,
    Operand,
    Reducer,
    Reduction,
    Trait,
)
from cauce.vocabulary.language.values import CONVERT, kind_of, tidy
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
        own = [o for o in (condition.left, *condition.right) if not isinstance(o, Literal | Duration)]
        events = [e for o in own if isinstance(o, Reduction) for e in reducing(o).deciding(person, at)]
        evidence = "; ".join(_evidence(operand, condition, person, at) for operand in own)
    elif isinstance(condition, Not):
        parts = (explain(condition.condition, person, at),)
    else:
        parts = tuple(explain(part, person, at) for part in condition.conditions)
    return Reason(
        text=str(condition),
        holds=holds,
        until=None if until == NEVER else until,
        evidence=evidence,
        message_ids=newest_ids(events),
        reasons=parts,
        approximate=is_approximate(operands(condition), person, at),
    )


def newest_ids(events: list[Entry]) -> tuple[str, ...]:
    """The message ids of the newest events, as many as are shown."""
    newest = sorted(events, key=lambda e: (e.time, e.received, e.message_id), reverse=True)
    return tuple(e.message_id for e in newest[:_SHOWN_EVENTS])


def evidence_of(reduction: Reduction, person: Person, at: Moment) -> str:
    """What the value of a reduction comes from, as a sentence."""
    events = reducing(reduction)
    counted = events.counted(person, at)
    newest = f", the newest at {to_iso(counted[-1].time)}" if counted else ""
    all_ = f"{len(counted)} of {len(person.events(reduction.event))} {reduction.event} events count{newest}"
    if reduction.reducer is not Reducer.COUNT:
        value = tidy(events.value(person, NO_EVENT, at))
        name = f"{reduction.reducer} of {'.'.join(reduction.path)}"
        skipped = events.skipped(person, at)
        also = f", {skipped} of them without a value of that kind" if skipped else ""
        all_ = f"{name} is {'absent' if value is None else _shown(value)}: {all_}{also}"
    named = f"{reduction.trait}: " if reduction.trait else ""
    dropped = _dropped(reduction, person, at)
    return named + all_ + (f"; approximate, as {dropped} older ones were folded away" if dropped else "")


def is_approximate(found: Iterable[Operand], person: Person, at: Moment) -> bool:
    """Whether anything that these operands read was folded away and might count."""
    return any(
        (isinstance(one, Reduction) and _dropped(one, person, at) > 0)
        or (isinstance(one, Trait) and isinstance(person, Bounded) and person.approximate_trait(one.path[0]))
        for one in found
    )


def _dropped(reduction: Reduction, person: Person, at: Moment) -> int:
    """How many events were folded away that might count."""
    oldest = None if reduction.window is None else at - reduction.window.end
    folded = person.folded(reduction.event) if isinstance(person, Bounded) else None
    return folded.entries if folded is not None and (oldest is None or folded.upto > oldest) else 0


def _evidence(operand: Operand, comparison: Comparison, person: Person, at: Moment) -> str:
    """What was found, and why it could not be compared if so."""
    if isinstance(operand, Reduction):
        return evidence_of(operand, person, at)
    if not isinstance(operand, Trait):
        return ""
    value = walk(person.trait(operand.path[0]), operand.path[1:])
    name = ".".join(operand.path)
    if value is None:
        return f"{name} is absent"
    shown = f"{name} is {_shown(value)}"
    if isinstance(person, Bounded) and person.approximate_trait(operand.path[0]):
        shown += " (approximate, as older assertions were folded away)"
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
