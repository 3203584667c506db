"""The observations behind the evidence: looked up only where something is taken back."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

from cauce.vocabulary.moment import Moment

Carried = frozenset[str]
"""The identifiers ``type:value`` that an event carried."""


class Seen(NamedTuple):
    """One observation: the event's id, time and source."""

    id: str
    time: Moment
    source: str


class Past(Protocol):
    """Finds the observations folded so far, retracted ones too."""

    def carried(self, ids: Collection[str]) -> Iterable[Carried]:
        """What the observations with these ids carried."""

    def seen(self, carried: Collection[Carried]) -> Mapping[Carried, Iterable[Seen]]:
        """All observations that carried exactly these sets."""


class Remembered:
    """A past that is kept in memory."""

    def __init__(self) -> None:
        self._carried: dict[str, Carried] = {}
        self._seen: dict[Carried, list[Seen]] = {}

    def add(self, seen: Seen, carried: Carried) -> None:
        """Remember one observation."""
        self._carried[seen.id] = carried
        self._seen.setdefault(carried, []).append(seen)

    def carried(self, ids: Collection[str]) -> Iterable[Carried]:
        """See ``Past``."""
        return {self._carried[id_] for id_ in ids if id_ in self._carried}

    def seen(self, carried: Collection[Carried]) -> Mapping[Carried, Iterable[Seen]]:
        """See ``Past``."""
        return {one: self._seen.get(one, ()) for one in carried}
