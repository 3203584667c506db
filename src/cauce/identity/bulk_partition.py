"""The partition in bulk: connected components, and the ordered pass where a limit is at stake.

Most components break no limit: then every link joins, and the component is the profile.
The others go through ``repair``, the same code as in the stream, and so do identifiers
seen with many others through ``fuse``.
"""

from collections.abc import Sequence
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cauce.identity.bulk_evidence import Evidence, Integers, sources_of
from cauce.identity.facts import Facts
from cauce.identity.fuse import record_at
from cauce.identity.graph import NO_CUT, Graph, Group, Node, Signature, strongest_first
from cauce.identity.naming import hash_bytes
from cauce.identity.policy import Policy
from cauce.identity.repair import repair
from cauce.vocabulary.profile import ProfileKey, SignatureKey

Booleans = npt.NDArray[np.bool_]

_NOBODY = -1
_CHUNK = 100_000


class Identifiers(NamedTuple):
    """Arrays by identifier id - 1: ``rank`` is -1 where it is not live; ``order`` is by rank, then value."""

    keys: pa.ChunkedArray
    hashes: Integers
    ranks: Integers
    first_times: Integers
    order: Integers


class Cuts(NamedTuple):
    """Cuts by identifier id - 1, and those identifiers whose links the stream's own code has noted."""

    cut: Integers
    noted: dict[int, Node]


class Partition(NamedTuple):
    """Who is one person.

    ``profile``: by identifier id - 1, the id of the anchor, -1 if it is not live.
    ``owner``: by signature - 1, the id of the identifier that owns it, -1 if none is live.
    ``pairs``: the two columns, one and other identifier id - 1, of all links, both ways.
    ``linking``: signature - 1 and identifier id - 1 of all that links.
    """

    profile: Integers
    owner: Integers
    cuts: Cuts
    pairs: tuple[Integers, Integers]
    linking: tuple[Integers, Integers]


def identifiers_of(evidence: Evidence, policy: Policy) -> Identifiers:
    """Look at each identifier once: its hash, and whether and how strongly it counts in this view."""
    count = len(evidence.keys)
    hashes, ranks = np.empty(count, np.int64), np.empty(count, np.int64)
    for start in range(0, count, _CHUNK):
        keys = evidence.keys.slice(start, _CHUNK).to_pylist()
        hashes[start : start + len(keys)] = np.frombuffer(b"".join(map(hash_bytes, keys)), ">i8")
        ranks[start : start + len(keys)] = [_rank(policy, *key.partition(":")) for key in keys]
    ranks[evidence.unseen] = _NOBODY
    return Identifiers(evidence.keys, hashes, ranks, evidence.first_times, _order(evidence.keys, ranks))


def _rank(policy: Policy, type_: str, _: str, value: str) -> int:
    return policy.rank[type_] if policy.counts(type_, value) else _NOBODY


def _order(keys: pa.ChunkedArray, ranks: Integers) -> Integers:
    """The place of each identifier by rank and value; those of one rank have one type."""
    table = pa.table({"rank": ranks, "key": keys, "id": np.arange(len(ranks))})
    with duckdb.connect() as connection:
        connection.register("identifiers", table)
        query = "SELECT id FROM identifiers ORDER BY rank, key"
        sorted_ids = connection.execute(query).fetchnumpy()["id"]
    order = np.empty(len(ranks), np.int64)
    order[sorted_ids] = np.arange(len(ranks))
    return order


class Linking(NamedTuple):
    """Live identifiers, as id - 1, of each signature: ``members[offsets[i] : offsets[i + 1]]``."""

    offsets: Integers
    members: Integers
    contradicts: Booleans

    @property
    def sizes(self) -> Integers:
        """How many are live, by signature - 1."""
        return np.diff(self.offsets)

    def of(self, signature: int) -> list[int]:
        """The live identifiers, as id - 1, of a signature - 1."""
        found: list[int] = self.members[self.offsets[signature] : self.offsets[signature + 1]].tolist()
        return found


def linking_of(evidence: Evidence, identifiers: Identifiers, policy: Policy) -> Linking:
    """Which identifiers of each signature are live, and which contradict themselves (``contradicts``)."""
    members = evidence.ids - 1
    signatures = np.repeat(np.arange(len(evidence.offsets) - 1), np.diff(evidence.offsets))
    live = identifiers.ranks[members] != _NOBODY
    if len(evidence.idle):
        live &= ~np.isin(signatures, evidence.idle)
    members, signatures = members[live], signatures[live]
    count = len(evidence.offsets) - 1
    sizes = np.bincount(signatures, minlength=count)
    contradicts = sizes > policy.max_ids
    ranks = identifiers.ranks[members]
    for type_ in policy.singles:
        of_type = np.bincount(signatures[ranks == policy.rank[type_]], minlength=count)
        contradicts |= of_type > 1
    return Linking(np.concatenate([[0], np.cumsum(sizes)]), members, contradicts)


