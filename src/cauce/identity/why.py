"""Why two identifiers are one person's, or two people's, and what would change that.

Works on a graph: that of the present state, or one made of the events up to a moment.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cauce.identity.graph import Graph, Group, Node, Signature
from cauce.identity.links import reason_of, shared
from cauce.identity.ties import Seen, Tie, held_ties, signatures_of, ties_in, ties_of
from cauce.identity.tried import Refused, Step, Tried, held_path, try_links
from cauce.identity.why_words import Held, Preferred, Reason, Said, Verdict
from cauce.vocabulary.identifier import Identifier

MOST_OBSTACLES = 3
"""So many links that do not hold are told, the best ones."""


class Link(NamedTuple):
    """A link of a chain, from one identifier to the next, or one that stands against another.

    ``seen`` is the evidence by source; it is empty for what was stated.
    """

    here: str
    there: str
    seen: list[Seen]
    said: Said


class Obstacle(NamedTuple):
    """A link between two people that does not hold, and why.

    ``against`` is the link that was kept instead, and ``preferred`` why it was tried first.
    """

    link: Link
    said: Said
    against: Link | None
    preferred: Said | None


class Why(NamedTuple):
    """The answer: ``chain`` if they are one person, ``obstacles`` if they are two, best link first.

    ``profiles`` are the public ids of either's profile, empty if there is none.
    """

    said: Said
    profiles: tuple[str, str]
    chain: list[Link]
    obstacles: list[Obstacle]

    @property
    def verdict(self) -> Verdict:
        """Whether they are one person."""
        return Verdict(self.said.key)


class Case(NamedTuple):
    """Two different live identifiers in two profiles, with all that ties the two."""

    graph: Graph
    one: Node
    other: Node
    tried: Tried
    between: list[Tie]


def explain(graph: Graph, one: Identifier, other: Identifier, *, whole: bool) -> tuple[Why, Case | None]:
    """Why two normalized identifiers are one person's or not; and the case, if they are two people's.

    ``whole``: every signature may be looked at, which takes long where there are many;
    otherwise events that link nothing may be overlooked.
    """
    graph.find([str(one), str(other)])
    nodes = [graph.nodes_by_key.get(str(identifier)) for identifier in (one, other)]
    profiles = tuple("" if node is None or node.group is None else node.group.profile_id for node in nodes)
    told = {"one": str(one), "other": str(other)}
    here, there = nodes
    for identifier in (one, other):
        if not graph.policy.counts(*identifier):
            said = Said(Verdict.NOBODY, {**told, "nobody": str(identifier)})
            return _apart(said, profiles, _uncounted(graph, identifier), told), None
    if here is None or there is None:
        unknown = str(one) if here is None else str(other)
        said = Said(Verdict.UNKNOWN, {**told, "unknown": unknown})
        return _apart(said, profiles, Said(Reason.UNKNOWN, {"identifier": unknown}), told), None
    for node in (here, there):
        if node.group is None:
            said = Said(Verdict.NOBODY, {**told, "nobody": node.key})
            return _apart(said, profiles, _nobody(graph, node), told), None
    assert here.group is not None
    assert there.group is not None
    if here.group is there.group:
        chain = _chain(graph, here.group, here, there)
        return Why(Said(Verdict.ONE, told), (profiles[0], profiles[1]), chain, []), None
    case = _case(graph, here, there)
    obstacles = _obstacles(case, whole)
    return Why(Said(Verdict.TWO, told), (profiles[0], profiles[1]), [], obstacles), case


def _apart(said: Said, profiles: Sequence[str], reason: Said, told: dict[str, str]) -> Why:
    link = Link(told["one"], told["other"], [], reason)
    return Why(said, (profiles[0], profiles[1]), [], [Obstacle(link, reason, None, None)])


def _uncounted(graph: Graph, identifier: Identifier) -> Said:
    """Why the rules do not count an identifier."""
    told = {"identifier": str(identifier), "type": identifier.type}
    return Said(Reason.BLOCKED if identifier.type in graph.policy.rank else Reason.UNLISTED, told)


def _nobody(graph: Graph, node: Node) -> Said:
    """Why an identifier is in no profile."""
    if not node.counts:
        return _uncounted(graph, Identifier(node.type, node.value))
    return Said(Reason.RETRACTED, {"identifier": node.key})


def _chain(graph: Graph, group: Group, one: Node, other: Node) -> list[Link]:
    """The path through the links that made a profile one."""
    if one is other:
        return []
    ties = held_ties(graph, group)
    path = held_path(graph, dict.fromkeys(group.ids()), ties.values(), one, other)
    return [_step(step) for step in path]


def _step(step: Step) -> Link:
    if step.link is not None:
        return told_link(step.link, step.here)
    assert step.stated is not None
    told = {
        "here": step.here,
        "there": step.there,
        "time": step.stated.time,
        "statement": step.stated.id,
    }
    return Link(step.here, step.there, [], Said(Held.STATED, told))


def told_link(tie: Tie, here: str) -> Link:
    """A link in words, from one of its ends."""
    there = tie.other(tie.stronger if tie.stronger.key == here else tie.weaker).key
    seen = tie.seen()
    told = {
        "here": here,
        "there": there,
        "events": sum(one.events for one in seen),
        "sources": [one.source for one in seen],
        "first": min(one.first_time for one in seen),
        "last": max(one.last_time for one in seen),
    }
    return Link(here, there, seen, Said(Held.SEEN if told["events"] != 1 else Held.SEEN_ONCE, told))


def _case(graph: Graph, one: Node, other: Node) -> Case:
    assert one.group is not None
    assert other.group is not None
    groups = {one.group, other.group}
    ties = ties_of(graph, groups, within=True)
    home = {id_: None for group in groups for id_ in group.ids()}
    between = [tie for tie in ties.values() if tie.stronger.group is not tie.weaker.group]
    direct = {one.id, other.id}
    between.sort(key=lambda tie: ({tie.stronger.id, tie.weaker.id} != direct, not tie.counts, tie.rank))
    tried = try_links(graph, home, ties.values(), between[:MOST_OBSTACLES]) if between else Tried({}, {}, {})
    return Case(graph, one, other, tried, between)


def _obstacles(case: Case, whole: bool) -> list[Obstacle]:
    """Why the best links between two profiles do not hold; if there are none, by whom else they touch."""
    found = [_obstacle(case, tie) for tie in case.between[:MOST_OBSTACLES]]
    found = found or list(_stated(case)) or (list(_overlooked(case)) if whole else [])
    found = found or list(_beside(case))[:MOST_OBSTACLES]
    if found:
        return found
    unseen = Said(Reason.UNSEEN, {})
    for signature in _carrying_both(case, whole):
        unseen = Said(Reason.RETRACTED if not signature.sources else Reason.WITHDRAWN, {})
    return [Obstacle(Link(case.one.key, case.other.key, [], unseen), unseen, None, None)]


def _overlooked(case: Case) -> Iterator[Obstacle]:
    """Events that carry both and link nothing, of which neither person is told."""
    for tie in ties_in(case.graph, _carrying_both(case, whole=True)).values():
        if {tie.stronger, tie.weaker} == {case.one, case.other}:
            yield _obstacle(case, tie)


def _carrying_both(case: Case, whole: bool) -> list[Signature]:
    """What carried both; events of which none counts any more too."""
    graph, ends = case.graph, {case.one.id, case.other.id}
    groups = [node.group for node in (case.one, case.other) if node.group is not None]
    near = graph.signatures_with([case.one.id]) if whole else signatures_of(graph, groups)
    return [signature for signature in near if ends.issubset(signature.ids())]


def _obstacle(case: Case, tie: Tie) -> Obstacle:
    graph = case.graph
    one = case.one.group
    here = tie.stronger if tie.stronger.group is one else tie.weaker
    link = told_link(tie, here.key)
    refused = case.tried.refused.get((tie.stronger.id, tie.weaker.id))
    if refused is None:
        said = reason_of(graph, tie)
        assert said is not None
        return Obstacle(link, said, None, None)
    against = standing_against(case.tried, tie, refused)
    if against is None:
        return Obstacle(link, refused.said, None, None)
    kept = told_link(against, against.stronger.key)
    return Obstacle(link, refused.said, kept, _preferred(graph, against, tie))


def standing_against(tried: Tried, tie: Tie, refused: Refused) -> Tie | None:
    """The weakest of the kept links by which the ends of a refused one have what stands against it."""
    found: list[Tie] = []
    for end in (tie.stronger, tie.weaker):
        paths = [tried.path(end.key, node.key) for node in (*refused.here, *refused.there)]
        within = [path for path in paths if path is not None]
        if within:
            nearest = min(within, key=len)
            found += [step.link for step in nearest if step.link is not None]
    return max(found, key=lambda one: one.rank, default=None)


def _preferred(graph: Graph, kept: Tie, tie: Tie) -> Said:
    """Why a link was tried before another one."""
    told = {"stronger": kept.stronger.key, "weaker": kept.weaker.key}
    mine, its = kept.rank, tie.rank
    if mine[0] != its[0]:
        return Said(Preferred.TYPE, {**told, "other": tie.weaker.key})
    if mine[1] != its[1]:
        return Said(Preferred.STRENGTH, told)
    if mine[2] != its[2]:
        return Said(Preferred.NEWER if graph.policy.newest[mine[0]] else Preferred.OLDER, told)
    if mine[3] != its[3]:
        return Said(Preferred.STRONGER_TYPE, {**told, "other": tie.stronger.key})
    return Said(Preferred.VALUE, told)


def _stated(case: Case) -> Iterator[Obstacle]:
    """A statement that keeps the two apart whom no event ties."""
    said = case.graph.statements.find(case.one.key, case.other.key)
    if said is not None and said.never:
        told = {"here": case.one.key, "there": case.other.key, "statement": said.id, "time": said.time}
        never = Said(Reason.NEVER, told)
        yield Obstacle(Link(case.one.key, case.other.key, [], never), never, None, None)


def _beside(case: Case) -> Iterator[Obstacle]:
    """Identifiers of neither person that both were seen with: shared, blocked, not listed, or a third's."""
    graph = case.graph
    near = [_neighbours(graph, node) for node in (case.one, case.other)]
    both = near[0].keys() & near[1].keys()
    nodes = sorted((graph.nodes[id_] for id_ in both), key=lambda n: (n.group is None, n.rank, n.value))
    for node in nodes:
        if not node.counts:
            listed = node.type in graph.policy.rank
            told = {"identifier": node.key, "type": node.type}
            said = Said(Reason.BLOCKED_BETWEEN if listed else Reason.UNLISTED_BETWEEN, told)
        elif node.cut == 0:
            said = shared(graph, node)
        else:
            said = Said(Reason.THIRD, {"identifier": node.key})
        yield Obstacle(Link(case.one.key, node.key, [], said), said, None, None)


def _neighbours(graph: Graph, node: Node) -> dict[int, Signature]:
    """The identifiers outside a profile that its events carried, with what carried them."""
    group = node.group
    assert group is not None
    found: dict[int, Signature] = {}
    for signature in signatures_of(graph, [group]):
        for id_ in signature.ids():
            if graph.nodes[id_].group is not group:
                found[id_] = signature
    return found
