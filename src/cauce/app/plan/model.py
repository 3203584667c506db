"""The parts of a plan, as they are printed and answered."""

from enum import StrEnum
from typing import Any

import msgspec

from cauce.app.plan.identity_model import WhatIf
from cauce.app.rebuild.differences import Differences

NAMED = 20
"""How many people are named for each effect; all are counted."""


class Act(StrEnum):
    """What happens to a definition. A definition with another name is removed, and one is added."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class FieldChange(msgspec.Struct, frozen=True):
    """A field whose value differs; null where it is not written."""

    field: str
    before: Any
    after: Any


class NamedPerson(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person by her public id and her strongest identifier; the values of a trait that changes for her."""

    profile_id: str
    identifier: str
    before: Any = msgspec.UNSET
    after: Any = msgspec.UNSET


class Effect(msgspec.Struct, frozen=True):
    """What happens to how many people, and the first of them.

    ``what`` is ``entering``, ``leaving`` or ``value changes``.
    """

    what: str
    count: int
    people: list[NamedPerson]


class DefinitionChange(msgspec.Struct, frozen=True):
    """A definition that differs: how, and whom it touches."""

    kind: str
    name: str
    act: Act
    fields: list[FieldChange]
    effects: list[Effect] = []
    notes: list[str] = []


class Told(msgspec.Struct, frozen=True):
    """Deliveries that one destination gets, by what they tell, and those waiting for it that are dropped."""

    destination: str
    entering: int = 0
    leaving: int = 0
    dropped: int = 0


class Plan(msgspec.Struct, frozen=True):
    """What applying would do to the state as it was folded up to ``position``, at the moment ``at``.

    ``base`` is the version that is applied, 0 if none is; ``hash`` names the
    definitions that were planned. ``deliveries`` are those that applying makes or
    drops. ``what_if`` is there if identity makes other people: then it holds the
    counts of people and segments, and the changes have none. ``rebuilt`` is there if
    a state had to be derived anew for that. ``notes`` say what no count shows.
    """

    position: int
    at: str
    base: int
    hash: str
    changes: list[DefinitionChange]
    deliveries: list[Told]
    what_if: WhatIf | None
    rebuilt: Differences | None
    notes: list[str]
