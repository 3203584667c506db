"""Rows of the state store as identifiers, signatures and profiles in memory, and back."""

from collections.abc import Collection

import msgspec
from sqlalchemy import or_, select

from cauce.identity import records
from cauce.identity.graph import NO_CUT, Graph, Group, Node, Signature, Sources
from cauce.identity.naming import hash_of
from cauce.storage.records import Reader, Row, Transaction

_encode = msgspec.json.Encoder(order="deterministic").encode
_read_sources = msgspec.json.Decoder(Sources).decode

_AT_ONCE = 100
"""Identifiers that one look at all signatures searches for."""


class StoredRows:
    """Loads the rows of one view into a graph; see ``Stored``."""

    def __init__(self, reader: Reader, view: int) -> None:
        self._reader = reader
        self._view = view
        self._complete: set[int] = set()

    def find(self, graph: Graph, keys: set[str]) -> None:
        """Load identifiers by their keys, with their groups."""
        found = self._reader.rows(records.identifiers, "hash", map(hash_of, keys))
        self._add_nodes(graph, [row for row in found if row[2] in keys])

    def nodes(self, graph: Graph, ids: Collection[int]) -> None:
        """Load identifiers by their ids, with their groups."""
        self._add_nodes(graph, self._reader.rows(records.identifiers, "id", ids))

    def groups(self, graph: Graph, keys: Collection[int]) -> None:
        """Load groups by their keys."""
        found = self._reader.rows(records.profiles, "profile", keys, view=self._view)
        for _, key, profile_id, members, signatures in found:
            graph.groups[key] = Group.stored(key, profile_id, members, signatures)

    def signatures(self, graph: Graph, ids: Collection[int]) -> None:
        """Load signatures by their ids."""
        found = self._reader.rows(records.signatures, "id", ids)
        self.find_signatures(graph, [row[1] for row in found])

    def find_signatures(self, graph: Graph, keys: Collection[str]) -> None:
        """Load signatures by the sets they stand for."""
        found: list[int] = []
        for key, number, sources in self._reader.rows(records.evidence, "identifiers", keys):
            signature = Signature(number, key, _read_sources(sources))
            graph.signatures[number] = graph.signatures_by_key[key] = signature
            found.append(number)
        if graph.consents and found:
            for _, number, sources in self._reader.rows(records.allowed, "signature", found, view=self._view):
                graph.signatures[number].allowed = _read_sources(sources)

    def signatures_with(self, graph: Graph, ids: Collection[int]) -> None:
        """Load all signatures that hold any of these identifiers: a look at every signature there is."""
        wanted = sorted(set(ids) - self._complete)
        if not wanted:
            return
        self._complete.update(wanted)
        column = "," + records.signatures.c.identifiers + ","
        for start in range(0, len(wanted), _AT_ONCE):
            holds = or_(*(column.contains(f",{id_},") for id_ in wanted[start : start + _AT_ONCE]))
            rows = self._reader.select(select(records.signatures.c.identifiers).where(holds))
            self.find_signatures(graph, [row[0] for row in rows if row[0] not in graph.signatures_by_key])

    def _add_nodes(self, graph: Graph, found: list[Row]) -> None:
        rank, nodes = graph.policy.rank, {}
        for id_, _, key in found:
            nodes[id_] = graph.nodes_by_key[key] = Node(id_, key, rank)
        graph.nodes.update(nodes)
        homes = self._reader.rows(records.members, "identifier", nodes, view=self._view)
        wanted = {row[2] for row in homes if row[2] not in graph.groups and row[1] not in graph.moved}
        if wanted:
            self.groups(graph, wanted)
        for _, id_, profile, first_time, cut, links, signatures in homes:
            node = nodes[id_]
            node.counts = True
            moved = graph.moved.pop(id_, None)
            node.group = moved or graph.groups[profile]
            node.first_time = first_time
            node.cut = NO_CUT if cut is None else cut
            node.pack(links, signatures)
            if moved is not None:
                graph.members_changed.add(node)
        for node in nodes.values():
            if node.group is None:  # nobody's, or in nobody's any more
                node.counts = graph.policy.counts(node.type, node.value)


def save(transaction: Transaction, graph: Graph, view: int, newest: int) -> None:
    """Write what a batch changed, each table in the order of its key.

    ``newest`` is the id of the newest identifier that was stored before the batch.
    """
    transaction.put(records.identifiers, [(n.id, hash_of(n.key), n.key) for n in graph.nodes_added])
    transaction.put(records.signatures, [(s.id, s.key) for s in graph.signatures_added])
    transaction.put(
        records.evidence,
        sorted((s.key, s.id, _encode(s.sources).decode()) for s in graph.signatures_changed),
    )
    limited = [(s.id, s.allowed) for s in graph.signatures_changed if s.allowed is not None]
    allowed = [(view, number, _encode(sources).decode()) for number, sources in limited]
    transaction.put(records.allowed, sorted(allowed))
    moved = {id_: group.key for id_, group in graph.moved.items()}
    untouched = transaction.rows(records.members, "identifier", moved, view=view) if moved else []
    rows = [(row[0], row[1], moved[row[1]], *row[3:]) for row in untouched]
    rows += [_member_row(view, node, node.group) for node in graph.members_changed if node.group]
    transaction.put(records.members, sorted(rows))
    nobodys = [node.id for node in graph.members_changed if node.group is None]
    if nobodys:
        transaction.remove(records.members, "identifier", nobodys, view=view)
    gone = [key for key, group in graph.groups.items() if group is None and key <= newest]
    if gone:
        transaction.remove(records.profiles, "profile", gone, view=view)
    live = [group for group in graph.groups_changed if graph.groups.get(group.key) is group]
    transaction.put(records.profiles, sorted(_profile_row(view, group) for group in live))


def _member_row(view: int, node: Node, group: Group) -> Row:
    cut = None if node.cut == NO_CUT else node.cut
    return view, node.id, group.key, node.first_time, cut, *node.texts()


def _profile_row(view: int, group: Group) -> Row:
    return view, group.key, group.profile_id, *group.texts()
