"""A plan and the differences of versions as text."""

from collections.abc import Iterable
from typing import Any

import msgspec

from cauce.app.cli.field_text import differences_within
from cauce.app.cli.output import print_line
from cauce.app.cli.what_if_text import print_what_if
from cauce.app.plan.model import Act, DefinitionChange, Effect, NamedPerson, Plan
from cauce.app.rebuild.differences import Differences
from cauce.vocabulary.exact import encode_json

_SIGNS = {Act.ADDED: "+", Act.CHANGED: "~", Act.REMOVED: "-"}
_LONGEST = 200


def print_plan(plan: Plan) -> None:
    """What would change, and whom it would touch."""
    if not plan.changes:
        print_line(f"Nothing would change: version {plan.base} says the same.")
        return
    over = f"over version {plan.base}" if plan.base else "as the first version"
    print_line(f"{len(plan.changes)} definitions differ, {over}, on the state at position {plan.position}")
    print_line(f"and at {plan.at}:")
    for change in plan.changes:
        print_line()
        print_change(change)
    if plan.what_if is not None:
        print_what_if(plan.what_if)
    if plan.deliveries:
        print_line()
        print_line("Deliveries:")
    for one in plan.deliveries:
        dropped = f", {one.dropped} waiting are dropped" if one.dropped else ""
        print_line(f"  {one.destination}: {one.entering} entering, {one.leaving} leaving{dropped}")
    if plan.rebuilt is not None:
        _print_rebuilt(plan.rebuilt)
    for note in plan.notes:
        print_line()
        print_line(note)
    print_line()


def _print_rebuilt(found: Differences) -> None:
    """For how many people a state derived anew has other values of traits."""
    print_line()
    for effect in found.traits:
        print_line(f"Traits: {effect.name} {effect.what}: {effect.count}")
        for person in effect.people:
            print_line(f"      {person.identifier or person.profile_id}")


def print_change(change: DefinitionChange) -> None:
    """One definition: how it differs, and whom that touches."""
    print_line(f"{_SIGNS[change.act]} {change.kind}/{change.name} {change.act}")
    for field in change.fields:
        if change.act is Act.CHANGED:
            for place, before, after in differences_within(field.field, field.before, field.after):
                print_line(f"    {place}: {_shown(before)} → {_shown(after)}")
        elif change.act is Act.ADDED:
            print_line(f"    {field.field}: {_shown(field.after)}")
    for effect in change.effects:
        print_line(f"    {effect.what}: {effect.count}")
        _print_people(effect)
    for note in change.notes:
        print_line(f"    {note}")


def _print_people(effect: Effect) -> None:
    for person in effect.people:
        print_line(f"      {_named(person)}")
    if effect.count > len(effect.people):
        print_line(f"      and {effect.count - len(effect.people)} more")


def _named(person: NamedPerson) -> str:
    name = f"{person.identifier or person.profile_id}"
    if person.before is msgspec.UNSET:
        return name
    return f"{name}: {_shown(person.before)} → {_shown(person.after)}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else encode_json(value).decode()
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def summary(changes: Iterable[DefinitionChange]) -> str:
    """The changes in a few words, as ``+segments/vip ~traits/plan``."""
    return " ".join(f"{_SIGNS[one.act]}{one.kind}/{one.name}" for one in changes)
