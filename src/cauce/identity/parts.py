"""Parts: the growing groups of the ordered pass, and whether two of them may become one."""

from collections.abc import Collection, Sequence

from cauce.identity.graph import Graph, Node
from cauce.identity.policy import Policy
from cauce.identity.statements import Stated

_NONE: frozenset[str] = frozenset()


class Part:
    """A growing group: member ids, and what limits and statements ask of it.

    ``counts``: how many values of each limited type; identifiers stated to be one count
    once. ``times``: of types with a window, the first sightings, ascending. ``stated``:
    the identifiers that something is stated of, ``nevers``: those they never join.
    """

    __slots__ = ("counts", "ids", "nevers", "stated", "times")

    def __init__(self, ids: list[int], counts: list[int], times: dict[int, list[int]]) -> None:
        self.ids = ids
        self.counts = counts
        self.times = times
        self.stated = _NONE
        self.nevers = _NONE

    def takes(self, other: "Part", policy: Policy) -> list[int] | None:
        """The counts of both together; None if a limit or a statement stands against it."""
        counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        for place, (_, limit) in enumerate(policy.limits):
            if counts[place] > limit and self._breaks(other, place, limit, policy.windows[place]):
                return None
        return counts if self.nevers.isdisjoint(other.stated) else None

    def _breaks(self, other: "Part", place: int, limit: int, window: int | None) -> bool:
        if window is None:
            return True
        times = sorted(self.times.get(place, []) + other.times.get(place, []))
        return any(later - earlier < window for earlier, later in zip(times, times[limit:], strict=False))

    def take(self, other: "Part", counts: list[int]) -> None:
        """Become one with another part, which ``takes`` allowed."""
        self.counts = counts
        self.ids += other.ids
        for place, times in other.times.items():
            self.times[place] = self.times.get(place, []) + times
        if other.stated:
            self.stated |= other.stated
            self.nevers |= other.nevers


def part_of(node: Node, policy: Policy) -> Part:
    """An identifier alone."""
    counts, times = [0] * len(policy.limits), {}
    place = policy.limit_index.get(node.rank)
    if place is not None:
        counts[place] = 1
        if policy.windows[place] is not None:
            times[place] = [node.first_time]
    return Part([node.id], counts, times)


def parts_of(graph: Graph, home: Collection[int]) -> dict[int, Part]:
    """Loaded identifiers alone, but for those that are stated to be one, by id."""
    policy, statements = graph.policy, graph.statements
    parts: dict[int, Part] = {}
    for id_ in home:
        node = graph.nodes[id_]
        stated = statements.of(node.key)
        if stated is None:
            parts[id_] = part_of(node, policy)
        elif id_ not in parts:
            known = (graph.nodes_by_key.get(key) for key in sorted(stated.members))
            nodes = [one for one in known if one is not None and one.id in home]
            parts.update(dict.fromkeys([one.id for one in nodes], _stated_part(nodes, stated, policy)))
    return parts


def _stated_part(nodes: Sequence[Node], stated: Stated, policy: Policy) -> Part:
    """Identifiers that are stated to be one, with what is stated of others that no event named yet."""
    counts = [int(type_ in stated.types) for type_, _ in policy.limits]
    times = {}
    for place, (type_, _) in enumerate(policy.limits):
        first = [node.first_time for node in nodes if node.type == type_]
        if first and policy.windows[place] is not None:
            times[place] = [min(first)]
    part = Part([node.id for node in nodes], counts, times)
    part.stated, part.nevers = stated.members, stated.nevers
    return part
