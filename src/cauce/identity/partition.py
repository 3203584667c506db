"""The partition into profiles, and what one event changes of it.

Joining, splitting and re-anchoring happen here, and nowhere is decided whether they
should. ``settle`` turns the difference that an event made into moves.
"""

from collections.abc import Iterable, Sequence

from cauce.identity.graph import Graph, Group, Node
from cauce.identity.naming import Names
from cauce.vocabulary.event import Position
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey, SignatureKey

Move = tuple[int, int | None, int, int]
"""Identifier, old profile (None: it was in none), new profile (0: it is in none), position."""

_NOBODY = 0

Profiles = tuple[ProfileKey, ...]


class Partition:
    """The profiles of a graph; ``moves`` collects what changed."""

    def __init__(self, graph: Graph, names: Names) -> None:
        self.moves: list[Move] = []
        self._graph = graph
        self._names = names
        self._limits = graph.policy.limits
        self._rank = graph.policy.rank
        self._before: dict[int, ProfileKey | None] = {}
        """What this event has moved or made: identifier → the profile it was in before."""

    def enliven(self, node: Node, time: Moment) -> None:
        """Let an identifier be a profile of its own: an observation of it counts."""
        self._before.setdefault(node.id, None)
        self._graph.enliven(node, time)

    def leave(self, node: Node) -> Group | None:
        """Take an identifier out, because no observation of it counts any more; the profile without it."""
        group = node.group
        if group is None:
            return None
        self._before.setdefault(node.id, group.key)
        group.unpack(self._rank)
        group.members[node.type].remove(node.id)
        if not group.members[node.type]:
            del group.members[node.type]
        node.group = None
        self._graph.members_changed.add(node)
        self._graph.groups_changed.add(group)
        if group.members:
            return group
        self._graph.remove(group)
        return None

    def groups_of(self, nodes: Iterable[Node]) -> list[Group]:
        """The distinct profiles of live identifiers, in their order."""
        groups: list[Group] = []
        for node in nodes:
            group = node.group
            if group is not None and group not in groups:
                groups.append(group.unpack(self._rank))
        return groups

    def join(self, groups: Sequence[Group]) -> bool:
        """Make one profile of several; False, and nothing done, if a limit or a statement may forbid it."""
        if self._graph.statements and self._stated(groups):
            return False
        for type_, limit in self._limits:
            count = 0
            for group in groups:
                ids = group.members.get(type_)
                if ids is not None:
                    count += len(ids)
            if count > limit:
                return False
        winner = self._first_anchored(groups)
        for group in groups:
            if group is not winner:
                self._absorb(winner, group)
        self._graph.groups_changed.add(winner)
        return True

    def _stated(self, groups: Sequence[Group]) -> bool:
        """Whether anything is stated of any member."""
        stated = self._graph.stated
        return any(id_ in stated for group in groups for id_ in group.ids())

    def _absorb(self, winner: Group, group: Group) -> None:
        for type_, ids in group.members.items():
            known = winner.members.get(type_)
            if known is None:
                winner.members[type_] = ids
            else:
                known += ids
            for id_ in ids:
                self._before.setdefault(id_, group.key)
                self._graph.regroup(id_, winner)
        if group.signatures:
            winner.signatures = sorted(winner.signatures + group.signatures)
        self._graph.remove(group)

    def _first_anchored(self, groups: Sequence[Group]) -> Group:
        """The profile whose anchor comes first: strongest type, earliest, smallest value."""
        strongest = min([group.rank for group in groups])
        tied = [group for group in groups if group.rank == strongest]
        return tied[0] if len(tied) == 1 else min(tied, key=self._anchor_order)

    def _anchor_order(self, group: Group) -> tuple[int, str]:
        self._graph.load([group.key])
        anchor = self._graph.nodes[group.key]
        return anchor.first_time, anchor.value

    def see_earlier(self, node: Node, time: Moment) -> None:
        """Take an earlier first sighting; it may make the identifier the anchor of its profile."""
        node.first_time = time
        self._graph.members_changed.add(node)
        group = node.group
        if group is None or group.key == node.id:
            return
        group.unpack(self._rank)
        if node.rank == group.rank and (time, node.value) < self._anchor_order(group):
            self._anchor_at(group, node)

    def _anchor_at(self, group: Group, node: Node) -> None:
        """Name a profile after another of its members."""
        for id_ in group.ids():
            self._before.setdefault(id_, group.key)
            self._graph.regroup(id_, group)
        self._graph.remove(group)
        group.key, group.profile_id = ProfileKey(node.id), ""
        self._graph.place(group)

    def anchor_anew(self, groups: Iterable[Group]) -> None:
        """Name profiles after the members that come first now."""
        for group in groups:
            anchor = _anchor(self._graph.members(group))
            if anchor.id != group.key:
                self._anchor_at(group, anchor)
                group.rank = anchor.rank

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

    def _owned(self, groups: Sequence[Group]) -> dict[int, list[SignatureKey]]:
        """The signatures of profiles by the identifier that owns them."""
        numbers = [s for group in groups for s in group.signatures]
        self._graph.load_signatures(numbers)
        owned: dict[int, list[SignatureKey]] = {}
        for number in numbers:
            owner = self._graph.live(self._graph.signatures[number])[0]
            owned.setdefault(owner.id, []).append(number)
        return owned

    def settle(self, position: Position) -> tuple[Profiles, Profiles]:
        """Publish what an event moved: the profiles that are gone, and those that changed."""
        before = self._before
        if not before:
            return (), ()
        groups = self._graph.groups
        gone: set[ProfileKey] = set()
        changed: set[ProfileKey] = set()
        for id_, old in sorted(before.items()) if len(before) > 1 else before.items():
            group = self._graph.group_of(id_)
            if group is None:
                if old is not None:
                    self.moves.append((id_, old, _NOBODY, position))
                    (changed if groups.get(old) else gone).add(old)
                continue
            if not group.profile_id:
                group.profile_id = self._names.profile_id(self._graph.nodes[group.key].key)
            new = group.key
            if new == old:
                continue
            self.moves.append((id_, old, new, position))
            changed.add(new)
            if old is not None:
                (changed if groups.get(old) else gone).add(old)
        before.clear()
        return tuple(sorted(gone)) if gone else (), tuple(sorted(changed))


def _group_of(part: Sequence[Node]) -> Group:
    """A new profile of these identifiers, named after its anchor."""
    anchor = _anchor(part)
    members: dict[str, list[int]] = {}
    for node in sorted(part, key=lambda node: (node.rank, node.id)):
        members.setdefault(node.type, []).append(node.id)
    return Group(ProfileKey(anchor.id), anchor.rank, members)


def _anchor(nodes: Iterable[Node]) -> Node:
    """The identifier that names a profile: strongest type, earliest, smallest value."""
    return min(nodes, key=lambda node: (node.rank, node.first_time, node.value))
