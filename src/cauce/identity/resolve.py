"""The incremental algorithm: fold one event at a time into the partition (``identity.md`` section 4).

Pure: it works on a ``Graph`` and knows nothing of where the graph's rows are kept.
After each event the partition equals that of the plain definition (section 3) over
all events so far, whatever order they came in.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from itertools import chain, combinations

from cauce.identity.fuse import connected, record_links
from cauce.identity.graph import Graph, Group, Node, Signature, Sources, signature_key, strongest_first
from cauce.identity.naming import Names
from cauce.identity.order import Grade, ends, evidence_of, grade
from cauce.identity.partition import Partition
from cauce.identity.policy import Policy
from cauce.identity.repair import repair
from cauce.identity.resolution import Resolution
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import SignatureKey

NOBODY = Resolution(None, None, (), ())
"""What an event without identifiers means."""


class Sighting:
    """A tuple of identifiers as looked up: those that count, strongest first, and their signature."""

    __slots__ = ("links_nothing", "live", "signature")

    def __init__(self, nodes: list[Node], signature: Signature, policy: Policy) -> None:
        self.signature = signature
        self.live = [node for node in nodes if node.counts]
        self.links_nothing = True
        if len(self.live) > 1:
            self.live = strongest_first(self.live)
            self.links_nothing = policy.contradicts([node.type for node in self.live])


class Resolver:
    """Folds events into a graph, and the partition of it into profiles."""

    def __init__(self, graph: Graph, names: Names) -> None:
        self.graph = graph
        self.partition = Partition(graph, names)
        self._policy = graph.policy
        self._windowed = graph.policy.windowed
        self._keys: dict[tuple[Identifier, ...], list[str]] = {}
        self._sightings: dict[tuple[Identifier, ...], Sighting] = {}

    def observe(
        self,
        identifiers: tuple[Identifier, ...],
        *,
        time: Moment,
        source: str,
        position: Position,
        id: str = "",
    ) -> Resolution:
        """Fold one event: these identifiers were seen together. Each event is given once only.

        What is retracted counts nowhere, and what consent does not allow not in this view.
        """
        sighting = self._sightings.get(identifiers)
        if sighting is None:
            if not identifiers:
                return NOBODY
            sighting = self._sight(identifiers)
        live, signature = sighting.live, sighting.signature
        if self._revisable and not self._counts(sighting, id, time, source):
            return Resolution(signature.id, None, (), (), counts=False)
        self._see(live, time)
        if not signature.evidence:
            self._add_evidence(signature, time, source)
            self._begin(sighting)
        elif sighting.links_nothing or not _apart(live):
            self._add_evidence(signature, time, source)
        else:
            before = grade(signature, self._policy)
            self._add_evidence(signature, time, source)
            self._improve(live, before, grade(signature, self._policy))
        gone, changed = self.partition.settle(position)
        owner = live[0].group if live else None
        return Resolution(signature.id, None if owner is None else owner.key, gone, changed)

    def look_ahead(self, observations: Iterable[tuple[Identifier, ...]]) -> None:
        """Read, in few queries, all that events with these identifiers touch."""
        graph = self.graph
        self._keys = {identifiers: keys_of(identifiers) for identifiers in observations}
        graph.find(chain.from_iterable(self._keys.values()))
        known = []
        for identifiers, keys in self._keys.items():
            nodes = [node for key in keys if (node := graph.nodes_by_key.get(key)) is not None]
            if nodes and len(nodes) == len(keys):
                known.append((identifiers, nodes, signature_key([node.id for node in nodes])))
        graph.find_signatures([key for _, _, key in known])
        for identifiers, nodes, key in known:
            signature = graph.signatures_by_key.get(key)
            if signature is not None:
                self._sightings[identifiers] = Sighting(nodes, signature, self._policy)

    def signature(self, identifiers: tuple[Identifier, ...]) -> SignatureKey | None:
        """The signature of identifiers that were looked for; None if no event carried them yet."""
        sighting = self._sightings.get(identifiers)
        return None if sighting is None else sighting.signature.id

    @property
    def _revisable(self) -> bool:
        """Whether an observation may be one that does not count."""
        return bool(self.graph.retracted or self.graph.consents)

    def _counts(self, sighting: Sighting, id_: str, time: Moment, source: str) -> bool:
        """Whether an observation counts; where only consent is lacking, it does in other views."""
        signature = sighting.signature
        if id_ in self.graph.retracted:
            return False
        consents = self.graph.consents
        if not consents or consents.allow((self.graph.nodes[i].key for i in signature.ids()), time):
            return True
        if signature.allowed is None:
            signature.allowed = {name: list(seen) for name, seen in signature.sources.items()}
        add_to(signature.sources, time, source)
        self.graph.signatures_changed.add(signature)
        return False

    def _see(self, live: Sequence[Node], time: Moment) -> None:
        """Take first sightings; where limits or statements depend on them, look at the profiles anew."""
        stirred: list[Node] = []
        for node in live:
            if node.group is None:
                self.partition.enliven(node, time)
                if node.id in self.graph.stated:
                    stirred.append(node)
            elif time < node.first_time:
                self.partition.see_earlier(node, time)
                if node.rank in self._windowed:
                    stirred.append(node)
        if stirred:
            self.look_again(stirred)

    def look_again(self, nodes: Iterable[Node]) -> None:
        """Make the profiles of these identifiers, and of those stated to be one with them, anew."""
        statements = self.graph.statements
        concerned = list(nodes)
        equal = {key for node in concerned if (one := statements.of(node.key)) for key in one.members}
        self.graph.find(equal)
        known = (self.graph.nodes_by_key.get(key) for key in sorted(equal))
        concerned += [node for node in known if node is not None]
        groups = self.partition.groups_of(concerned)
        if groups:
            self.repair(groups, groups)

    def _sight(self, identifiers: tuple[Identifier, ...]) -> Sighting:
        """Look up identifiers and their signature, making what is new, in the order of keys."""
        graph = self.graph
        nodes, new = [], []
        keys = self._keys.get(identifiers)
        if keys is None:
            keys = keys_of(identifiers)
            graph.find(keys)
        for key in keys:
            node = graph.nodes_by_key.get(key)
            if node is None:
                new.append(key)
            else:
                nodes.append(node)
        for key in sorted(new):
            nodes.append(graph.add_node(key))
        ids = signature_key([node.id for node in nodes])
        if not new:
            graph.find_signatures([ids])
        signature = graph.signatures_by_key.get(ids) or graph.add_signature(ids)
        sighting = self._sightings[identifiers] = Sighting(nodes, signature, self._policy)
        return sighting

    def _add_evidence(self, signature: Signature, time: Moment, source: str) -> None:
        add_to(signature.sources, time, source)
        if signature.allowed is not None:
            add_to(signature.allowed, time, source)
        self.graph.signatures_changed.add(signature)

    def _begin(self, sighting: Sighting) -> None:
        """Take the links of a signature's first event, and give it to its owner."""
        live = sighting.live
        if not sighting.links_nothing:
            self._link(live, sighting.signature)
        owner = live[0].group if live else None
        if owner is not None:
            insort(owner.unpack(self._policy.rank).signatures, sighting.signature.id)
            self.graph.groups_changed.add(owner)

    def _link(self, live: Sequence[Node], signature: Signature) -> None:
        blown = record_links(self.graph, live, signature)
        apart: list[Node] = []
        for component in connected(live):
            groups = self.partition.groups_of(component)
            if len(groups) > 1 and not self.partition.join(groups):
                apart += component
        loose = [group for group in self.partition.groups_of(blown) if not group.alone]
        if apart or loose:
            self.repair([*self.partition.groups_of(apart), *loose], loose)

    def _improve(self, live: Sequence[Node], before: Grade, after: Grade) -> None:
        """Try again the rejected links of a signature whose evidence has become better."""
        apart: list[Node] = []
        for one, other in combinations(live, 2):
            if one.group is not other.group and one.links_with(other):
                weaker = ends(one, other)[1]
                if evidence_of(weaker, after, self._policy) < evidence_of(weaker, before, self._policy):
                    apart += (one, other)
        if apart:
            self.repair(self.partition.groups_of(apart), ())

    def repair(self, groups: Iterable[Group], loose: Iterable[Group]) -> None:
        """Run the ordered pass again on some profiles, and on those that it draws in."""
        outcome = repair(self.graph, groups, loose)
        self.partition.rebuild(outcome.groups, outcome.parts)


def keys_of(identifiers: Iterable[Identifier]) -> list[str]:
    """The keys of identifiers, each once."""
    keys = [f"{type_}:{value}" for type_, value in identifiers]
    return keys if len(keys) == 1 else list(dict.fromkeys(keys))


def add_to(sources: Sources, time: Moment, source: str) -> None:
    """Count one observation."""
    seen = sources.get(source)
    if seen is None:
        sources[source] = [1, time, time]
    else:
        seen[0] += 1
        if time > seen[2]:
            seen[2] = time
        elif time < seen[1]:
            seen[1] = time


def _apart(live: Sequence[Node]) -> bool:
    """Whether identifiers are in more than one profile."""
    return len({node.group for node in live}) > 1
