"""The truth about a generated company, and how much of it a deterministic resolver can know."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from demo.chronicle import Record
from demo.people import Person
from demo.scenario import Kind

_NAMING = frozenset({"user_id", "crm_id", "email"})


@dataclass(frozen=True, slots=True)
class Owned:
    """An identifier in truth: its kind, who uses it, and to whom it belongs.

    ``owner`` is the number of the person to whom it belongs by the rule of its
    kind; None means that it is nobody's and must not be anybody's.
    """

    kind: Kind
    users: frozenset[int]
    owner: int | None


@dataclass(frozen=True, slots=True)
class Truth:
    """``identifiers``: ``type:value`` → who owns it. ``events``: record id → person.

    ``knowable``: ``type:value`` → a label; two identifiers with one label belong
    to one person *and* a chain of events connects them, each event that
    person's own and naming two of her identifiers. Without such a chain no
    deterministic rule can know that they are one.
    """

    identifiers: Mapping[str, Owned]
    events: Mapping[str, int]
    knowable: Mapping[str, str]


def truth_of(records: Iterable[Record], declared: Mapping[str, tuple[Kind, Person | None]]) -> Truth:
    """The truth of records in order of time; ``declared`` names what is not one person's own."""
    users: dict[str, set[int]] = defaultdict(set)
    named_last: dict[str, int] = {}
    seen: list[tuple[int, list[str]]] = []
    events: dict[str, int] = {}
    for record in records:
        events[record.id] = record.person
        identifiers = record.identifiers()
        names = [str(identifier) for identifier in identifiers]
        seen.append((record.person, names))
        for identifier, name in zip(identifiers, names, strict=True):
            users[name].add(record.person)
            if any(other.type in _NAMING for other in identifiers if other != identifier):
                named_last[name] = record.person
    owned = {name: _owned(name, frozenset(who), named_last, declared) for name, who in users.items()}
    return Truth(owned, events, _knowable(seen, owned))


def _owned(
    name: str,
    who: frozenset[int],
    named_last: Mapping[str, int],
    declared: Mapping[str, tuple[Kind, Person | None]],
) -> Owned:
    kind, owner = declared.get(name, (Kind.OWN, None))
    if kind is Kind.NOBODY:
        return Owned(kind, who, None)
    if kind is Kind.MISTAKEN and owner is not None:
        return Owned(kind, who, owner.number)
    if kind is Kind.SHARED:
        return Owned(kind, who, named_last[name])
    if len(who) != 1:
        raise AssertionError(f"{name} has {len(who)} users and no declaration")
    return Owned(kind, who, next(iter(who)))


def _knowable(seen: Iterable[tuple[int, list[str]]], owned: Mapping[str, Owned]) -> dict[str, str]:
    """Connected components of each person's own identifiers, by union-find over her own events."""
    parent = {name: name for name in owned}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for person, names in seen:
        mine = [name for name in names if owned[name].owner == person]
        for name in mine[1:]:
            parent[root(name)] = root(mine[0])
    return {name: root(name) for name in owned}
