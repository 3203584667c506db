"""The ordered pass with its record: which links made people one, and what stood against the others.

The links that joined two groups make a forest: within a profile exactly one path leads
from one identifier to another, and its weakest link is the best that any path has.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from cauce.identity.graph import Graph, Group, Node
from cauce.identity.parts import Part, parts_of
from cauce.identity.statements import Statement
from cauce.identity.ties import Tie
from cauce.identity.why_words import Reason, Said
from cauce.vocabulary.moment import SECOND


class Refused(NamedTuple):
    """What stands against joining two groups.

    ``here`` and ``there``: the members of either that stand against each other.
    """

    said: Said
    here: list[Node]
    there: list[Node]


class Step(NamedTuple):
    """One step of a chain, from one identifier to the next: by a link, or because it was stated."""

    here: str
    there: str
    link: Tie | None
    stated: Statement | None


class Tried(NamedTuple):
    """The outcome: the forest by identifier, what refused links, and the final parts by id."""

    forest: Mapping[str, Sequence[Step]]
    refused: Mapping[tuple[int, int], Refused]
    parts: Mapping[int, Part]

    def path(self, start: str, goal: str) -> list[Step] | None:
        """The chain between two identifiers; None if they are not one person's."""
        came: dict[str, Step | None] = {start: None}
        waiting = deque([start])
        while waiting and goal not in came:
            here = waiting.popleft()
            for step in self.forest.get(here, ()):
                if step.there not in came:
                    came[step.there] = step
                    waiting.append(step.there)
        if goal not in came:
            return None
        chain: list[Step] = []
        while (back := came[goal]) is not None:
            chain.append(back)
            goal = back.here
        return chain[::-1]


def try_links(
    graph: Graph, home: Collection[int], links: Iterable[Tie], told: Collection[Tie] | None = None
) -> Tried:
    """Run the pass over some links among loaded identifiers, the best link first.

    What stands against a link is found out for those that are to be ``told``, or for all.
    """
    parts = parts_of(graph, home)
    forest = _stated_forest(graph, home)
    refused: dict[tuple[int, int], Refused] = {}
    for link in _in_order(links):
        one, other = parts[link.stronger.id], parts[link.weaker.id]
        if one is other:
            continue
        counts = one.takes(other, graph.policy)
        if counts is None:
            if told is None or link in told:
                refused[link.stronger.id, link.weaker.id] = refusal(graph, one, other)
            continue
        _join(forest, link)
        if len(one.ids) < len(other.ids):
            one, other = other, one
        one.take(other, counts)
        for id_ in other.ids:
            parts[id_] = one
    return Tried(forest, refused, parts)


def held_path(
    graph: Graph, home: Collection[int], links: Iterable[Tie], start: Node, goal: Node
) -> list[Step]:
    """The chain between two members of a profile, given all links that hold within it.

    None of those was refused, so the pass need not look at limits, and ends where the two meet.
    """
    forest = _stated_forest(graph, home)
    sets = {graph.nodes[id_].key: {graph.nodes[id_].key} for id_ in home}
    for here, steps in forest.items():
        for step in steps:
            _unite(sets, here, step.there)
    for link in _in_order(links):
        if goal.key in sets[start.key]:
            break
        if _unite(sets, link.stronger.key, link.weaker.key):
            _join(forest, link)
    return Tried(forest, {}, {}).path(start.key, goal.key) or []


def _unite(sets: dict[str, set[str]], one: str, other: str) -> bool:
    """Make one set of those of two keys; whether they were two."""
    mine, its = sets.setdefault(one, {one}), sets.setdefault(other, {other})
    if mine is its:
        return False
    if len(mine) < len(its):
        mine, its = its, mine
    mine |= its
    for key in its:
        sets[key] = mine
    return True


def _in_order(links: Iterable[Tie]) -> list[Tie]:
    return sorted((link for link in links if link.counts), key=lambda link: link.rank)


def _join(forest: dict[str, list[Step]], link: Tie) -> None:
    here, there = link.stronger.key, link.weaker.key
    forest.setdefault(here, []).append(Step(here, there, link, None))
    forest.setdefault(there, []).append(Step(there, here, link, None))


def _stated_forest(graph: Graph, home: Collection[int]) -> dict[str, list[Step]]:
    """The steps that were stated."""
    forest: dict[str, list[Step]] = {}
    for said in _sames(graph, home):
        forest.setdefault(said.one, []).append(Step(said.one, said.other, None, said))
        forest.setdefault(said.other, []).append(Step(said.other, said.one, None, said))
    return forest


def _sames(graph: Graph, home: Collection[int]) -> Iterable[Statement]:
    """The statements that make identifiers one, of those concerned; also by way of others."""
    if not graph.statements:
        return
    classes = {c.members for id_ in home if (c := graph.statements.of(graph.nodes[id_].key)) is not None}
    for members in classes:
        ordered = sorted(members)
        for place, one in enumerate(ordered):
            for other in ordered[place + 1 :]:
                said = graph.statements.find(one, other)
                if said is not None and not said.never:
                    yield said


def refused_between(graph: Graph, one: Group, other: Group) -> Refused | None:
    """What stands against joining two whole profiles; None if nothing does."""
    here, there = _whole(graph, one), _whole(graph, other)
    return None if here.takes(there, graph.policy) is not None else refusal(graph, here, there)


def _whole(graph: Graph, group: Group) -> Part:
    graph.members(group)
    parts = list({id(part): part for part in parts_of(graph, dict.fromkeys(group.ids())).values()}.values())
    first = parts[0]
    for part in parts[1:]:
        first.take(part, [a + b for a, b in zip(first.counts, part.counts, strict=True)])
    return first


def refusal(graph: Graph, one: Part, other: Part) -> Refused:
    """What ``Part.takes`` found against joining two groups."""
    policy = graph.policy
    for place, (type_, limit) in enumerate(policy.limits):
        count = one.counts[place] + other.counts[place]
        if count <= limit:
            continue
        window = policy.windows[place]
        if window is not None and not _crowded(one, other, place, limit, window):
            continue
        here, there = _of_type(graph, one, type_), _of_type(graph, other, type_)
        told = {
            "type": type_,
            "limit": limit,
            "count": count,
            "here": [node.value for node in here],
            "there": [node.value for node in there],
        }
        if window is None:
            return Refused(Said(Reason.LIMIT, told), here, there)
        return Refused(Said(Reason.WINDOW, {**told, "window": window // SECOND}), here, there)
    return _never(graph, one, other)


def _crowded(one: Part, other: Part, place: int, limit: int, window: int) -> bool:
    times = sorted(one.times.get(place, []) + other.times.get(place, []))
    return any(later - earlier < window for earlier, later in zip(times, times[limit:], strict=False))


def _of_type(graph: Graph, part: Part, type_: str) -> list[Node]:
    nodes = [graph.nodes[id_] for id_ in part.ids if graph.nodes[id_].type == type_]
    return sorted(nodes, key=lambda node: node.value)


def _never(graph: Graph, one: Part, other: Part) -> Refused:
    """The statement that keeps two groups apart."""
    for key in sorted(one.stated):
        for far in sorted(other.stated):
            said = graph.statements.find(key, far)
            if said is not None and said.never:
                here, there = graph.nodes_by_key.get(key), graph.nodes_by_key.get(far)
                told = Said(
                    Reason.NEVER, {"here": key, "there": far, "statement": said.id, "time": said.time}
                )
                return Refused(told, [here] if here else [], [there] if there else [])
    raise LookupError("nothing stands against joining these groups")
