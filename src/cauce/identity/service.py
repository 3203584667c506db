"""The door to identity: resolve a batch of events, find and describe profiles."""

from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec.structs import replace
from sqlalchemy import func, or_, select

from cauce.identity import records
from cauce.identity.dealing import Dealing, Dealt
from cauce.identity.everybody import Whole, everybody
from cauce.identity.graph import Given, Graph
from cauce.identity.links import links_of_profile
from cauce.identity.naming import Names, hash_of
from cauce.identity.policy import Policy
from cauce.identity.resolution import Described, Link, Resolution
from cauce.identity.rules import Ruleset
from cauce.identity.session import IDENTIFIERS, SIGNATURES, Session
from cauce.identity.stored import StoredRows
from cauce.identity.stored_facts import StoredFacts
from cauce.storage.records import Reader, Transaction
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.event import Event
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.profile import ProfileKey, SignatureKey

__all__ = ["Described", "Identity", "Link", "Resolution", "Session"]


class Identity:
    """One identity view: the profiles that one ruleset makes of all signatures."""

    def __init__(self, view: str, ruleset: Ruleset, *, policy: Policy | None = None) -> None:
        self.ruleset = ruleset
        self.view = self._name = view
        self._names = Names(view)
        self.policy = self._policy = policy or Policy(ruleset)
        self._hash = ruleset.hash
        self._facts = StoredFacts(self._policy)

    def renewed(self) -> "Identity":
        """The same view for another store."""
        return Identity(self.view, self.ruleset, policy=self.policy)

    def begin(
        self,
        transaction: Transaction,
        observations: Sequence[tuple[Identifier, ...]],
        profiles: Sequence[ProfileKey] = (),
        given: Given | None = None,
        *,
        stating: bool = False,
    ) -> Session:
        """Start a micro-batch: read all that these events and profiles touch.

        It may fold statements if it is ``stating``.
        ``given`` are the numbers that new identifiers and signatures get, if a round gave them.
        Raises ``Conflict`` if the stored profiles were made by other rules.
        """
        view = self._view(transaction) or self._enter(transaction)
        if not transaction.rows(records.views, "hash", [self._hash]):
            self._store(transaction, view)
        facts = self._facts.of(transaction, fresh=stating)
        session = Session(transaction, self._policy, self._names, view, given, facts)
        session.load(observations, profiles)
        return session

    def deal(
        self, transaction: Transaction, events: Sequence[Event], profiles: Sequence[ProfileKey]
    ) -> Dealt | None:
        """Which events of a round belong together; None before the view's first batch.

        ``profiles`` are those whose timers are due.
        """
        view = self._view(transaction)
        if view is None or not transaction.rows(records.views, "hash", [self._hash]):
            return None
        counters = [transaction.progress(name) for name in (IDENTIFIERS, SIGNATURES)]
        facts = self._facts.of(transaction)
        dealing = Dealing(transaction, self._policy, facts, view, *counters)

        def resolve(given: Given, some: Sequence[Event]) -> Session:
            return self.begin(transaction, [event.identifiers for event in some], given=given)

        return dealing.deal(events, profiles, resolve)

    def find(self, reader: Reader, identifier: Identifier) -> ProfileKey | None:
        """The profile that has a normalized identifier; None if nobody has."""
        key = str(identifier)
        return self._find(reader, hash_of(key), lambda found: found == key)

    def ids_anchored_by(self, identifiers: Sequence[Identifier]) -> list[str]:
        """The public ids of the profiles that these identifiers name where one of them is the anchor."""
        return [self._names.profile_id(str(one)) for one in identifiers]

    def resolve_id(self, reader: Reader, profile_id: str) -> ProfileKey | None:
        """The present profile of a public id, also of one given out long ago; None if never."""
        hashed = self._names.anchor_hash(profile_id)
        if hashed is None:
            return None
        return self._find(reader, hashed, lambda found: self._names.profile_id(found) == profile_id)

    def _find(self, reader: Reader, hashed: int, wanted: Callable[[str], bool]) -> ProfileKey | None:
        """The profile of the identifier that has a hash and is the wanted one."""
        ids = [row[0] for row in reader.rows(records.identifiers, "hash", [hashed]) if wanted(row[2])]
        found = reader.rows(records.members, "identifier", ids, view=self._view(reader) or 0)
        return ProfileKey(found[0][2]) if found else None

    def describe(self, reader: Reader, profiles: Sequence[ProfileKey]) -> dict[ProfileKey, Described]:
        """Who these profiles are; one that does not exist is left out."""
        graph = self._graph(reader)
        graph.load_groups(profiles)
        found = {key: group for key in profiles if (group := graph.group(key)) is not None}
        graph.load(id_ for group in found.values() for id_ in group.ids())
        return {
            key: Described(group.profile_id, graph.identifiers(group), group.signatures)
            for key, group in found.items()
        }

    def owners(self, reader: Reader, signatures: Sequence[int]) -> dict[int, ProfileKey]:
        """The profile that each of these signatures belongs to; those of nobody are left out."""
        graph = self._graph(reader)
        numbers = [SignatureKey(number) for number in signatures]
        graph.load_signatures(numbers)
        live = {number: graph.live(graph.signatures[number]) for number in numbers}
        owners = {number: nodes[0].group for number, nodes in live.items() if nodes}
        return {number: group.key for number, group in owners.items() if group is not None}

    def everybody(self, reader: Reader) -> Iterator[Whole]:
        """Every profile of the view with its signatures, ascending."""
        return everybody(reader, self._view(reader) or 0)

    def links(self, reader: Reader, profile: ProfileKey) -> list[Link]:
        """Why a profile is one person and others are not: its links, held and rejected, best first."""
        return links_of_profile(self._graph(reader), profile)

    def graph(self, reader: Reader) -> Graph:
        """Identifiers, evidence and people of this view, read when they are asked for."""
        return self._graph(reader)

    def _graph(self, reader: Reader) -> Graph:
        graph = Graph(self._policy, StoredRows(reader, self._view(reader) or 0))
        graph.take_facts(self._facts.of(reader))
        return graph

    def _view(self, reader: Reader) -> int | None:
        """The number of this view; None before its first batch."""
        found = reader.rows(records.views, "name", [self._name])
        if not found:
            return None
        number, _, stored_hash, rules = found[0]
        if stored_hash != self._hash and not self._differs_by_new_sources(reader, rules):
            raise Conflict(
                f"The rules of the identity view {self._name} are not those that made its profiles.",
                hint="Bring the former rules back. Or derive people anew from the log: `cauce rebuild` shows "
                "every difference, and `cauce rebuild --swap` puts the result in force.",
            )
        return int(number)

    def _differs_by_new_sources(self, reader: Reader, rules: str) -> bool:
        """Whether stored rules differ by the strength of sources that nothing has come from yet.

        Then they make the same profiles of all that has been folded.
        """
        former = msgspec.json.decode(rules, type=Ruleset)
        if replace(former, strength={}) != replace(self.ruleset, strength={}):
            return False
        pairs = former.strength.items() ^ self.ruleset.strength.items()
        names = [msgspec.json.encode(source).decode() + ":" for source in dict(pairs)]
        table = records.evidence
        seen = or_(*(func.replace(table.c.sources, name, "") != table.c.sources for name in names))
        return not reader.select(select(table.c.signature).where(seen).limit(1))

    def _enter(self, transaction: Transaction) -> int:
        """Store the ruleset of a view that is new."""
        number = transaction.progress(_VIEWS) + 1
        transaction.advance(_VIEWS, number)
        self._store(transaction, number)
        return number

    def _store(self, transaction: Transaction, number: int) -> None:
        rules = msgspec.json.encode(self.ruleset).decode()
        transaction.put(records.views, [(number, self._name, self._hash, rules)])


_VIEWS = "identity.views"
