"""The working set: identifiers, signatures and profiles in memory, loaded when needed.

The algorithm works on these objects alone. ``Stored`` brings in what is not there
yet; without it everything is in memory. What changed is marked, for whoever saves.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from operator import attrgetter
from typing import NamedTuple, Protocol

import msgspec

from cauce.identity.facts import Facts
from cauce.identity.policy import Policy
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.profile import ProfileKey, SignatureKey

NO_CUT = 1 << 30
"""The ``cut`` of an identifier whose links all count."""

_NOTHING = ("{}", "[]")
_UNREAD_LINKS: dict[str, list[int]] = {}
_UNREAD_SIGNATURES: list[SignatureKey] = []
"""What stands for lists that are not unpacked yet: most never are."""

_encode = msgspec.json.Encoder(order="deterministic").encode
_read_signatures = msgspec.json.Decoder(list[SignatureKey]).decode
_read_ids_by_type = msgspec.json.Decoder(dict[str, list[int]]).decode

Sources = dict[str, list[int]]
"""Source → [number of events, first time, last time]."""


class Group:
    """A profile: ``key`` is the id of its anchor, ``rank`` the priority of the anchor's type.

    ``members``: type → identifier ids; ``signatures``: those its members own,
    ascending. ``profile_id`` is empty while the event that made the group is under
    way. Packed text is unpacked before use.
    """

    __slots__ = ("_packed", "key", "members", "profile_id", "rank", "signatures")

    def __init__(self, key: ProfileKey, rank: int, members: dict[str, list[int]]) -> None:
        self.key = key
        self.rank = rank
        self.members = members
        self.signatures: list[SignatureKey] = []
        self.profile_id = ""
        self._packed: tuple[str, str] | None = None

    @classmethod
    def stored(cls, key: ProfileKey, profile_id: str, members: str, signatures: str) -> "Group":
        """A group as stored, its lists as JSON text."""
        group = cls.__new__(cls)
        group.key = key
        group.profile_id = profile_id
        group._packed = (members, signatures)
        return group

    def unpack(self, rank: dict[str, int]) -> "Group":
        """This group with its lists read."""
        if self._packed is not None:
            members, signatures = self._packed
            self.members = _read_ids_by_type(members)
            self.signatures = _read_signatures(signatures)
            self.rank = min(rank[type_] for type_ in self.members)
            self._packed = None
        return self

    def texts(self) -> tuple[str, str]:
        """Its members and signatures as JSON text."""
        if self._packed is not None:
            return self._packed
        return _by_type(self.members), _encode(self.signatures).decode()

    def ids(self) -> Iterator[int]:
        """The ids of its members."""
        return chain.from_iterable(self.members.values())

    @property
    def alone(self) -> bool:
        """Whether it has a single member."""
        return sum(map(len, self.members.values())) == 1


class Node:
    """An identifier; it ``counts`` unless it is blocked or of no listed type.

    ``group`` is None if it does not count, and as long as no observation of it counts.
    ``links``: type → ids of the identifiers it was seen with; ``signatures``:
    those that link it; links to ranks of ``cut`` and above do not count.
    """

    __slots__ = (
        "_packed",
        "counts",
        "cut",
        "first_time",
        "group",
        "id",
        "key",
        "links",
        "rank",
        "signatures",
        "type",
        "value",
    )

    def __init__(self, id_: int, key: str, rank: dict[str, int]) -> None:
        self.id = id_
        self.key = key
        self.type, _, self.value = key.partition(":")
        self.rank = rank.get(self.type, -1)
        self.counts = False
        self.group: Group | None = None
        self.first_time = 0
        self.cut = NO_CUT
        self.links = _UNREAD_LINKS
        self.signatures = _UNREAD_SIGNATURES
        self._packed: tuple[str, str] | None = _NOTHING

    def pack(self, links: str, signatures: str) -> None:
        """Take stored lists, which are read when asked for."""
        self._packed = (links, signatures)

    def unpack(self) -> "Node":
        """This identifier with its lists read."""
        if self._packed is not None:
            self.links = _read_ids_by_type(self._packed[0])
            self.signatures = _read_signatures(self._packed[1])
            self._packed = None
        return self

    def texts(self) -> tuple[str, str]:
        """Its links and signatures as JSON text."""
        if self._packed is not None:
            return self._packed
        self.signatures.sort()  # in order already, unless one got its first evidence late
        return _by_type(self.links), _encode(self.signatures).decode()

    def links_with(self, other: "Node") -> bool:
        """Whether a link between the two counts, as neither end is shared."""
        return other.rank < self.cut and self.rank < other.cut


class Signature:
    """A set of identifiers that events carried, and the evidence: when and from where.

    ``sources`` has all observations but retracted ones; ``allowed``, if it is not None,
    those of them that consent allows this view. ``live`` is filled when ``Graph.live``
    is first asked: which identifiers count never changes.
    """

    __slots__ = ("allowed", "id", "key", "live", "sources")

    def __init__(self, id_: SignatureKey, key: str, sources: Sources) -> None:
        self.id = id_
        self.key = key
        self.sources = sources
        self.allowed: Sources | None = None
        self.live: list[Node] | None = None

    @property
    def evidence(self) -> Sources:
        """What counts in this view."""
        return self.sources if self.allowed is None else self.allowed

    def ids(self) -> list[int]:
        """The ids of its identifiers, ascending."""
        return list(map(int, self.key.split(",")))


def _by_type(ids: dict[str, list[int]]) -> str:
    """Type → ids as JSON text: the same for the same ids, whatever order they came in."""
    for some in ids.values():
        some.sort()  # in place: the lists mean sets, and are nearly always in order already
    return _encode(ids).decode()


def signature_key(ids: Iterable[int]) -> str:
    """The key of a set of identifier ids: ascending, joined by commas."""
    return ",".join(map(str, sorted(ids)))


class Stored(Protocol):
    """Brings stored identifiers, signatures and groups into a graph."""

    def find(self, graph: "Graph", keys: set[str]) -> None:
        """Load the identifiers with these keys, as far as they exist, and their groups."""

    def nodes(self, graph: "Graph", ids: Collection[int]) -> None:
        """Load these identifiers and their groups."""

    def groups(self, graph: "Graph", keys: Collection[int]) -> None:
        """Load these groups, as far as they exist."""

    def signatures(self, graph: "Graph", ids: Collection[int]) -> None:
        """Load these signatures."""

    def find_signatures(self, graph: "Graph", keys: Collection[str]) -> None:
        """Load the signatures of these sets, as far as they exist."""

    def signatures_with(self, graph: "Graph", ids: Collection[int]) -> None:
        """Load all signatures that hold any of these identifiers."""


class Given(NamedTuple):
    """Numbers that new identifiers and signatures have been given beforehand, by their keys."""

    identifiers: dict[str, int]
    signatures: dict[str, int]


class Graph:
    """Identifiers, signatures and groups by their ids, and what changed about them.

    A group that is gone is None in ``groups``. ``moved`` holds the new group of
    members that are not loaded. ``absent`` holds the keys that were looked for.
    """

    def __init__(self, policy: Policy, stored: Stored | None = None, given: Given | None = None) -> None:
        self.policy = policy
        self._stored = stored
        self._given = given or Given({}, {})
        self.nodes: dict[int, Node] = {}
        self.nodes_by_key: dict[str, Node] = {}
        self.groups: dict[int, Group | None] = {}
        self.signatures: dict[int, Signature] = {}
        self.signatures_by_key: dict[str, Signature] = {}
        self.moved: dict[int, Group] = {}
        self.absent: set[str] = set()
        self.take_facts(Facts(policy))
        self.last_identifier = 0
        self.last_signature = 0
        self.nodes_added: list[Node] = []
        self.members_changed: set[Node] = set()
        self.groups_changed: set[Group] = set()
        self.signatures_added: list[Signature] = []
        self.signatures_changed: set[Signature] = set()

    def take_facts(self, facts: Facts) -> None:
        """Hold what was stated so far."""
        self.statements, self.consents = facts.statements, facts.consents
        self.retracted, self.stated = facts.retracted, facts.stated

    def find(self, keys: Iterable[str]) -> None:
        """Bring in the identifiers with these keys ``type:value``, as far as they were seen before."""
        if self._stored is None:
            return
        missing = {key for key in keys if key not in self.nodes_by_key and key not in self.absent}
        if missing:
            self.absent |= missing
            self._stored.find(self, missing)

    def find_signatures(self, keys: Iterable[str]) -> None:
        """Bring in the signatures with these keys, as far as they were seen before."""
        if self._stored is None:
            return
        missing = {key for key in keys if key not in self.signatures_by_key and key not in self.absent}
        if missing:
            self.absent |= missing
            self._stored.find_signatures(self, missing)

    def group(self, key: int) -> Group | None:
        """The profile with a key, unpacked; None if it is gone or never was."""
        self.load_groups([key])
        found = self.groups.get(key)
        return None if found is None else found.unpack(self.policy.rank)

    def load_groups(self, keys: Iterable[int]) -> None:
        """Bring in the profiles with these keys."""
        missing = {key for key in keys if key not in self.groups}
        if missing and self._stored is not None:
            self._stored.groups(self, missing)

    def load(self, ids: Iterable[int]) -> None:
        """Bring in the identifiers with these ids."""
        missing = {id_ for id_ in ids if id_ not in self.nodes}
        if missing and self._stored is not None:
            self._stored.nodes(self, missing)

    def load_signatures(self, ids: Iterable[int]) -> None:
        """Bring in the signatures with these ids, and the identifiers in them."""
        wanted = set(ids)
        missing = {id_ for id_ in wanted if id_ not in self.signatures}
        if missing and self._stored is not None:
            self._stored.signatures(self, missing)
        fresh = [s for s in map(self.signatures.__getitem__, wanted) if s.live is None]
        self.load(id_ for signature in fresh for id_ in signature.ids())

    def signatures_with(self, ids: Collection[int]) -> list[Signature]:
        """All signatures that hold any of these identifiers, in the order of their ids."""
        if self._stored is not None:
            self._stored.signatures_with(self, ids)
        wanted = set(ids)
        found = sorted(number for number, one in self.signatures.items() if not wanted.isdisjoint(one.ids()))
        self.load_signatures(found)
        return [self.signatures[number] for number in found]

    def add_node(self, key: str) -> Node:
        """A new identifier, which no observation that counts has named yet."""
        id_ = self._given.identifiers.get(key) or self.last_identifier + 1
        self.last_identifier = max(id_, self.last_identifier)
        node = Node(id_, key, self.policy.rank)
        self.nodes[id_] = self.nodes_by_key[key] = node
        self.nodes_added.append(node)
        node.counts = self.policy.counts(node.type, node.value)
        if self.statements and key in self.statements:
            self.stated.add(id_)
        return node

    def enliven(self, node: Node, time: int) -> None:
        """Make an identifier a profile of its own, first seen at a time."""
        node.first_time = time
        node.group = Group(ProfileKey(node.id), node.rank, {node.type: [node.id]})
        self.place(node.group)
        self.members_changed.add(node)

    def add_signature(self, key: str) -> Signature:
        """A new signature without evidence yet."""
        id_ = SignatureKey(self._given.signatures.get(key) or self.last_signature + 1)
        self.last_signature = max(id_, self.last_signature)
        signature = Signature(id_, key, {})
        self.signatures[id_] = self.signatures_by_key[key] = signature
        self.signatures_added.append(signature)
        self.signatures_changed.add(signature)
        return signature

    def members(self, group: Group) -> list[Node]:
        """The members of a group, loaded."""
        ids = list(group.unpack(self.policy.rank).ids())
        self.load(ids)
        return [self.nodes[id_] for id_ in ids]

    def identifiers(self, group: Group) -> list[Identifier]:
        """The identifiers of a group, strongest first: by priority, first sighting, value."""
        nodes = sorted(self.members(group), key=lambda node: (node.rank, node.first_time, node.value))
        return [Identifier(node.type, node.value) for node in nodes]

    def live(self, signature: Signature) -> list[Node]:
        """The identifiers of a loaded signature that count, strongest first; its owner is the first."""
        if signature.live is None:
            nodes = [self.nodes[id_] for id_ in signature.ids()]
            signature.live = strongest_first(node for node in nodes if node.counts)
        return signature.live

    def group_of(self, id_: int) -> Group | None:
        """The profile of an identifier that is loaded or has moved; None if it is in none any more."""
        node = self.nodes.get(id_)
        return self.moved[id_] if node is None else node.group

    def place(self, group: Group) -> None:
        """Put a group under its key."""
        self.groups[group.key] = group
        self.groups_changed.add(group)

    def remove(self, group: Group) -> None:
        """Take a group away."""
        self.groups[group.key] = None

    def regroup(self, id_: int, group: Group) -> None:
        """Put an identifier into a group, whether it is loaded or not."""
        node = self.nodes.get(id_)
        if node is None:
            self.moved[id_] = group
        else:
            node.group = group
            self.members_changed.add(node)


_strength = attrgetter("rank", "value")


def strongest_first(nodes: Iterable[Node]) -> list[Node]:
    """Identifiers by priority, then value."""
    return sorted(nodes, key=_strength)
