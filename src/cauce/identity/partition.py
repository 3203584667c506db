"""The partition into profiles, and what one event changes of it.

Joining, splitting and re-anchoring happen here, and nowhere is decided whether they
should. ``settle`` turns the difference that an event made into moves.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from cauce.identity.graph import Graph, Group, Node
from cauce.vocabulary.event import Position
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey

Move = tuple[int, int | None, int, int]
"""Identifier, old profile (None: it is new), new profile, position."""

Profiles = tuple[ProfileKey, ...]


def profile_id(view: str, anchor: str) -> str:
    """The public id of the profile that an identifier ``type:value`` anchors in a view."""
    return "p_" + blake2b(f"{view}\0{anchor}".encode(), digest_size=10).hexdigest()


class Partition:
    """The profiles of a graph; ``moves`` and ``issued`` collect what changed.

    ``issued`` maps new profile ids to their anchors.
    """

    def __init__(self, graph: Graph, view: str) -> None:
        self.moves: list[Move] = []
        self.issued: dict[str, int] = {}
        self._graph = graph
        self._view = view
        self._limits = graph.policy.limits
        self._rank = graph.policy.rank
        self._before: dict[int, int | None] = {}
        """What this event has moved or made: identifier → the profile it was in before."""

    def add(self, node: Node) -> None:
        """Take note of a new live identifier."""
        self._before[node.id] = None

    def groups_of(self, nodes: Iterable[Node]) -> list[Group]:
        """The distinct profiles of live identifiers, in their order."""
        groups = dict.fromkeys(node.group for node in nodes)
        return [group.unpack(self._rank) for group in groups if group is not None]

    def join(self, groups: Sequence[Group]) -> bool:
        """Make one profile of several; False, and nothing done, if that would break a limit."""
        for type_, limit in self._limits:
            if sum(len(group.members.get(type_, ())) for group in groups) > limit:
                return False
        winner = self._first_anchored(groups)
        for group in groups:
            if group is not winner:
                self._absorb(winner, group)
        self._graph.groups_changed.add(winner)
        return True

    def _absorb(self, winner: Group, group: Group) -> None:
        for type_, ids in group.members.items():
            winner.members.setdefault(type_, []).extend(ids)
            for id_ in ids:
                self._before.setdefault(id_, group.key)
                self._graph.regroup(id_, winner)
        if group.signatures:
            winner.signatures = sorted(winner.signatures + group.signatures)
        self._graph.remove(group)

    def _first_anchored(self, groups: Sequence[Group]) -> Group:
        """The profile whose anchor comes first: strongest type, earliest, smallest value."""
        first = min((group.rank, group.since) for group in groups)
        tied = [group for group in groups if (group.rank, group.since) == first]
        return tied[0] if len(tied) == 1 else min(tied, key=self._anchor_value)

    def _anchor_value(self, group: Group) -> str:
        self._graph.load([group.key])
        return self._graph.nodes[group.key].value

    def see_earlier(self, node: Node, time: Moment) -> None:
        """Take an earlier first sighting; it may make the identifier the anchor of its profile."""
        node.first_time = time
        self._graph.seen_earlier.add(node)
        if node.group is None:
            return
        group = node.group.unpack(self._rank)
        if group.key == node.id:
            group.since = time
            self._graph.groups_changed.add(group)
        elif node.rank == group.rank and (time, node.value) < (group.since, self._anchor_value(group)):
            self._anchor_at(group, node)

    def _anchor_at(self, group: Group, node: Node) -> None:
        """Name a profile after another of its members."""
        for of_type in group.members.values():
            for id_ in of_type:
                self._before.setdefault(id_, group.key)
                self._graph.regroup(id_, group)
        self._graph.remove(group)
        group.key, group.since, group.profile_id = node.id, node.first_time, ""
        self._graph.place(group)

    def rebuild(self, groups: Sequence[Group], parts: Sequence[Sequence[Node]]) -> None:
        """Replace profiles by the parts that their members now form."""
        whole = {frozenset(group.ids()) for group in groups}
        changed = [part for part in parts if frozenset(node.id for node in part) not in whole]
        moving = {node.id for part in changed for node in part}
        dissolved = [group for group in groups if moving.intersection(group.ids())]
        signatures = self._owned(dissolved)
        names = {group.key: group.profile_id for group in dissolved}
        for group in dissolved:
            for id_ in group.ids():
                self._before.setdefault(id_, group.key)
            self._graph.remove(group)
        for part in changed:
            group = _group_of(part)
            group.profile_id = names.get(group.key, "")
            group.signatures = sorted(s for node in part for s in signatures.get(node.id, ()))
            self._graph.place(group)
            for node in part:
                if node.group is None or node.group.key != group.key:
                    self._graph.members_changed.add(node)
                node.group = group

    def _owned(self, groups: Sequence[Group]) -> dict[int, list[int]]:
        """The signatures of profiles by the identifier that owns them."""
        numbers = [s for group in groups for s in group.signatures]
        self._graph.load_signatures(numbers)
        self._graph.load(id_ for s in numbers for id_ in self._graph.signatures[s].ids)
        owned: dict[int, list[int]] = {}
        for number in numbers:
            owner = self._graph.live(self._graph.signatures[number])[0]
            owned.setdefault(owner.id, []).append(number)
        return owned

    def settle(self, position: Position) -> tuple[Profiles, Profiles]:
        """Publish what an event moved: the profiles that are gone, and those that changed."""
        if not self._before:
            return (), ()
        graph = self._graph
        gone: set[int] = set()
        changed: set[int] = set()
        for id_ in sorted(self._before):
            old = self._before[id_]
            group = graph.group_of(id_)
            if not group.profile_id:
                self._issue(group)
            if group.key == old:
                continue
            self.moves.append((id_, old, group.key, position))
            changed.add(group.key)
            if old is not None:
                (changed if graph.groups.get(old) else gone).add(old)
        self._before.clear()
        return tuple(map(ProfileKey, sorted(gone))), tuple(map(ProfileKey, sorted(changed)))

    def _issue(self, group: Group) -> None:
        group.profile_id = profile_id(self._view, self._graph.nodes[group.key].key)
        self.issued[group.profile_id] = group.key


def _group_of(part: Sequence[Node]) -> Group:
    """A new profile of these identifiers, named after its anchor."""
    anchor = min(part, key=lambda node: (node.rank, node.first_time, node.value))
    members: dict[str, list[int]] = {}
    for node in sorted(part, key=lambda node: (node.rank, node.id)):
        members.setdefault(node.type, []).append(node.id)
    return Group(anchor.id, anchor.rank, anchor.first_time, members)
