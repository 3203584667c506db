"""The incremental algorithm: fold one event at a time into the partition (``identity.md`` section 4).

Pure: it works on a ``Graph`` and knows nothing of where the graph's rows are kept.
After each event the partition equals that of the plain definition (section 3) over
all events so far, whatever order they came in.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations

from cauce.identity.fuse import connected, record_links
from cauce.identity.graph import Graph, Group, Node, Signature, signature_key, strongest_first
from cauce.identity.naming import Names
from cauce.identity.order import Grade, ends, evidence_of, grade
from cauce.identity.partition import Partition
from cauce.identity.policy import Policy
from cauce.identity.repair import repair
from cauce.identity.resolution import Resolution
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment

NOBODY = Resolution(None, None, (), ())
"""What an event without identifiers means."""


class Sighting:
    """A tuple of identifiers as looked up: ``live`` strongest first, and their signature."""

    __slots__ = ("links_nothing", "live", "signature")

    def __init__(self, nodes: list[Node], signature: Signature, policy: Policy) -> None:
        self.signature = signature
        self.live = [node for node in nodes if node.group is not None]
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
        self._sightings: dict[tuple[Identifier, ...], Sighting] = {}

    def observe(
        self, identifiers: tuple[Identifier, ...], *, time: Moment, source: str, position: Position
    ) -> Resolution:
        """Fold one event: these identifiers were seen together. Each event is given once only."""
        sighting = self._sightings.get(identifiers)
        if sighting is None:
            if not identifiers:
                return NOBODY
            sighting = self._sight(identifiers, time)
        live, signature = sighting.live, sighting.signature
        for node in live:
            if time < node.first_time:
                self.partition.see_earlier(node, time)
        if not signature.sources:
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

    def _sight(self, identifiers: tuple[Identifier, ...], time: Moment) -> Sighting:
        """Look up identifiers and their signature, making what is new, in the order of keys."""
        graph = self.graph
        nodes, new = [], []
        for key in {f"{type_}:{value}": None for type_, value in identifiers}:
            node = graph.node(key)
            if node is None:
                new.append(key)
            else:
                nodes.append(node)
        for key in sorted(new):
            node = graph.add_node(key, time)
            if node.group is not None:
                self.partition.add(node)
            nodes.append(node)
        ids = signature_key([node.id for node in nodes])
        signature = (None if new else graph.signature(ids)) or graph.add_signature(ids)
        sighting = self._sightings[identifiers] = Sighting(nodes, signature, self._policy)
        return sighting

    def _add_evidence(self, signature: Signature, time: Moment, source: str) -> None:
        seen = signature.sources.get(source)
        if seen is None:
            signature.sources[source] = [1, time, time]
        else:
            seen[0] += 1
            if time > seen[2]:
                seen[2] = time
            elif time < seen[1]:
                seen[1] = time
        self.graph.signatures_changed.add(signature)

    def _begin(self, sighting: Sighting) -> None:
        """Take the links of a signature's first event, and give it to its owner."""
        live = sighting.live
        if not sighting.links_nothing:
            self._link(live, sighting.signature)
        owner = live[0].group if live else None
        if owner is not None:
            owner.unpack(self._policy.rank).signatures.append(sighting.signature.id)  # the highest of all
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
            self._repair([*self.partition.groups_of(apart), *loose], loose)

    def _improve(self, live: Sequence[Node], before: Grade, after: Grade) -> None:
        """Try again the rejected links of a signature whose evidence has become better."""
        apart: list[Node] = []
        for one, other in combinations(live, 2):
            if one.group is not other.group and one.links_with(other):
                weaker = ends(one, other)[1]
                if evidence_of(weaker, after, self._policy) < evidence_of(weaker, before, self._policy):
                    apart += (one, other)
        if apart:
            self._repair(self.partition.groups_of(apart), ())

    def _repair(self, groups: Iterable[Group], loose: Iterable[Group]) -> None:
        outcome = repair(self.graph, groups, loose)
        self.partition.rebuild(outcome.groups, outcome.parts)


def _apart(live: Sequence[Node]) -> bool:
    """Whether identifiers are in more than one profile."""
    return len({node.group for node in live}) > 1
