"""What changes what counted before: statements, consent, and taking things back.

Events that carry identifiers only add to the evidence; these few take from it, or say
what stands above it. The profiles concerned are made anew with whomever they may then
join (``identity.md`` section 4, 6 and 7).
"""

from bisect import insort
from collections.abc import Collection, Iterable, Sequence

from cauce.identity.facts import Fact
from cauce.identity.fuse import record_at
from cauce.identity.graph import NO_CUT, Graph, Group, Node, Signature, Sources, signature_key
from cauce.identity.past import Carried, Past
from cauce.identity.resolution import Resolution
from cauce.identity.resolve import Resolver, add_to
from cauce.vocabulary.event import Position
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.statement import Op


class Reviser:
    """Folds statements, consent and retractions into the graph of a resolver."""

    def __init__(self, resolver: Resolver, past: Past) -> None:
        self._resolver = resolver
        self._graph: Graph = resolver.graph
        self._partition = resolver.partition
        self._past = past
        self.revised: list[Signature] = []
        """The signatures whose evidence was counted anew."""

    def fold(self, fact: Fact) -> Resolution:
        """Fold one fact; each is given once only."""
        policy, retracted = self._graph.policy, self._graph.retracted
        if fact.op is Op.RETRACT:
            self._retract(fact.events)
        elif fact.id not in retracted and (statement := fact.pair(policy)) is not None:
            self._restate(self._graph.statements.add(statement))
        elif fact.id not in retracted and (consent := fact.consent(policy)) is not None:
            self._revise(self._signatures_with(self._graph.consents.add(consent)))
        return self._settled(fact.position)

    def _retract(self, ids: Collection[str]) -> None:
        """Let events, whenever they come, count no longer; a retraction itself stands."""
        graph = self._graph
        fresh = [id_ for id_ in dict.fromkeys(ids) if id_ not in graph.retracted]
        if not fresh:
            return
        graph.retracted.update(fresh)
        restated = {key for id_ in fresh for key in graph.statements.drop(id_)}
        consenting = {key for id_ in fresh for key in graph.consents.drop(id_)}
        signatures = {one.id: one for one in self._signatures_with(consenting)}
        for carried in self._past.carried(fresh):
            signature = self._signature_of(carried)
            if signature is not None:
                signatures[signature.id] = signature
        self._revise([signatures[number] for number in sorted(signatures)])
        self._restate(restated)

    def _settled(self, position: Position) -> Resolution:
        """What it meant; whoever owns a signature whose evidence was counted anew has changed too."""
        gone, changed = self._partition.settle(position)
        owners = (self._graph.live(signature)[:1] for signature in self.revised)
        groups = [owner.group for some in owners for owner in some if owner.group is not None]
        return Resolution(None, None, gone, tuple(sorted({*changed, *(group.key for group in groups)})))

    def _restate(self, keys: Collection[str]) -> None:
        """Make the profiles of identifiers anew of which something else is stated now."""
        graph = self._graph
        graph.find(keys)
        nodes = [graph.nodes_by_key[key] for key in sorted(keys) if key in graph.nodes_by_key]
        for node in nodes:
            (graph.stated.add if node.key in graph.statements else graph.stated.discard)(node.id)
        self._resolver.look_again(nodes)

    def _signatures_with(self, keys: Collection[str]) -> list[Signature]:
        graph = self._graph
        graph.find(keys)
        ids = [graph.nodes_by_key[key].id for key in keys if key in graph.nodes_by_key]
        return graph.signatures_with(ids) if ids else []

    def _signature_of(self, carried: Carried) -> Signature | None:
        """The signature of what an event carried; None if the log has it, but it could not be folded."""
        graph = self._graph
        graph.find(carried)
        nodes = [graph.nodes_by_key.get(one) for one in carried]
        key = signature_key(node.id for node in nodes if node is not None)
        graph.find_signatures([key])
        signature = graph.signatures_by_key.get(key)
        if signature is None or None in nodes:
            return None
        graph.load_signatures([signature.id])
        return signature

    def _revise(self, signatures: Sequence[Signature]) -> None:
        """Count the evidence of signatures anew, and make the profiles of their identifiers anew."""
        if not signatures:
            return
        self.revised += signatures
        nodes = list({node.id: node for one in signatures for node in self._graph.live(one)}.values())
        standing = self._graph.signatures_with([node.id for node in nodes]) if nodes else []
        counted = {one.id for one in signatures if one.evidence}
        self._recount(signatures)
        for signature in signatures:
            if signature.id in counted and not signature.evidence:
                self._disown(signature)
        mine = {node.id: [one for one in standing if one.evidence and node.id in one.ids()] for node in nodes}
        left = [group for node in nodes if not mine[node.id] and (group := self._partition.leave(node))]
        concerned = [node for node in nodes if mine[node.id]]
        for node in concerned:
            self._sight_anew(node, mine[node.id])
        for node in nodes:
            concerned += self._link_anew(node, mine[node.id])
        for signature in signatures:
            if signature.evidence and signature.id not in counted:
                self._own(signature)
        self._make_anew(concerned, [group for group in left if group.members])

    def _recount(self, signatures: Sequence[Signature]) -> None:
        """Gather the evidence of signatures from the observations."""
        graph = self._graph
        carried = {one.id: frozenset(graph.nodes[id_].key for id_ in one.ids()) for one in signatures}
        found = self._past.seen(list(carried.values()))
        for signature in signatures:
            keys = carried[signature.id]
            sources: Sources = {}
            allowed: Sources = {}
            for seen in found[keys]:
                if seen.id not in graph.retracted:
                    add_to(sources, seen.time, seen.source)
                    if graph.consents.allow(keys, seen.time):
                        add_to(allowed, seen.time, seen.source)
            signature.sources, signature.allowed = sources, None if allowed == sources else allowed
            graph.signatures_changed.add(signature)

    def _sight_anew(self, node: Node, signatures: Iterable[Signature]) -> None:
        first = min(first for one in signatures for _, first, _ in one.evidence.values())
        if node.group is None:
            self._partition.enliven(node, Moment(first))
        node.first_time = first
        self._graph.members_changed.add(node)

    def _link_anew(self, node: Node, signatures: Iterable[Signature]) -> list[Node]:
        """Note anew with which others an identifier was seen; those others if that cuts it otherwise."""
        graph = self._graph
        before = node.cut
        node.unpack()
        node.cut, node.links, node.signatures = NO_CUT, {}, []
        together = [live for one in signatures if len(live := graph.live(one)) > 1]
        for one in signatures:
            live = graph.live(one)
            if len(live) > 1 and not graph.policy.contradicts([other.type for other in live]):
                record_at(graph, node, live, one)
        return [other for live in together for other in live] if node.cut != before else []

    def _disown(self, signature: Signature) -> None:
        """Take a signature without evidence from its owner."""
        for owner in self._graph.live(signature)[:1]:
            if owner.group is not None:
                owner.group.unpack(self._graph.policy.rank).signatures.remove(signature.id)
                self._graph.groups_changed.add(owner.group)

    def _own(self, signature: Signature) -> None:
        """Give a signature that has evidence again to its owner."""
        for owner in self._graph.live(signature)[:1]:
            if owner.group is not None:
                insort(owner.group.unpack(self._graph.policy.rank).signatures, signature.id)
                self._graph.groups_changed.add(owner.group)

    def _make_anew(self, nodes: Sequence[Node], left: Sequence[Group]) -> None:
        """Name the profiles of identifiers anew, and those that others left; then look at all of them."""
        groups = list(dict.fromkeys([*self._partition.groups_of(nodes), *left]))
        self._partition.anchor_anew(groups)
        members = [self._graph.members(group)[0] for group in groups]
        self._resolver.look_again([*nodes, *members])
