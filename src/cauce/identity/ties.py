"""Ties: which identifiers events carried together, how good a link that is, and the evidence for it."""

from collections.abc import Collection, Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from cauce.identity.graph import Graph, Group, Node, Signature
from cauce.identity.order import Rank, grade
from cauce.vocabulary.moment import Moment

Ties = dict[tuple[int, int], "Tie"]
"""Links by the ids of their stronger and weaker end."""


class Seen(NamedTuple):
    """What one source said: how many events, and when the first and the last happened."""

    source: str
    events: int
    first_time: Moment
    last_time: Moment


class Tie:
    """Two identifiers that events carried together, the stronger first.

    ``linking``: whether any of the events may link; ``order`` is the strength and time of
    the best of those, or of all if none may. ``signatures`` are what the events carried.
    """

    __slots__ = ("linking", "order", "signatures", "stronger", "weaker")

    def __init__(self, stronger: Node, weaker: Node) -> None:
        self.stronger = stronger
        self.weaker = weaker
        self.linking = False
        self.order: tuple[int, int] | None = None
        self.signatures: list[Signature] = []

    @property
    def counts(self) -> bool:
        """Whether it is tried at all: it links, and neither end is shared."""
        return self.linking and self.stronger.links_with(self.weaker)

    @property
    def rank(self) -> Rank:
        """Its place in the order of links."""
        strength, time = self.order or (0, 0)
        weaker, stronger = self.weaker, self.stronger
        return weaker.rank, strength, time, stronger.rank, stronger.value, weaker.value

    def seen(self) -> list[Seen]:
        """The evidence by source."""
        found: dict[str, list[int]] = {}
        for signature in self.signatures:
            for source, (events, first, last) in signature.evidence.items():
                known = found.setdefault(source, [0, first, last])
                known[:] = known[0] + events, min(known[1], first), max(known[2], last)
        return [Seen(source, n, Moment(a), Moment(b)) for source, (n, a, b) in sorted(found.items())]

    def other(self, node: Node) -> Node:
        """The end that is not this one."""
        return self.weaker if node is self.stronger else self.stronger


def ties_of(graph: Graph, groups: Collection[Group], *, within: bool = False) -> Ties:
    """The links with an end in some profiles, or ``within`` with both, by stronger and weaker end's id."""
    return _ties(graph, signatures_of(graph, groups), groups, 1 + within)


def ties_in(graph: Graph, signatures: Iterable[Signature]) -> Ties:
    """All links in what events carried, by stronger and weaker end's id."""
    return _ties(graph, signatures, (), 0)


def held_ties(graph: Graph, group: Group) -> Ties:
    """The links that hold within a profile: all between its members that count."""
    numbers = {number for node in graph.members(group) for number in node.unpack().signatures}
    return _ties(graph, _loaded(graph, numbers), {group}, 2)


def signatures_of(graph: Graph, groups: Iterable[Group]) -> Iterable[Signature]:
    """What events of some profiles carried: all that links a member, and all that a member owns."""
    numbers: set[int] = set()
    for group in groups:
        numbers.update(group.unpack(graph.policy.rank).signatures)
        for node in graph.members(group):
            numbers.update(node.unpack().signatures)
    return _loaded(graph, numbers)


def _loaded(graph: Graph, numbers: Collection[int]) -> list[Signature]:
    graph.load_signatures(numbers)
    return [graph.signatures[number] for number in sorted(numbers)]


def _ties(graph: Graph, signatures: Iterable[Signature], groups: Collection[Group], ends: int) -> Ties:
    """The links in what events carried of which so many ends are in some profiles."""
    policy = graph.policy
    newest = policy.newest
    found: Ties = {}
    for signature in signatures:
        live = graph.live(signature)
        if len(live) < 2 or not signature.evidence:
            continue
        linking = not policy.contradicts([node.type for node in live])
        good = None
        for stronger, weaker in _pairs(live, linking or len(live) <= policy.max_ids):
            if ends and (stronger.group in groups) + (weaker.group in groups) < ends:
                continue
            good = good or grade(signature, policy)
            key = (stronger.id, weaker.id)
            tie = found.get(key)
            if tie is None:
                tie = found[key] = Tie(stronger, weaker)
            tie.signatures.append(signature)
            order = (good.strength, good.newest if newest[weaker.rank] else good.oldest)
            if tie.order is None or (not linking, order) < (not tie.linking, tie.order):
                tie.order, tie.linking = order, linking
    return found


def _pairs(live: Sequence[Node], all_: bool) -> Iterable[tuple[Node, Node]]:
    """The pairs of identifiers; of what carries too many only those with the strongest."""
    if len(live) == 2:
        return ((live[0], live[1]),)
    return combinations(live, 2) if all_ else ((live[0], other) for other in live[1:])
