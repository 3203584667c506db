"""Dealing: which events of a round must be folded together, and which numbers their new names get.

Numbers are given in the order of the events, as one worker would give them. Events
belong together if they name the same identifiers or people. What folding a group of
events touches is known beforehand as long as no limit and no fuse can stop a join:
then nobody outside is looked at. Of the others it is found out, by resolving them on
a graph that is thrown away, and whoever they reach is folded together with them.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from cauce.identity import records
from cauce.identity.facts import Facts
from cauce.identity.graph import Given, signature_key
from cauce.identity.naming import hash_of
from cauce.identity.policy import Policy
from cauce.identity.resolve import keys_of
from cauce.identity.session import Session
from cauce.storage.records import Reader, Row
from cauce.vocabulary.event import Call, Event
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.profile import ProfileKey

Resolve = Callable[[Given, Sequence[Event]], Session]
"""Gives a session that has read all that some events name."""

_HARD = "hard"
"""Stands for all events that may reach people whom they do not name."""


class Dealt(NamedTuple):
    """The component of each event and of each further profile, and the numbers of new names.

    Components are told apart by any equal values. ``last`` are the greatest numbers given.
    """

    events: list[Hashable]
    profiles: dict[ProfileKey, Hashable]
    given: Given
    last_identifier: int
    last_signature: int


class _Sets:
    """Disjoint sets of anything hashable."""

    def __init__(self) -> None:
        self._above: dict[Hashable, Hashable] = {}

    def of(self, one: Hashable) -> Hashable:
        above = self._above
        root = one
        while (next_ := above.get(root, root)) != root:
            root = next_
        while one != root:
            above[one], one = root, above.get(one, one)
        return root

    def join(self, one: Hashable, other: Hashable) -> None:
        one, other = self.of(one), self.of(other)
        if one != other:
            self._above[one] = other


class Dealing:
    """Deals the events of one round, given the greatest numbers of identifiers and signatures so far."""

    def __init__(
        self,
        reader: Reader,
        policy: Policy,
        facts: Facts,
        view: int,
        last_identifier: int,
        last_signature: int,
    ) -> None:
        self._reader = reader
        self._policy = policy
        self._facts = facts
        self._view = view
        self._last_identifier = last_identifier
        self._last_signature = last_signature
        self._ids: dict[str, int] = {}
        self._members: dict[int, Row] = {}
        self._given = Given({}, {})
        self._sets = _Sets()
        self._linking: dict[int, int] = {}
        """Live identifier → how many new signatures of the round it is in."""
        self._born: dict[int, str] = {}
        """New live identifier → its type."""
        self._named: dict[int, str] = {}

    def deal(self, events: Sequence[Event], profiles: Iterable[ProfileKey], resolve: Resolve) -> Dealt:
        """Deal events, and the profiles whose timers are due."""
        distinct = {event.identifiers: keys_of(event.identifiers) for event in events if event.identifiers}
        self._find(distinct)
        signatures = self._find_signatures(distinct)
        tokens = [self._number(event, distinct, signatures) for event in events]
        due = {profile: ("p", profile) for profile in profiles}
        self._join_hard(events, tokens, resolve)
        return Dealt(
            [self._sets.of(token) for token in tokens],
            {profile: self._sets.of(token) for profile, token in due.items()},
            self._given,
            self._last_identifier,
            self._last_signature,
        )

    def _find(self, distinct: Mapping[tuple[Identifier, ...], list[str]]) -> None:
        """Read which identifiers are known, and whose they are."""
        keys = {key for some in distinct.values() for key in some}
        for id_, _, key in self._reader.rows(records.identifiers, "hash", map(hash_of, keys)):
            if key in keys:
                self._ids[key] = id_
        for row in self._reader.rows(records.members, "identifier", self._ids.values(), view=self._view):
            self._members[row[1]] = row
            self._sets.join(row[1], ("p", row[2]))

    def _find_signatures(self, distinct: Mapping[tuple[Identifier, ...], list[str]]) -> set[str]:
        known = [
            signature_key(self._ids[key] for key in keys)
            for keys in distinct.values()
            if all(key in self._ids for key in keys)
        ]
        return {row[0] for row in self._reader.rows(records.evidence, "identifiers", known)}

    def _number(
        self, event: Event, distinct: Mapping[tuple[Identifier, ...], list[str]], signatures: set[str]
    ) -> Hashable:
        """Give an event's new names their numbers, and join what it names; what stands for it."""
        group = ("g", event.group) if event.call is Call.GROUP and event.group else None
        if not event.identifiers:
            return group or ("e", event.position)
        keys = distinct[event.identifiers]
        for key in sorted(key for key in keys if key not in self._ids):
            self._add(key)
        ids = [self._ids[key] for key in keys]
        live = [id_ for id_ in ids if id_ in self._members or id_ in self._born]
        joined = live or ids
        for id_ in joined[1:]:
            self._sets.join(joined[0], id_)
        if group is not None:
            self._sets.join(joined[0], group)
        signature = signature_key(ids)
        if signature not in signatures and signature not in self._given.signatures:
            self._last_signature += 1
            self._given.signatures[signature] = self._last_signature
            for id_ in live:
                self._linking[id_] = self._linking.get(id_, 0) + 1
        return joined[0]

    def _add(self, key: str) -> None:
        self._last_identifier = id_ = self._last_identifier + 1
        self._ids[key] = self._given.identifiers[key] = id_
        type_, _, value = key.partition(":")
        if self._policy.counts(type_, value):
            self._born[id_] = type_

    def _join_hard(self, events: Sequence[Event], tokens: list[Hashable], resolve: Resolve) -> None:
        """Join all that may be stopped by a limit or a fuse, with whomever they reach."""
        named = {token: self._sets.of(token) for token in (*self._members, *self._born)}
        hard = self._hard(named)
        if not hard:
            return
        while True:
            for component in hard:
                self._sets.join(component, _HARD)
            root = self._sets.of(_HARD)
            chosen = [
                event for event, token in zip(events, tokens, strict=True) if self._sets.of(token) == root
            ]
            reached = self._reached(resolve(self._given, chosen), chosen)
            hard = {self._sets.of(token) for token in reached} - {root}
            if not hard & {self._sets.of(token) for token in tokens}:
                for component in hard:  # people whose timers alone are due are folded with them too
                    self._sets.join(component, root)
                return

    def _reached(self, session: Session, events: Sequence[Event]) -> set[Hashable]:
        for event in events:
            session.observe(event.identifiers, time=event.time, source=event.source, position=event.position)
        identifiers, profiles = session.touched()
        return {*identifiers, *(("p", profile) for profile in profiles)}

    def _hard(self, named: Mapping[int, Hashable]) -> set[Hashable]:
        """The components that a limit or a fuse might stop."""
        members: dict[Hashable, set[int]] = {}
        born: dict[Hashable, dict[str, int]] = {}
        for id_, component in named.items():
            if id_ in self._born:
                counts = born.setdefault(component, {})
                counts[self._born[id_]] = counts.get(self._born[id_], 0) + 1
            else:
                members.setdefault(component, set()).add(self._members[id_][2])
        joining = {
            component
            for component in {*members, *born}
            if len(members.get(component, ())) + sum(born.get(component, {}).values()) > 1
        }
        present = self._counts({profile for component in joining for profile in members.get(component, ())})
        hard = {self._sets.of(id_) for id_, times in self._linking.items() if self._may_blow(id_, times)}
        hard |= {self._sets.of(id_) for key, id_ in self._ids.items() if self._may_stir(key)}
        for component in joining:
            counts = dict(born.get(component, {}))
            for profile in members.get(component, ()):
                for type_, count in present[profile].items():
                    counts[type_] = counts.get(type_, 0) + count
            if any(counts.get(type_, 0) > limit for type_, limit in self._policy.limits):
                hard.add(component)
        return hard

    def _counts(self, profiles: set[int]) -> dict[int, dict[str, int]]:
        """How many identifiers of each type some profiles have."""
        found = self._reader.rows(records.profiles, "profile", profiles, view=self._view)
        return {row[1]: {type_: len(ids) for type_, ids in _by_type(row[3]).items()} for row in found}

    def _may_stir(self, key: str) -> bool:
        """Whether seeing an identifier may change what limits and statements allow."""
        rank = self._policy.rank.get(key.partition(":")[0])
        return key in self._facts.statements or rank in self._policy.windowed

    def _may_blow(self, id_: int, times: int) -> bool:
        """Whether so many new signatures might cut an identifier's links off."""
        row = self._members.get(id_)
        if row is None:
            type_, signatures, cut = self._born[id_], 0, None
        else:
            signatures, cut = row[6].count(",") + (row[6] != "[]"), row[4]
            if cut == 0:
                return False
            type_ = self._type(id_)
        return cut is not None or signatures + times > self._policy.few[self._policy.rank[type_]]

    def _type(self, id_: int) -> str:
        if not self._named:
            self._named = {number: key for key, number in self._ids.items()}
        return self._named[id_].partition(":")[0]


_by_type = msgspec.json.Decoder(dict[str, list[int]]).decode
