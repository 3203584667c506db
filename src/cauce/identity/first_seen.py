"""First sightings: when each identifier of a person was first seen, and by which source."""

from typing import NamedTuple

from cauce.identity.graph import Graph
from cauce.identity.ties import signatures_of
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment


class Sighting(NamedTuple):
    """An identifier of a person; of sources that saw it first at the same time, the first by name."""

    identifier: Identifier
    source: str
    time: Moment


def first_sightings(graph: Graph, identifier: Identifier) -> list[Sighting] | None:
    """Those of whoever has a normalized identifier, strongest first; None if nobody has."""
    graph.find([str(identifier)])
    node = graph.nodes_by_key.get(str(identifier))
    if node is None or node.group is None:
        return None
    members = graph.members(node.group)
    found: dict[int, tuple[int, str]] = {}
    for signature in signatures_of(graph, [node.group]):
        for source, (_, first, _) in signature.evidence.items():
            for id_ in signature.ids():
                found[id_] = min(found.get(id_, (first, source)), (first, source))
    ordered = sorted(members, key=lambda one: (one.rank, one.first_time, one.value))
    return [
        Sighting(Identifier(one.type, one.value), found[one.id][1], Moment(found[one.id][0]))
        for one in ordered
        if one.id in found
    ]
