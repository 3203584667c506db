"""Ties: which identifiers events carried together, how good a link that is, and the evidence for it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from cauce.identity.graph import Graph, Group, Node, Signature
from cauce.identity.order import Rank, grade
from cauce.vocabulary.moment import Moment


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


def ties_of(graph: Graph, groups: Collection[Group], *, within: bool = False) -> dict[tuple[int, int], Tie]:
    """The links with an end in some profiles, or ``within`` with both, by stronger and weaker end's id."""
    return _ties(graph, signatures_of(graph, groups), groups, within)


def ties_in(graph: Graph, signatures: Iterable[Signature]) -> dict[tuple[int, int], Tie]:
    """All links in what events carried, by stronger and weaker end's id."""
    return _ties(graph, signatures, None, False)


def signatures_of(graph: Graph, groups: Iterable[Group]) -> Iterator[Signature]:
    """What events of some profiles carried: all that links a member, and all that a member owns."""
    numbers: set[int] = set()
    for group in groups:
        numbers.update(group.unpack(graph.policy.rank).signatures)
        for node in graph.members(group):
            numbers.update(node.unpack().signatures)
    graph.load_signatures(numbers)
    for number in sorted(numbers):
        yield graph.signatures[number]


def _ties(
    graph: Graph, signatures: Iterable[Signature], groups: Collection[Group] | None, within: bool
) -> dict[tuple[int, int], Tie]:
    policy = graph.policy
    found: dict[tuple[int, int], Tie] = {}
    for signature in signatures:
        live = graph.live(signature)
        if len(live) < 2 or not signature.evidence:
            continue
        linking = not policy.contradicts([node.type for node in live])
        good = grade(signature, policy)
        for stronger, weaker in _pairs(live, linking or len(live) <= policy.max_ids):
            if groups is not None:
                ends = (stronger.group in groups) + (weaker.group in groups)
                if ends < 1 + within:
                    continue
            key = (stronger.id, weaker.id)
            tie = found.get(key)
            if tie is None:
                tie = found[key] = Tie(stronger, weaker)
            tie.signatures.append(signature)
            order = (good.strength, good.newest if policy.newest[weaker.rank] else good.oldest)
            if tie.order is None or (not linking, order) < (not tie.linking, tie.order):
                tie.order, tie.linking = order, linking
    return found


def _pairs(live: Sequence[Node], all_: bool) -> Iterable[tuple[Node, Node]]:
    """The pairs of identifiers; of what carries too many only those with the strongest."""
    return combinations(live, 2) if all_ else ((live[0], other) for other in live[1:])
