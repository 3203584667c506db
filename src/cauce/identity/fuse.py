"""Which links of an identifier count: hubs and the hard cap (``identity.md`` section 3, 4).

An identifier linked to more than ``max_owners`` values of one stronger type of limit
1 is *shared*: none of its links count. Beyond the cap of links per identifier, links
to the weakest types it was seen with do not count: types are counted strongest first,
and the type that exceeds the cap, with all weaker ones, is cut off. Both depend on the
set of links alone and can only come about, never go, while links are added; so what
is cut off need not be kept, and a junk value costs no more than any other.
"""

from collections.abc import Sequence

from cauce.identity.graph import NO_CUT, Graph, Node, Signature


def record_links(graph: Graph, live: Sequence[Node], signature: Signature) -> list[Node]:
    """Note at each identifier with which others it was seen; those whose links are cut by that."""
    return [node for node in live if record_at(graph, node, live, signature)]


def record_at(graph: Graph, node: Node, live: Sequence[Node], signature: Signature) -> bool:
    """Note at one identifier with which others it was seen; whether its links are cut by that.

    The signatures that link it come in the order of their ids.
    """
    if node.cut == 0:
        return False
    node.unpack()
    graph.members_changed.add(node)
    return _record(graph, node, live, signature) and _blows(graph, node)


def _record(graph: Graph, node: Node, live: Sequence[Node], signature: Signature) -> bool:
    """Note the links of one identifier; whether any is new."""
    owners = graph.policy.owners[node.rank]
    new = counts = False
    for other in live:
        if other is node:
            continue
        if other.rank < node.cut:
            counts = True
        elif other.type not in owners:
            continue
        known = node.links.get(other.type)
        if known is None:
            node.links[other.type] = [other.id]
        elif other.id in known:
            continue
        else:
            known.append(other.id)
        new = True
    if counts:
        node.signatures.append(signature.id)
    return new


def _blows(graph: Graph, node: Node) -> bool:
    """Whether the links of an identifier have become too many; then cut them off."""
    policy = graph.policy
    if node.cut == NO_CUT and len(node.signatures) <= policy.few[node.rank]:
        return False
    most = policy.max_owners[node.rank]
    if most is not None and any(len(node.links.get(t, ())) > most for t in policy.owners[node.rank]):
        _cut(graph, node, 0)
        return True
    count = 0
    for rank, type_ in enumerate(policy.types[: node.cut]):
        count += len(node.links.get(type_, ()))
        if count > policy.max_links:
            _cut(graph, node, rank)
            return True
    return False


def _cut(graph: Graph, node: Node, rank: int) -> None:
    policy = graph.policy
    node.cut = rank
    kept = policy.owners[node.rank].union(policy.types[:rank]) if rank else frozenset[str]()
    node.links = {type_: ids for type_, ids in node.links.items() if type_ in kept}
    if rank == 0:
        node.signatures = []


def connected(live: Sequence[Node]) -> list[Sequence[Node]]:
    """The live identifiers of an event in components, by those of its links that count."""
    weakest = live[-1].rank
    for node in live:
        if weakest >= node.cut:
            return _components(live)
    return [live]


def _components(live: Sequence[Node]) -> list[Sequence[Node]]:
    components: list[Sequence[Node]] = []
    left = list(live)
    while left:
        component = [left.pop(0)]
        for node in component:
            joined = [other for other in left if node.links_with(other)]
            component += joined
            left = [other for other in left if other not in joined]
        components.append(component)
    return components