def partition(
    connection: duckdb.DuckDBPyConnection,
    evidence: Evidence,
    identifiers: Identifiers,
    policy: Policy,
    facts: Facts | None = None,
) -> Partition:
    """The partition that the rules make of the evidence and of what is stated."""
    facts = facts or Facts(policy)
    linking = linking_of(evidence, identifiers, policy)
    pairs, links = _pairs(linking)
    cuts = _cuts(linking, links, identifiers, policy)
    one, other = pairs
    counts = (identifiers.ranks[other] < cuts.cut[one]) & (identifiers.ranks[one] < cuts.cut[other])
    stated = _stated(identifiers, facts)
    ones, others = _equal(stated, facts)
    label = components(
        len(identifiers.ranks),
        np.concatenate([one[counts], ones]),
        np.concatenate([other[counts], others]),
    )
    apart = _Apart(connection, evidence, identifiers, linking, links, cuts, policy, facts)
    label = apart.separate(label, np.array(sorted(stated.values()), np.int64))
    return Partition(
        profile=_anchors(label, identifiers),
        owner=_owners(linking, identifiers),
        cuts=cuts,
        pairs=(np.concatenate([one, other]), np.concatenate([other, one])),
        linking=links,
    )


def _stated(identifiers: Identifiers, facts: Facts) -> dict[str, int]:
    """The live identifiers, as id - 1, that something is stated of."""
    keys = pa.array(sorted(facts.statements.keys()), pa.string())
    if not len(keys):
        return {}
    places = np.flatnonzero(pc.is_in(identifiers.keys, value_set=keys).to_numpy())
    places = places[identifiers.ranks[places] != _NOBODY]
    return dict(zip(identifiers.keys.take(pa.array(places)).to_pylist(), places.tolist(), strict=True))


def _equal(stated: dict[str, int], facts: Facts) -> tuple[Integers, Integers]:
    """Pairs of identifiers that are stated to be one, so that each class is connected."""
    first: dict[frozenset[str], int] = {}
    ones, others = [], []
    for key, place in stated.items():
        found = facts.statements.of(key)
        if found is not None:
            ones.append(first.setdefault(found.members, place))
            others.append(place)
    return np.array(ones, np.int64), np.array(others, np.int64)


def _pairs(linking: Linking) -> tuple[tuple[Integers, Integers], tuple[Integers, Integers]]:
    """Every pair of live identifiers in a signature that links, and (signature, identifier) of those."""
    sizes = linking.sizes
    ones, others, signatures, members = [], [], [], []
    for size in np.unique(sizes[(sizes > 1) & ~linking.contradicts]).tolist():
        which = np.flatnonzero((sizes == size) & ~linking.contradicts)
        rows = linking.members[linking.offsets[which][:, None] + np.arange(size)]
        first, second = np.triu_indices(size, 1)
        ones.append(rows[:, first].ravel())
        others.append(rows[:, second].ravel())
        signatures.append(np.repeat(which, size))
        members.append(rows.ravel())
    return (_together(ones), _together(others)), (_together(signatures), _together(members))


def _together(parts: Sequence[Integers]) -> Integers:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _cuts(
    linking: Linking, links: tuple[Integers, Integers], identifiers: Identifiers, policy: Policy
) -> Cuts:
    """The cut of each identifier: those in many signatures are noted one by one, by the stream's code."""
    cut = np.full(len(identifiers.ranks), NO_CUT, np.int64)
    signatures, members = links
    few = np.array([*policy.few, NO_CUT], np.int64)  # the last one is for those that are not live
    many = np.bincount(members, minlength=len(cut)) > few[identifiers.ranks]
    wanted = many[members]
    order = np.lexsort((signatures[wanted], members[wanted]))
    noted: dict[int, Node] = {}
    nodes = _Nodes(identifiers, cut, policy)
    graph = Graph(policy)
    for id_, signature in zip(
        members[wanted][order].tolist(), signatures[wanted][order].tolist(), strict=True
    ):
        node = noted.get(id_)
        if node is None:
            node = noted[id_] = nodes.made(id_)
        live = [node if other == id_ else nodes.seen(other) for other in linking.of(signature)]
        record_at(graph, node, live, Signature(SignatureKey(signature + 1), "", {}))
    for id_, node in noted.items():
        cut[id_] = node.cut
    return Cuts(cut, noted)


