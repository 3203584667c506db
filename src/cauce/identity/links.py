"""The links of a profile: which hold, and why the others make nobody one person."""

from cauce.identity.graph import Graph, Node
from cauce.identity.resolution import Link
from cauce.identity.ties import Tie, ties_of
from cauce.identity.tried import refused_between
from cauce.identity.why_words import Reason, Said, sentence
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.profile import ProfileKey


def links_of_profile(graph: Graph, profile: ProfileKey) -> list[Link]:
    """The links with an end in a profile, in the order in which they are tried; none if it is gone."""
    group = graph.group(profile)
    if group is None:
        return []
    ties = sorted(ties_of(graph, {group}).values(), key=lambda tie: tie.rank)
    return [_link(graph, tie) for tie in ties]


def _link(graph: Graph, tie: Tie) -> Link:
    why_not = reason_of(graph, tie)
    seen = tie.seen()
    return Link(
        stronger=Identifier(tie.stronger.type, tie.stronger.value),
        weaker=Identifier(tie.weaker.type, tie.weaker.value),
        held=why_not is None,
        reason="" if why_not is None else sentence(why_not),
        sources=tuple(one.source for one in seen),
        events=sum(one.events for one in seen),
        first_time=min(one.first_time for one in seen),
        last_time=max(one.last_time for one in seen),
    )


def reason_of(graph: Graph, tie: Tie) -> Said | None:
    """Why a link does not make its ends one person; None if it does."""
    stronger, weaker = tie.stronger, tie.weaker
    if not tie.linking:
        return unlinking(graph, tie)
    for node, far in ((stronger, weaker), (weaker, stronger)):
        if far.rank >= node.cut:
            return shared(graph, node)
    if stronger.group is weaker.group or stronger.group is None or weaker.group is None:
        return None
    refused = refused_between(graph, stronger.group, weaker.group)
    return None if refused is None else refused.said


def unlinking(graph: Graph, tie: Tie) -> Said:
    """Why the events that carry both ends link nothing."""
    policy = graph.policy
    for signature in tie.signatures:
        live = graph.live(signature)
        if len(live) <= policy.max_ids:
            types = [node.type for node in live]
            type_ = next(one for one in types if one in policy.singles and types.count(one) > 1)
            values = [node.value for node in live if node.type == type_]
            return Said(Reason.CONTRADICTION, {"type": type_, "values": values})
    most = max(len(graph.live(signature)) for signature in tie.signatures)
    return Said(Reason.TOO_MANY, {"count": most, "limit": policy.max_ids})


def shared(graph: Graph, node: Node) -> Said:
    """Why links of an identifier do not count."""
    policy = graph.policy
    most = policy.max_owners[node.rank]
    told = {"identifier": node.key, "type": node.type}
    if node.cut == 0 and most is not None:
        return Said(Reason.SHARED, {**told, "limit": most})
    return Said(Reason.CAP, {**told, "limit": policy.max_links, "weakest": policy.types[node.cut]})
