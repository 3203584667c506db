"""What a plan is computed on: one snapshot of the state, and the definitions before and after."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import msgspec

from cauce.app.compose import Composition
from cauce.app.pipeline import CLOCK, LOG
from cauce.app.plan.fragments import kept_anew
from cauce.app.plan.model import NAMED, Effect, NamedPerson
from cauce.identity.everybody import Whole
from cauce.storage.records import Reader
from cauce.vocabulary.event import Position
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey


class Snapshot:
    """A view of the state that stays as it is, under the definitions in force and under others.

    ``at`` is the moment for which memberships are computed: ``now`` if the log is
    folded to its end, otherwise ``clock``, the moment that the state has reached.
    """

    def __init__(self, before: Composition, after: Composition, reader: Reader, now: Moment) -> None:
        self.before = before
        self.after = after
        self.reader = reader
        self.position = Position(reader.progress(LOG))
        self.clock = Moment(reader.progress(CLOCK))
        self.at = max(now, self.clock) if before.log.head() <= self.position else self.clock

    @cached_property
    def people(self) -> list[Whole]:
        """Everybody, ascending."""
        return list(self.before.identity.everybody(self.reader))

    @cached_property
    def other_traits(self) -> frozenset[str]:
        """The traits that are decided otherwise than before."""
        old, new = self.before.profiles.versions, self.after.profiles.versions
        return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))

    @cached_property
    def reader_after(self) -> Reader:
        """The state as the definitions after read it: with fragments that keep what they ask for."""
        keeps = self.after.profiles.keeps
        traits = [name for name in sorted(self.other_traits) if name in keeps]
        if not traits:
            return self.reader
        return kept_anew(self.reader, self.position, self.after, self.people, traits)

    def effect(
        self,
        what: str,
        profiles: Iterable[ProfileKey],
        values: Mapping[ProfileKey, tuple[Any, Any]] | None = None,
    ) -> Effect:
        """How many people something happens to, and the first of them by name, in the order of their keys."""
        ordered = sorted(profiles)
        described = self.before.identity.describe(self.reader, ordered[:NAMED])
        named = []
        for key, one in described.items():
            before, after = values[key] if values else (msgspec.UNSET, msgspec.UNSET)
            strongest = str(one.identifiers[0]) if one.identifiers else ""
            named.append(NamedPerson(one.profile_id, strongest, before, after))
        return Effect(what, len(ordered), named)
