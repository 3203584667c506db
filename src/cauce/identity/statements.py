"""What was stated about pairs of identifiers: that they are one, or must never share a profile.

Of each pair the newest statement counts, ``never`` on equal time. Pairs that are one
are contracted, newest first, unless a ``never`` would be inside (``identity.md``
section 3, 2). The classes that this makes depend on the statements alone, not on
what events carried: an identifier may be in one before any event names it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from cauce.vocabulary.moment import Moment

Order = Callable[[str], tuple[int, str]]
"""Priority and value of an identifier ``type:value``."""


class Statement(NamedTuple):
    """What the event ``id`` stated at a time: two different identifiers ``type:value``, in order."""

    id: str
    time: Moment
    never: bool
    one: str
    other: str


class Stated(NamedTuple):
    """An identifier's class: those that are one with it, their types, and whom they never join."""

    members: frozenset[str]
    types: frozenset[str]
    nevers: frozenset[str]


class Statements:
    """All statements of one view, and the classes they make; ``order`` is the view's."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._by_id: dict[str, Statement] = {}
        self._by_pair: dict[tuple[str, str], dict[str, Statement]] = {}
        self._near: dict[str, set[str]] = {}
        self._classes: dict[str, Stated] = {}

    def __bool__(self) -> bool:
        return bool(self._classes)

    def __contains__(self, key: str) -> bool:
        return key in self._classes

    def __iter__(self) -> Iterator[Statement]:
        return iter(self._by_id.values())

    def keys(self) -> Collection[str]:
        """The identifiers that something is stated of."""
        return self._classes.keys()

    def of(self, key: str) -> Stated | None:
        """The class of an identifier; None if nothing is stated of it."""
        return self._classes.get(key)

    def find(self, one: str, other: str) -> Statement | None:
        """The statement that counts for a pair."""
        said = self._by_pair.get(_pair(one, other))
        return max(said.values(), key=_newest) if said else None

    def add(self, statement: Statement) -> set[str]:
        """Take a statement; the identifiers whose class is another one now."""
        if statement.id in self._by_id:
            return set()
        self._by_id[statement.id] = statement
        one, other = pair = _pair(statement.one, statement.other)
        self._by_pair.setdefault(pair, {})[statement.id] = statement
        self._near.setdefault(one, set()).add(other)
        self._near.setdefault(other, set()).add(one)
        return self._settle(pair)

    def drop(self, id_: str) -> set[str]:
        """Take back what an event stated; the identifiers whose class is another one now."""
        statement = self._by_id.pop(id_, None)
        if statement is None:
            return set()
        one, other = pair = _pair(statement.one, statement.other)
        del self._by_pair[pair][id_]
        if not self._by_pair[pair]:
            del self._by_pair[pair]
            self._near[one].discard(other)
            self._near[other].discard(one)
        return self._settle(pair)

    def _settle(self, pair: Iterable[str]) -> set[str]:
        """Make the classes of all that statements connect with a pair anew."""
        component: set[str] = set()
        waiting = list(pair)
        while waiting:
            key = waiting.pop()
            if key not in component:
                component.add(key)
                waiting += self._near.get(key, ())
        before = {key: self._classes.pop(key, None) for key in component}
        self._classes |= self._contract(component)
        for key in component:
            if not self._near.get(key):
                self._near.pop(key, None)
        return {key for key, old in before.items() if self._classes.get(key) != old}

    def _contract(self, component: set[str]) -> dict[str, Stated]:
        """The classes of identifiers that statements connect, by identifier."""
        group = {key: {key} for key in component if self._near.get(key)}
        nevers: dict[str, set[str]] = {key: set() for key in group}
        sames = []
        for one in group:
            for other in self._near[one]:
                said = self.find(one, other)
                if said is not None and said.never:
                    nevers[one].add(other)
                elif said is not None and self._order(one) < self._order(other):
                    sames.append((-said.time, self._order(one), self._order(other), one, other))
        for *_, one, other in sorted(sames):
            joined = group[one] | group[other]
            if all(nevers[key].isdisjoint(joined) for key in joined):
                for key in joined:
                    group[key] = joined
        classes = {}
        for members in {id(members): members for members in group.values()}.values():
            types = frozenset(key.partition(":")[0] for key in members)
            apart = frozenset(other for key in members for other in nevers[key])
            stated = Stated(frozenset(members), types, apart)
            classes.update(dict.fromkeys(members, stated))
        return classes


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _newest(statement: Statement) -> tuple[Moment, bool, str]:
    return statement.time, statement.never, statement.id
