"""Why identifiers are one person, or are not: the links of a profile, read from the evidence."""

from collections.abc import Iterator
from itertools import combinations

from cauce.identity.graph import Graph, Group, Node, Signature
from cauce.identity.order import Rank, ends, grade, rank_of
from cauce.identity.resolution import Link
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey


class _Found:
    """The evidence of one link, gathered from the signatures that hold both ends."""

    def __init__(self, rank: Rank) -> None:
        self.rank = rank
        self.linking = False
        self.sources: set[str] = set()
        self.events = 0
        self.times: list[int] = []

    def add(self, signature: Signature, rank: Rank, linking: bool) -> None:
        if linking and (rank < self.rank or not self.linking):
            self.rank, self.linking = rank, True
        for source, (events, first, last) in signature.sources.items():
            self.sources.add(source)
            self.events += events
            self.times += (first, last)


def links_of_profile(graph: Graph, profile: ProfileKey) -> list[Link]:
    """The links with an end in a profile, in the order in which they are tried; none if it is gone."""
    group = graph.group(profile)
    if group is None:
        return []
    found: dict[tuple[int, int], _Found] = {}
    for signature in _signatures_of(graph, group):
        live = graph.live(signature)
        linking = not graph.policy.contradicts([node.type for node in live])
        good = grade(signature, graph.policy)
        for one, other in combinations(live, 2):
            if group not in (one.group, other.group):
                continue
            stronger, weaker = ends(one, other)
            rank = rank_of(stronger, weaker, good, graph.policy)
            found.setdefault((stronger.id, weaker.id), _Found(rank)).add(signature, rank, linking)
    ordered = sorted(found.items(), key=lambda item: item[1].rank)
    return [_link(graph, graph.nodes[one], graph.nodes[other], what) for (one, other), what in ordered]


def _signatures_of(graph: Graph, group: Group) -> Iterator[Signature]:
    numbers = set(group.signatures)
    for node in graph.members(group):
        numbers.update(node.unpack().signatures)
    graph.load_signatures(numbers)
    for number in sorted(numbers):
        yield graph.signatures[number]


def _link(graph: Graph, stronger: Node, weaker: Node, found: _Found) -> Link:
    held = found.linking and stronger.links_with(weaker) and stronger.group is weaker.group
    return Link(
        stronger=Identifier(stronger.type, stronger.value),
        weaker=Identifier(weaker.type, weaker.value),
        held=held,
        reason="" if held else _reason(graph, stronger, weaker, found.linking),
        sources=tuple(sorted(found.sources)),
        events=found.events,
        first_time=Moment(min(found.times)),
        last_time=Moment(max(found.times)),
    )


def _reason(graph: Graph, one: Node, other: Node, linking: bool) -> str:
    """Why a link does not make its ends one person."""
    if not linking:
        return "the events that carry both contradict themselves or carry too many identifiers"
    for node, far in ((one, other), (other, one)):
        if far.rank >= node.cut:
            return _shared(graph, node)
    for type_, limit in graph.policy.limits:
        count = sum(len(g.members.get(type_, ())) for g in _groups(graph, one, other))
        if count > limit:
            return f"the profile would have {count} values of {type_}, and the limit is {limit}"
    return ""


def _groups(graph: Graph, one: Node, other: Node) -> Iterator[Group]:
    for node in (one, other):
        if node.group is not None:
            yield node.group.unpack(graph.policy.rank)


def _shared(graph: Graph, node: Node) -> str:
    policy = graph.policy
    most = policy.max_owners[node.rank]
    if node.cut == 0 and most is not None:
        return f"the {node.type} is shared: it was seen with more than {most} values of a stronger type"
    return (
        f"the {node.type} was seen with more than {policy.max_links} identifiers: "
        f"its links to {policy.types[node.cut]} and weaker types do not count"
    )
