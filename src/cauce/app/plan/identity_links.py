"""Why people fall together or apart: the links between them, best first, as the rules order them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import duckdb
import numpy as np

from cauce.app.plan.identity_model import Link
from cauce.app.plan.identity_people import Homes
from cauce.identity.bulk_evidence import Evidence, Integers, sources_of
from cauce.identity.facts import Facts
from cauce.identity.graph import NO_CUT, Node, Signature, Sources
from cauce.identity.order import Rank, ends, grade, rank_of
from cauce.identity.policy import Policy
from cauce.identity.stored_columns import NOBODY
from cauce.vocabulary.moment import Moment, to_iso
from cauce.vocabulary.profile import SignatureKey

MOST_LINKS = 20
_MOST_SIGNATURES = 20_000
"""Of so many signatures at most links are read, for one person."""

_CONTRADICTS = "the events that carry both contradict themselves or carry too many identifiers"


class Rules(NamedTuple):
    """A policy, what is stated under it, and what came of it: the cut of each identifier by its id - 1."""

    policy: Policy
    facts: Facts
    cut: Integers | None = None

    def links(self, one: Node, other: Node) -> bool:
        """Whether a link between two live identifiers counts, as neither end is shared."""
        if self.cut is None:
            return True
        return bool(other.rank < self.cut[one.id - 1] and one.rank < self.cut[other.id - 1])


class Found:
    """The evidence of one link, gathered from the signatures that hold both ends."""

    def __init__(self, stated: Moment | None = None) -> None:
        self.rank: Rank | tuple[()] | None = None if stated is None else ()
        self.sources: dict[str, int] = {}
        self.times: list[int] = [] if stated is None else [stated]

    def add(self, sources: Sources, rank: Rank | None) -> None:
        """Take what one signature says; ``rank`` is None if it links nothing."""
        if rank is not None and (self.rank is None or rank < self.rank):
            self.rank = rank
        for source, (events, first, last) in sources.items():
            self.sources[source] = self.sources.get(source, 0) + events
            self.times += (first, last)

    def link(self, stronger: Node, weaker: Node, reason: str = "") -> Link:
        """The link as it is shown."""
        return Link(
            stronger=stronger.key,
            weaker=weaker.key,
            sources=sorted(self.sources),
            events=sum(self.sources.values()),
            first_time=to_iso(Moment(min(self.times))),
            last_time=to_iso(Moment(max(self.times))),
            reason=reason,
            stated=self.rank == (),
        )


class Linked(NamedTuple):
    """Two identifiers, the stronger first, and the evidence that they belong together."""

    stronger: Node
    weaker: Node
    found: Found


Part = Callable[[Node], int]
"""The part of a person that an identifier is in."""


class Links:
    """Reads links from the evidence of a log."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, evidence: Evidence, homes: Homes, rules: Rules
    ) -> None:
        self._connection = connection
        self._evidence = evidence
        self._homes = homes
        self._rules = rules

    def joining(self, profile: int) -> list[Link]:
        """The links by which people before become one profile after, as the rules take them."""
        before = self._homes.before
        between = self._between(np.flatnonzero(self._homes.after == profile), self._rules, _part_in(before))
        return [one.found.link(one.stronger, one.weaker) for one in between]

    def parting(self, profile: int, before: Rules) -> list[Link]:
        """The links that kept one profile together before and do not any more, with the reason."""
        after = self._homes.after
        members = np.flatnonzero(self._homes.before == profile)
        between = self._between(members, before, _part_in(after))
        counts = self._counts({int(key) for key in after[members].tolist() if key != NOBODY})
        return [
            one.found.link(one.stronger, one.weaker, self._reason(one.stronger, one.weaker, counts))
            for one in between
        ]

    def _between(self, members: Integers, rules: Rules, part: Part) -> list[Linked]:
        """The best links of the rules that bring the parts of some identifiers together, in their order."""
        found = self._links(members, rules, part)
        held = [one for one in found if one.found.rank is not None and rules.links(one.stronger, one.weaker)]
        held += self._stated(members, rules, part)
        joined: dict[int, int] = {}
        taken = []
        for one in sorted(held, key=lambda one: one.found.rank or ()):
            parts = _root(joined, part(one.stronger)), _root(joined, part(one.weaker))
            if parts[0] != parts[1]:
                joined[parts[0]] = parts[1]
                taken.append(one)
                if len(taken) == MOST_LINKS:
                    break
        return taken

    def _links(self, members: Integers, rules: Rules, part: Part) -> Iterable[Linked]:
        """The links among some identifiers, as id - 1, between different parts."""
        wanted = set((members + 1).tolist())
        signatures = self._signatures(members)
        sources = sources_of(self._connection, signatures + 1)
        nodes: dict[int, Node] = {}
        found: dict[tuple[int, int], Linked] = {}
        for number in signatures.tolist():
            ids = self._evidence.ids[self._evidence.offsets[number] : self._evidence.offsets[number + 1]]
            if number + 1 not in sources:
                continue  # nothing of it counts
            live = self._live(ids.tolist(), nodes, rules.policy)
            signature = Signature(SignatureKey(number + 1), "", sources[number + 1])
            linking = not rules.policy.contradicts([node.type for node in live])
            good = grade(signature, rules.policy) if linking else None
            for pair in combinations([node for node in live if node.id in wanted], 2):
                if part(pair[0]) == part(pair[1]):
                    continue
                one, other = ends(*pair)
                linked = found.setdefault((one.id, other.id), Linked(one, other, Found()))
                rank = rank_of(one, other, good, rules.policy) if good else None
                linked.found.add(signature.sources, rank)
        return found.values()

    def _stated(self, members: Integers, rules: Rules, part: Part) -> Iterator[Linked]:
        """The statements that some identifiers of different parts are one; last, those through others."""
        statements = rules.facts.statements
        if not statements:
            return
        keys = {self._homes.keys[place].as_py(): place for place in members.tolist()}
        nodes = {key: Node(place + 1, key, rules.policy.rank) for key, place in keys.items()}
        through: list[tuple[str, str, Moment]] = []
        for said in statements:
            stated = statements.of(said.one)
            if said.never or stated is None or said.other not in stated.members:
                continue
            together = sorted(stated.members & nodes.keys())
            through += [(together[0], other, said.time) for other in together[1:]]
            if said.one in nodes and said.other in nodes:
                yield from _said(nodes[said.one], nodes[said.other], said.time, part)
        for one, other, time in through:
            yield from _said(nodes[one], nodes[other], time, part)

    def _signatures(self, members: Integers) -> Integers:
        """The signatures, as number - 1, that hold several of some identifiers."""
        inside = np.zeros(len(self._homes.keys) + 1, np.bool_)
        inside[members + 1] = True
        held = np.flatnonzero(inside[self._evidence.ids])
        numbers = np.searchsorted(self._evidence.offsets, held, side="right") - 1
        several, times = np.unique(numbers, return_counts=True)
        return several[times > 1][:_MOST_SIGNATURES]

    def _live(self, ids: Sequence[int], nodes: dict[int, Node], policy: Policy) -> list[Node]:
        """Those of some identifiers that count under a policy."""
        for id_ in ids:
            if id_ not in nodes:
                nodes[id_] = Node(id_, self._homes.keys[id_ - 1].as_py(), policy.rank)
        return [node for id_ in ids if policy.counts((node := nodes[id_]).type, node.value)]

    def _counts(self, profiles: set[int]) -> dict[int, dict[str, int]]:
        """How many identifiers of each type some profiles have after."""
        after = self._homes.after
        counts: dict[int, dict[str, int]] = {profile: {} for profile in profiles}
        for place in np.flatnonzero(np.isin(after, list(profiles))).tolist():
            of_type = counts[int(after[place])]
            type_ = self._homes.keys[place].as_py().partition(":")[0]
            of_type[type_] = of_type.get(type_, 0) + 1
        return counts

    def _reason(self, one: Node, other: Node, counts: Mapping[int, Mapping[str, int]]) -> str:
        """Why a link does not join its ends after."""
        policy = self._rules.policy
        stated = self._rules.facts.statements.of(one.key)
        if stated is not None and other.key in stated.nevers:
            return "it is stated that the two are never one"
        for node in (one, other):
            if node.type not in policy.rank:
                return f"the rules do not list the type {node.type}"
            if not policy.counts(node.type, node.value):
                return f"the {node.type} is blocked"
            if self._homes.after[node.id - 1] == NOBODY:
                return f"values of {node.type} are normalized otherwise"
        if self._rules.cut is not None:
            for node in (one, other):
                if self._rules.cut[node.id - 1] != NO_CUT:
                    return f"the {node.type} is shared: it was seen with too many others"
        homes = [counts.get(int(self._homes.after[node.id - 1]), {}) for node in (one, other)]
        for type_, limit in policy.limits:
            count = sum(home.get(type_, 0) for home in homes)
            if count > limit:
                return f"the person would have {count} values of {type_}, and the limit is {limit}"
        return _CONTRADICTS


def _said(one: Node, other: Node, time: Moment, part: Part) -> Iterator[Linked]:
    if part(one) != part(other):
        yield Linked(*ends(one, other), Found(time))


def _part_in(homes: Integers) -> Part:
    """The profile that an identifier is in on one side; one that is in none is a part of its own."""
    return lambda node: int(homes[node.id - 1]) if homes[node.id - 1] != NOBODY else -1 - node.id


def _root(joined: dict[int, int], part: int) -> int:
    while part in joined:
        part = joined[part]
    return part
