"""What would make one person of two, and whether it really would: tried on all whom their events connect."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from copy import copy
from typing import NamedTuple

from msgspec.structs import replace

from cauce.identity.graph import NO_CUT, Graph, Group, Node, Signature
from cauce.identity.policy import Policy
from cauce.identity.rules import Ruleset
from cauce.identity.ties import Tie, signatures_of, ties_in
from cauce.identity.tried import try_links
from cauce.identity.why import Case, Why
from cauce.identity.why_words import Change, Reason, Said

MOST_IDENTIFIERS = 1_000
"""With more connected identifiers a change is not tried."""


class Remedy(NamedTuple):
    """A change that concerns what stands between two people.

    ``works`` says whether it makes them one; None if that was not tried, because too
    many are connected with them or the change is one of rules that decide on many others.
    """

    said: Said
    works: bool | None


def changes(why: Why, case: Case | None, *, whole: bool) -> list[Remedy]:
    """What would change an answer; nothing where two identifiers are one person's.

    ``whole``: every signature may be looked at, which takes long where there are many.
    """
    if not why.obstacles:
        return []
    told = {"one": why.said.values["one"], "other": why.said.values["other"]}
    obstacle = why.obstacles[0]
    if case is None:
        return list(_of_nobody(obstacle.said))
    found = list(_of_reason(case, obstacle.said, whole))
    if obstacle.against is not None:
        ends = {"stronger": obstacle.against.here, "weaker": obstacle.against.there}
        found.append(Remedy(Said(Change.RETRACT, ends), _without(case, set(ends.values()))))
    # Of statements the newest is contracted first: nothing that was stated before stands against it.
    return [*found, Remedy(Said(Change.STATE_SAME, told), True)]


def _of_nobody(said: Said) -> Iterator[Remedy]:
    kinds = {
        Reason.UNKNOWN: Change.SEE,
        Reason.BLOCKED: Change.UNBLOCK,
        Reason.UNLISTED: Change.LIST_TYPE,
        Reason.RETRACTED: Change.SEE,
    }
    yield Remedy(Said(kinds[Reason(said.key)], said.values), None)


def _of_reason(case: Case, said: Said, whole: bool) -> Iterator[Remedy]:
    """What concerns the reason itself."""
    values = said.values
    match said.key:
        case Reason.LIMIT | Reason.WINDOW:
            yield _raised(case, values["type"], values["count"], whole)
        case Reason.CONTRADICTION:
            yield _raised(case, values["type"], len(values["values"]), whole)
        case Reason.NEVER:
            yield Remedy(Said(Change.TAKE_BACK_NEVER, values), None)
        case Reason.SHARED:
            yield Remedy(Said(Change.RAISE_MAX_OWNERS, values), None)
        case Reason.TOO_MANY:
            rules = replace(case.graph.policy.ruleset, max_ids_per_event=values["count"])
            said = Said(Change.RAISE_MAX_IDS, values)
            yield Remedy(said, _under(case, rules) if whole else None)
        case Reason.UNSEEN | Reason.THIRD | Reason.RETRACTED | Reason.WITHDRAWN:
            yield Remedy(Said(Change.SEE_TOGETHER, {}), None)
        case Reason.BLOCKED_BETWEEN:
            yield Remedy(Said(Change.UNBLOCK, values), None)
        case Reason.UNLISTED_BETWEEN:
            yield Remedy(Said(Change.LIST_TYPE, values), None)


def _raised(case: Case, type_: str, limit: int, whole: bool) -> Remedy:
    """The remedy of another limit."""
    policy = case.graph.policy
    rules = replace(
        policy.ruleset,
        identifiers=tuple(
            replace(one, limit=limit) if one.type == type_ else one for one in policy.ruleset.identifiers
        ),
    )
    said = Said(Change.RAISE_LIMIT, {"type": type_, "limit": limit})
    return Remedy(said, _under(case, rules) if whole or type_ not in policy.singles else None)


def _under(case: Case, rules: Ruleset) -> bool | None:
    """Whether the two are one under other rules; None if that is not sure."""
    former = case.graph.policy
    policy = Policy(rules, max_links=former.max_links)
    return _tried(case, policy, lambda _: True, cuts=policy.owners == former.owners)


def _without(case: Case, ends: Collection[str]) -> bool | None:
    """Whether the two are one without the events that carry two identifiers; None if that is not sure."""
    if case.graph.policy.windowed:
        return None  # first sightings may be other ones then
    ids = {case.graph.nodes_by_key[key].id for key in ends}
    return _tried(case, case.graph.policy, lambda signature: not ids.issubset(signature.ids()), cuts=False)


def _tried(case: Case, policy: Policy, kept: Callable[[Signature], bool], *, cuts: bool) -> bool | None:
    """Try a change on all that is connected; ``cuts``: what is shared stays so."""
    former = case.graph.policy
    whole = (policy.singles, policy.max_ids) != (former.singles, former.max_ids)
    signatures = _connected(case, whole)
    if signatures is None:
        return None
    graph = copy(case.graph)
    graph.policy = policy
    found = [signature for signature in signatures if kept(signature) and signature.evidence]
    nodes = {node.id: node for signature in signatures for node in graph.live(signature)}
    nodes |= {node.id: node for one in (case.one, case.other) for node in _members(graph, one)}
    gone = nodes.keys() - {node.id for signature in found for node in graph.live(signature)}
    gone &= {id_ for signature in signatures if not kept(signature) for id_ in signature.ids()}
    if gone & {case.one.id, case.other.id} or (gone and graph.statements):
        return None  # events that link nothing may carry them all the same
    nodes = {id_: node for id_, node in nodes.items() if id_ not in gone and node.group is not None}
    if not cuts and any(node.cut != NO_CUT for node in nodes.values()):
        return None
    ties = ties_in(graph, found).values()
    if whole and _becomes_shared(policy, ties):
        return None
    parts = try_links(graph, nodes, ties).parts
    one, other = parts.get(case.one.id), parts.get(case.other.id)
    return one is not None and one is other


def _members(graph: Graph, node: Node) -> list[Node]:
    return [] if node.group is None else graph.members(node.group)


def _becomes_shared(policy: Policy, ties: Iterable[Tie]) -> bool:
    """Whether events that link now give an identifier so many links that some of them do not count."""
    near: dict[Node, Counter[str]] = {}
    for tie in ties:
        if tie.linking:
            near.setdefault(tie.stronger, Counter())[tie.weaker.type] += 1
            near.setdefault(tie.weaker, Counter())[tie.stronger.type] += 1
    return any(
        counts.total() > policy.max_links
        or any(counts[type_] > (policy.max_owners[node.rank] or 0) for type_ in policy.owners[node.rank])
        for node, counts in near.items()
    )


def _connected(case: Case, whole: bool) -> list[Signature] | None:
    """What events carried of all whom events connect with two people; None if they are too many.

    ``whole``: also events that link nothing connect.
    """
    graph = case.graph
    waiting = {node.group for node in (case.one, case.other) if node.group is not None}
    known: set[Group] = set()
    found: dict[int, Signature] = {}
    size = 0
    while waiting:
        size += sum(1 for group in waiting for _ in group.unpack(graph.policy.rank).ids())
        if size > MOST_IDENTIFIERS:
            return None
        known |= waiting
        new = _carried(graph, waiting, whole)
        found |= {signature.id: signature for signature in new}
        near = {node.group for signature in new for node in graph.live(signature)}
        waiting = {group for group in near if group is not None and group not in known}
    return [found[number] for number in sorted(found)]


def _carried(graph: Graph, groups: Collection[Group], whole: bool) -> list[Signature]:
    if whole:
        return graph.signatures_with([id_ for group in groups for id_ in group.ids()])
    return list(signatures_of(graph, groups))
