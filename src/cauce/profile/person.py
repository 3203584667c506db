"""A person as rules see her: golden traits and the events of her signatures."""

from collections.abc import Callable, Mapping, Sequence
from heapq import merge
from typing import Any

from cauce.profile.fragment import Fragment, assertions
from cauce.profile.survivorship import Survivorship, survivor
from cauce.vocabulary.language import Entry

Timeline = dict[str, list[Entry]]
"""Event name → entries in the order of ``entry_order``."""

_NEWEST = Survivorship()


def entry_order(entry: Entry) -> tuple[int, int, str]:
    """The order of a timeline: time, then received, then message id."""
    return entry.time, entry.received, entry.message_id


class Person:
    """What one profile's fragments and timelines say, merged when asked.

    ``fragments`` gives her fragments; it is called only if a rule reads a trait.
    """

    __slots__ = ("_fragments", "_rules", "_timelines", "_traits")

    def __init__(
        self,
        fragments: Callable[[], list[Fragment]],
        timelines: Sequence[Timeline],
        rules: Mapping[str, Survivorship],
    ) -> None:
        self._fragments = fragments
        self._timelines = timelines
        self._rules = rules
        self._traits: dict[str, Any] = {}

    def trait(self, name: str) -> Any:
        """The golden value of a trait as decoded JSON; None if she has none."""
        if name not in self._traits:
            winner = survivor(assertions(self._fragments(), name), self._rules.get(name, _NEWEST))
            self._traits[name] = None if winner is None else winner.value
        return self._traits[name]

    def events(self, name: str) -> Sequence[Entry]:
        """Her events of that name, oldest first."""
        lists = [line[name] for line in self._timelines if name in line]
        if len(lists) < 2:
            return lists[0] if lists else ()
        return list(merge(*lists, key=entry_order))
