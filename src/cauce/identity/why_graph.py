"""A person's graph, for pictures: her identifiers, their links, and why some of those do not hold."""

from enum import StrEnum
from typing import NamedTuple

from cauce.identity.graph import Graph, Group, Node
from cauce.identity.links import reason_of
from cauce.identity.ties import Seen, Tie, signatures_of, ties_of
from cauce.identity.tried import try_links
from cauce.identity.why_words import Said
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment

MOST_LINKS = 2_000
"""So many links are in a picture, the best ones."""


class Standing(StrEnum):
    """What an identifier is to the person."""

    ANCHOR = "anchor"
    MEMBER = "member"
    SHARED = "shared"
    OTHER = "other_person"
    NOBODY = "nobody"


class Drawn(NamedTuple):
    """An identifier of a picture; ``first_time`` is None for nobody's."""

    identifier: Identifier
    standing: Standing
    profile_id: str
    first_time: Moment | None


class DrawnLink(NamedTuple):
    """A link of a picture: ``joining`` if it made the person one; ``said`` is why it does not hold."""

    stronger: str
    weaker: str
    held: bool
    joining: bool
    said: Said | None
    seen: list[Seen]


class Picture(NamedTuple):
    """A person's graph; ``links`` that were left out are counted."""

    profile_id: str
    identifiers: list[Drawn]
    links: list[DrawnLink]
    left_out: int


def picture_of(graph: Graph, identifier: Identifier, *, most: int = MOST_LINKS) -> Picture | None:
    """The graph of whoever has a normalized identifier; None if nobody has."""
    graph.find([str(identifier)])
    node = graph.nodes_by_key.get(str(identifier))
    if node is None or node.group is None:
        return None
    group = node.group.unpack(graph.policy.rank)
    ties = sorted(ties_of(graph, {group}).values(), key=lambda tie: (not tie.counts, tie.rank))
    within = [tie for tie in ties if tie.stronger.group is tie.weaker.group]
    tried = try_links(graph, dict.fromkeys(group.ids()), within)
    joining = {id(step.link) for steps in tried.forest.values() for step in steps}
    links = [_drawn_link(graph, tie, id(tie) in joining) for tie in ties[:most]]
    nodes = {one.id: one for tie in ties[:most] for one in (tie.stronger, tie.weaker)}
    nodes |= {one.id: one for one in graph.members(group)}
    for signature in signatures_of(graph, [group]):
        nodes |= {id_: one for id_ in signature.ids() if not (one := graph.nodes[id_]).counts}
    ordered = sorted(
        nodes.values(), key=lambda one: (one.group is not group, one.rank, one.first_time, one.value)
    )
    drawn = [_drawn(one, group) for one in ordered]
    return Picture(group.profile_id, drawn, links, len(ties) - len(links))


def _drawn(node: Node, group: Group) -> Drawn:
    identifier = Identifier(node.type, node.value)
    if node.group is None:
        return Drawn(identifier, Standing.NOBODY, "", None)
    if node.group is group:
        standing = Standing.ANCHOR if group.key == node.id else Standing.MEMBER
    else:
        standing = Standing.SHARED if node.cut == 0 else Standing.OTHER
    return Drawn(identifier, standing, node.group.profile_id, Moment(node.first_time))


def _drawn_link(graph: Graph, tie: Tie, joining: bool) -> DrawnLink:
    why_not = reason_of(graph, tie)
    return DrawnLink(tie.stronger.key, tie.weaker.key, why_not is None, joining, why_not, tie.seen())