class _Nodes:
    """Identifiers as the stream's code takes them."""

    def __init__(self, identifiers: Identifiers, cut: Integers, policy: Policy) -> None:
        self._identifiers = identifiers
        self._cut = cut
        self._rank = policy.rank
        self._seen: dict[int, Node] = {}

    def made(self, id_: int) -> Node:
        """A new node of an identifier id - 1, alone in its group."""
        node = Node(id_ + 1, self._identifiers.keys[id_].as_py(), self._rank).unpack()
        node.links, node.signatures = {}, []
        node.cut = int(self._cut[id_])
        node.first_time = int(self._identifiers.first_times[id_])
        node.counts = True
        node.group = Group(ProfileKey(node.id), node.rank, {node.type: [node.id]})
        return node

    def seen(self, id_: int) -> Node:
        """A node that others were seen with."""
        if id_ not in self._seen:
            self._seen[id_] = self.made(id_)
        return self._seen[id_]


def components(count: int, one: Integers, other: Integers) -> Integers:
    """The smallest member of each node's connected component, by node; edges are two columns."""
    label = np.arange(count)
    while len(one):
        ends = label[one], label[other]
        low, high = np.minimum(*ends), np.maximum(*ends)
        apart = low != high
        one, other, low, high = one[apart], other[apart], low[apart], high[apart]
        label[high] = low  # of several lows any will do: the others come again
        while True:
            further = label[label]
            if np.array_equal(further, label):
                break
            label = further
    return label


class _Apart(NamedTuple):
    """Separates components that break a limit by the ordered pass of the stream."""

    connection: duckdb.DuckDBPyConnection
    evidence: Evidence
    identifiers: Identifiers
    linking: Linking
    links: tuple[Integers, Integers]
    cuts: Cuts
    policy: Policy
    facts: Facts

    def separate(self, label: Integers, stated: Integers) -> Integers:
        """Labels by identifier id - 1 such that no limit and no statement about ``stated`` ones is broken."""
        broken = np.zeros(len(label), np.bool_)
        broken[label[stated]] = True
        for type_, limit in self.policy.limits:
            of_type = label[self.identifiers.ranks == self.policy.rank[type_]]
            broken |= np.bincount(of_type, minlength=len(label)) > limit
        concerned = np.flatnonzero(broken[label])
        if not len(concerned):
            return label
        label = label.copy()
        nodes = self._nodes(concerned)
        graph = Graph(self.policy)
        graph.take_facts(self.facts)
        graph.nodes = {node.id: node for node in nodes.values()}
        graph.nodes_by_key = {node.key: node for node in nodes.values()}
        self._load_signatures(graph, nodes, concerned)
        order = concerned[np.argsort(label[concerned], kind="stable")]
        for part in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
            groups = [group for i in part.tolist() if (group := nodes[i].group) is not None]
            for members in repair(graph, groups, ()).parts:
                ids = [node.id - 1 for node in members]
                label[ids] = min(ids)
        return label

    def _nodes(self, concerned: Integers) -> dict[int, Node]:
        made = _Nodes(self.identifiers, self.cuts.cut, self.policy)
        nodes = {id_: made.made(id_) for id_ in concerned.tolist()}
        for id_, node in nodes.items():
            if id_ in self.cuts.noted:
                node.signatures = self.cuts.noted[id_].signatures
        return nodes

    def _load_signatures(self, graph: Graph, nodes: dict[int, Node], concerned: Integers) -> None:
        """Bring the signatures that link these identifiers into the graph."""
        signatures, members = self.links
        wanted = np.isin(members, concerned)
        signatures, members = signatures[wanted], members[wanted]
        order = np.argsort(signatures, kind="stable")
        for id_, signature in zip(members[order].tolist(), signatures[order].tolist(), strict=True):
            if id_ not in self.cuts.noted:
                nodes[id_].signatures.append(SignatureKey(signature + 1))
        numbers = np.unique(signatures)
        sources = sources_of(self.connection, numbers + 1)
        others = _Nodes(self.identifiers, self.cuts.cut, self.policy)
        for index in numbers.tolist():
            signature = Signature(SignatureKey(index + 1), "", sources[index + 1])
            signature.live = strongest_first(nodes.get(i) or others.seen(i) for i in self.linking.of(index))
            graph.signatures[signature.id] = signature


def _anchors(label: Integers, identifiers: Identifiers) -> Integers:
    """The id of the anchor of each identifier's profile: strongest type, earliest, smallest value."""
    order = np.lexsort((identifiers.order, identifiers.first_times, identifiers.ranks))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    best = np.full(len(order), len(order), np.int64)
    np.minimum.at(best, label, place)
    return np.where(identifiers.ranks == _NOBODY, _NOBODY, order[best[label]] + 1)


def _owners(linking: Linking, identifiers: Identifiers) -> Integers:
    """The id of the strongest identifier of each signature."""
    owner = np.full(len(linking.offsets) - 1, _NOBODY, np.int64)
    some = linking.sizes > 0
    if some.any():
        order = identifiers.order[linking.members]
        best = np.minimum.reduceat(order, linking.offsets[:-1][some])
        by_order = np.empty(len(identifiers.order), np.int64)
        by_order[identifiers.order] = np.arange(len(identifiers.order))
        owner[some] = by_order[best] + 1
    return owner
