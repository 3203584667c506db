"""A person as rules see her: golden traits and the events of her signatures."""

from collections.abc import Callable, Mapping, Sequence
from heapq import merge
from typing import Any

from cauce.profile.fragment import Fragment
from cauce.profile.replaced import REPLACEABLE, Replaced, replacements
from cauce.profile.survivorship import Survivorship, decide
from cauce.vocabulary.address_events import CHANGES
from cauce.vocabulary.language import Entry, Folded

Timeline = dict[str, list[Entry]]
"""Event name → entries in the order of ``entry_order``."""

_NEWEST = Survivorship()


def entry_order(entry: Entry) -> tuple[int, int, str]:
    """The order of a timeline: time, then received, then message id."""
    return entry.time, entry.received, entry.message_id


class Person:
    """What one profile's fragments and timelines say, merged when asked.

    ``fragments`` gives her fragments; it is called only if a rule reads a trait.
    ``folded`` tells for each signature what its timeline dropped, by event name.
    """

    __slots__ = ("_folded", "_fragments", "_rules", "_timelines", "_traits")

    def __init__(
        self,
        fragments: Callable[[], list[Fragment]],
        timelines: Sequence[Timeline],
        rules: Mapping[str, Survivorship],
        folded: Sequence[Mapping[str, Folded]] = (),
    ) -> None:
        self._fragments = fragments
        self._timelines = timelines
        self._rules = rules
        self._folded = folded
        self._traits: dict[str, Any] = {}

    def trait(self, name: str) -> Any:
        """The golden value of a trait as decoded JSON; None if she has none."""
        if name not in self._traits:
            how = self._rules.get(name, _NEWEST)
            decision = decide(self._fragments(), name, how, self._replaced(name))
            self._traits[name] = None if decision is None else decision.value
        return self._traits[name]

    def events(self, name: str) -> Sequence[Entry]:
        """Her events of that name, oldest first."""
        lists = [line[name] for line in self._timelines if name in line]
        if len(lists) < 2:
            return lists[0] if lists else ()
        return list(merge(*lists, key=entry_order))

    def event_names(self) -> set[str]:
        """The names of her events."""
        return set().union(*self._timelines)

    def trait_names(self) -> set[str]:
        """The traits that were ever asserted of her."""
        changed = {CHANGES[name] for name in self.event_names() & CHANGES.keys()}
        return changed.union(*self._fragments())

    def _replaced(self, trait: str) -> Sequence[Replaced]:
        """What events of hers replaced, if it is an address."""
        if trait not in REPLACEABLE:
            return ()
        changes = [name for name, of in CHANGES.items() if of == trait]
        return replacements((name, entry) for name in changes for entry in self.events(name)).get(trait, ())

    def folded(self, name: str) -> Folded | None:
        """What her timelines dropped of that name; None if nothing."""
        found = [line[name] for line in self._folded if name in line]
        if not found:
            return None
        return Folded(sum(one.entries for one in found), max(one.upto for one in found))

    def approximate_trait(self, name: str) -> bool:
        """Whether assertions that might have counted for a trait were folded away."""
        decision = decide(self._fragments(), name, self._rules.get(name, _NEWEST))
        return decision is not None and decision.approximate
