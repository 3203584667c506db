"""Repair: run the greedy pass again, on the profiles concerned only (``identity.md`` section 4, 5).

Profiles outside are drawn in as far as a link to them, rejected until now, might be
accepted: only from a profile that is *loose*, because it fell apart or lost a link.
"""

from collections.abc import Collection, Iterable
from itertools import combinations
from typing import NamedTuple

from cauce.identity.graph import Graph, Group, Node
from cauce.identity.order import Rank, ends, grade, rank_of


class Part:
    """A growing group of the pass: member ids, and how many of each limited type."""

    __slots__ = ("counts", "ids")

    def __init__(self, id_: int, counts: list[int]) -> None:
        self.ids = [id_]
        self.counts = counts


class Outcome(NamedTuple):
    """The pass's answer: the groups it looked at, ascending, and the parts they fell into."""

    groups: list[Group]
    parts: list[list[Node]]


class Candidate(NamedTuple):
    """A link to the outside that would not break a limit at its rank."""

    inside: Group
    outside: Group


def repair(graph: Graph, groups: Iterable[Group], loose: Iterable[Group]) -> Outcome:
    """Partition the members of some groups anew, with as many other groups as that takes.

    ``groups`` must hold both ends of every link that is new or better; ``loose``,
    a part of them, are those that lost a link.
    """
    concerned = set(groups)
    lost = set(loose)
    while True:
        ordered = sorted(concerned, key=lambda group: group.key)
        home = {node.id: group for group in ordered for node in graph.members(group)}
        part_of, candidates = _pass(graph, home)
        fallen = {group for group in ordered if len({id(part_of[i]) for i in group.ids()}) > 1}
        drawn = {c.outside for c in candidates if c.inside in lost or c.inside in fallen}
        if not drawn:
            parts = {id(part): part for part in part_of.values()}.values()
            return Outcome(ordered, [[graph.nodes[i] for i in sorted(part.ids)] for part in parts])
        concerned |= drawn


def _pass(graph: Graph, home: dict[int, Group]) -> tuple[dict[int, Part], set[Candidate]]:
    """One greedy pass over the links of the members; links to the outside are only tested."""
    limits = [limit for _, limit in graph.policy.limits]
    index = graph.policy.limit_index
    part_of: dict[int, Part] = {}
    for id_ in home:
        counts = [0] * len(limits)
        place = index.get(graph.nodes[id_].rank)
        if place is not None:
            counts[place] = 1
        part_of[id_] = Part(id_, counts)
    candidates: set[Candidate] = set()
    for _, one, other in sorted(links_of(graph, home)):
        if one in home and other in home:
            _join(part_of, part_of[one], part_of[other], limits)
            continue
        inside, outside = (one, other) if one in home else (other, one)
        place = index.get(graph.nodes[outside].rank)
        if place is None or part_of[inside].counts[place] < limits[place]:
            group = graph.nodes[outside].group
            if group is not None:
                candidates.add(Candidate(home[inside], group))
    return part_of, candidates


def _join(part_of: dict[int, Part], one: Part, other: Part, limits: list[int]) -> None:
    """Make one part of two unless that would break a limit."""
    if one is other:
        return
    counts = [a + b for a, b in zip(one.counts, other.counts, strict=True)]
    if any(count > limit for count, limit in zip(counts, limits, strict=True)):
        return
    if len(one.ids) < len(other.ids):
        one, other = other, one
    one.counts = counts
    one.ids += other.ids
    for id_ in other.ids:
        part_of[id_] = one


def links_of(graph: Graph, home: Collection[int]) -> list[tuple[Rank, int, int]]:
    """Every link that counts and has an end in ``home``: its best rank, stronger and weaker end."""
    wanted = {s for id_ in home for s in graph.nodes[id_].unpack().signatures}
    graph.load_signatures(wanted)
    best: dict[tuple[int, int], Rank] = {}
    for number in sorted(wanted):
        signature = graph.signatures[number]
        good = grade(signature, graph.policy)
        for one, other in combinations(graph.live(signature), 2):
            if (one.id in home or other.id in home) and one.links_with(other):
                stronger, weaker = ends(one, other)
                rank = rank_of(stronger, weaker, good, graph.policy)
                known = best.get((stronger.id, weaker.id))
                if known is None or rank < known:
                    best[stronger.id, weaker.id] = rank
    return [(rank, stronger, weaker) for (stronger, weaker), rank in best.items()]
