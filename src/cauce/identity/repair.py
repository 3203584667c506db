"""Repair: run the greedy pass again, on the profiles concerned only (``identity.md`` section 4, 5).

Profiles outside are drawn in as far as a link to them, rejected until now, might be
accepted: only from a profile that is *loose*, because it fell apart or lost a link.
"""

from collections.abc import Collection, Iterable
from itertools import combinations
from typing import NamedTuple

from cauce.identity.graph import Graph, Group, Node
from cauce.identity.order import Rank, ends, grade, rank_of
from cauce.identity.parts import Part, part_of, parts_of
from cauce.identity.policy import Policy


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
        part, candidates = _pass(graph, home)
        fallen = {group for group in ordered if len({id(part[i]) for i in group.ids()}) > 1}
        drawn = {c.outside for c in candidates if c.inside in lost or c.inside in fallen}
        if not drawn:
            parts = {id(one): one for one in part.values()}.values()
            return Outcome(ordered, [[graph.nodes[i] for i in sorted(one.ids)] for one in parts])
        concerned |= drawn


def _pass(graph: Graph, home: dict[int, Group]) -> tuple[dict[int, Part], set[Candidate]]:
    """One greedy pass over the links of the members; links to the outside are only tested."""
    parts = parts_of(graph, home)
    candidates: set[Candidate] = set()
    for _, one, other in sorted(links_of(graph, home)):
        if one in home and other in home:
            _join(parts, parts[one], parts[other], graph.policy)
            continue
        inside, outside = (one, other) if one in home else (other, one)
        node = graph.nodes[outside]
        if node.group is not None and _may_take(graph, parts[inside], node):
            candidates.add(Candidate(home[inside], node.group))
    return parts, candidates


def _join(parts: dict[int, Part], one: Part, other: Part, policy: Policy) -> None:
    """Make one part of two unless that would break a limit or a statement."""
    if one is other:
        return
    counts = one.takes(other, policy)
    if counts is None:
        return
    if len(one.ids) < len(other.ids):
        one, other = other, one
    one.take(other, counts)
    for id_ in other.ids:
        parts[id_] = one


def _may_take(graph: Graph, part: Part, outside: Node) -> bool:
    """Whether an identifier of another profile might join: whoever joins with it is not looked at."""
    stated = graph.statements.of(outside.key)
    if stated is not None:
        return part.nevers.isdisjoint(stated.members)  # limits are looked at once all its equals are inside
    return part.takes(part_of(outside, graph.policy), graph.policy) is not None


def links_of(graph: Graph, home: Collection[int]) -> list[tuple[Rank, int, int]]:
    """Every link that counts and has an end in ``home``: its best rank, stronger and weaker end."""
    wanted = {s for id_ in home for s in graph.nodes[id_].unpack().signatures}
    graph.load_signatures(wanted)
    best: dict[tuple[int, int], Rank] = {}
    for number in sorted(wanted):
        signature = graph.signatures[number]
        if not signature.evidence:
            continue
        good = grade(signature, graph.policy)
        for one, other in combinations(graph.live(signature), 2):
            if (one.id in home or other.id in home) and one.links_with(other):
                stronger, weaker = ends(one, other)
                rank = rank_of(stronger, weaker, good, graph.policy)
                known = best.get((stronger.id, weaker.id))
                if known is None or rank < known:
                    best[stronger.id, weaker.id] = rank
    return [(rank, stronger, weaker) for (stronger, weaker), rank in best.items()]
