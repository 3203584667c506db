"""One micro-batch of resolving events."""

from collections.abc import Collection, Iterable, Sequence

from cauce.identity import records
from cauce.identity.facts import Fact, Facts
from cauce.identity.graph import Given, Graph, Signature
from cauce.identity.naming import Names
from cauce.identity.past import Carried, Past
from cauce.identity.policy import Policy
from cauce.identity.resolution import Resolution
from cauce.identity.resolve import Resolver, keys_of
from cauce.identity.revise import Reviser
from cauce.identity.stored import StoredRows, save
from cauce.identity.stored_facts import STATEMENTS
from cauce.storage.records import Transaction
from cauce.vocabulary.event import Event, Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey, SignatureKey

IDENTIFIERS, SIGNATURES, MOVES = "identity.identifiers", "identity.signatures", "identity.moves"
"""Names of the counters that ids are taken from."""


class Session:
    """Resolves the events of one transaction, in order; written by ``save``.

    It reads ahead in a few batched queries; what a repair needs beyond that it
    reads when it is needed.
    """

    def __init__(
        self,
        transaction: Transaction,
        policy: Policy,
        names: Names,
        view: int,
        given: Given | None = None,
        facts: Facts | None = None,
    ) -> None:
        self._transaction = transaction
        self._names = names
        self._view = view
        self._stored = StoredRows(transaction, view)
        self._graph = Graph(policy, self._stored, given)
        self._facts: list[Fact] = []
        if facts is not None:
            self._graph.take_facts(facts)
        self._newest = self._graph.last_identifier = transaction.progress(IDENTIFIERS)
        self._graph.last_signature = transaction.progress(SIGNATURES)
        self._resolver = Resolver(self._graph, names)
        self.known_signatures = self._graph.last_signature
        self.known_profiles = self._graph.last_identifier
        """Keys above these were given in this batch: nobody has stored anything under them."""

    def load(self, observations: Iterable[tuple[Identifier, ...]], profiles: Sequence[ProfileKey]) -> None:
        """Read the identifiers, profiles and signatures that these events touch."""
        self._resolver.look_ahead(observations)
        self._graph.load_groups(profiles)

    def observe(
        self,
        identifiers: tuple[Identifier, ...],
        *,
        time: Moment,
        source: str,
        position: Position,
        id: str = "",
    ) -> Resolution:
        """Fold one event: these identifiers were seen together. Each event is given once only."""
        return self._resolver.observe(identifiers, time=time, source=source, position=position, id=id)

    def state(self, fact: Fact, past: Past) -> tuple[Resolution, list[tuple[SignatureKey, Carried]]]:
        """Fold one statement; what it meant, and the signatures whose observations count otherwise now."""
        reviser = Reviser(self._resolver, past)
        resolution = reviser.fold(fact)
        self._facts.append(fact)
        everything = [one.id for one in reviser.revised if one.allowed is None]
        if everything:
            self._transaction.remove(records.allowed, "signature", everything, view=self._view)
        return resolution, [(one.id, self._carried(one)) for one in reviser.revised]

    def _carried(self, signature: Signature) -> Carried:
        return frozenset(self._graph.nodes[id_].key for id_ in signature.ids())

    def counts(self, event: Event) -> bool:
        """Whether an observation counts: nobody retracted it, and consent allows it."""
        graph = self._graph
        if event.message_id in graph.retracted:
            return False
        return not graph.consents or graph.consents.allow(keys_of(event.identifiers), event.time)

    def signature(self, identifiers: tuple[Identifier, ...]) -> SignatureKey | None:
        """The signature of these identifiers; None if no event carried them yet."""
        return self._resolver.signature(identifiers)

    def signatures(self, profile: ProfileKey) -> Sequence[SignatureKey]:
        """The signatures whose owner is in a profile, ascending; none if the profile is gone."""
        group = self._graph.group(profile)
        return [] if group is None else group.signatures

    def identifier_types(self, profile: ProfileKey) -> frozenset[str]:
        """The types of a profile's identifiers; none if the profile is gone."""
        group = self._graph.group(profile)
        return frozenset() if group is None else frozenset(group.members)

    def identifiers(self, profile: ProfileKey) -> tuple[Identifier, ...]:
        """A profile's identifiers, strongest first; none if the profile is gone."""
        group = self._graph.group(profile)
        return () if group is None else tuple(self._graph.identifiers(group))

    def profile_id(self, profile: ProfileKey) -> str:
        """The public id of a profile; also of one that is gone."""
        group = self._graph.group(profile)
        if group is not None:
            return group.profile_id
        self._graph.load([profile])
        return self._names.profile_id(self._graph.nodes[profile].key)

    def touched(self) -> tuple[Collection[int], Collection[ProfileKey]]:
        """The identifiers and the profiles that were looked at so far."""
        return self._graph.nodes.keys(), [ProfileKey(key) for key in self._graph.groups]

    def loaded_profiles(self) -> list[ProfileKey]:
        """The profiles read ahead or made so far."""
        return [group.key for group in self._graph.groups.values() if group is not None]

    def loaded_signatures(self) -> list[SignatureKey]:
        """The signatures of those profiles."""
        return [number for profile in self.loaded_profiles() for number in self.signatures(profile)]

    def save(self) -> None:
        """Write what the events changed. Call it once, as the last thing."""
        save(self._transaction, self._graph, self._view, self._newest)
        first = self._transaction.progress(MOVES) + 1
        moves = self._resolver.partition.moves
        rows = [(seq, self._view, *move) for seq, move in enumerate(moves, first)]
        self._transaction.put(records.moves, rows)
        if self._facts:
            self._transaction.put(records.statements, [fact.row() for fact in self._facts])
            self._transaction.advance(STATEMENTS, self._facts[-1].position)
        self._transaction.advance(MOVES, first + len(rows) - 1)
        self._transaction.advance(IDENTIFIERS, self._graph.last_identifier)
        self._transaction.advance(SIGNATURES, self._graph.last_signature)
