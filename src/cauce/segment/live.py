"""The segments in force, compiled, and which of them an event can touch."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cauce.vocabulary.address_events import CHANGES
from cauce.vocabulary.definitions import SegmentDef
from cauce.vocabulary.language import ComputedTrait, Entry, Rule, Verdict, parse
from cauce.vocabulary.moment import Moment

KNOWN_TYPES = frozenset({"user_id", "email", "phone", "android.idfa", "ios.idfa"})
"""A person counts for a segment if she has an identifier of one of these types (``language.md`` rule 23)."""


class LiveSegment(NamedTuple):
    """A segment with its compiled rule; ``anonymous`` lets in people without a known identifier."""

    key: str
    rule: Rule
    anonymous: bool

    @property
    def version(self) -> str:
        """What is evaluated, as text: two versions differ if their members could."""
        return f"{'all' if self.anonymous else 'known'}: {self.rule}"

    def asks_for(self, types: frozenset[str]) -> bool:
        """Whether a profile with identifiers of these types is a person for this segment."""
        return self.anonymous or not types.isdisjoint(KNOWN_TYPES)


class _Unread:
    """A person of whom a rule finds nothing that it reads."""

    def trait(self, name: str) -> Any:
        """No value."""
        del name

    def events(self, name: str) -> Sequence[Entry]:
        """No events."""
        del name
        return ()


_NEVER_HOLDS = Verdict(holds=False, until=None)


class LiveSegments:
    """All segments in force, found by what they read.

    Most people give most rules nothing to read: ``eligible`` leaves those rules out whose
    answer is then a lasting no, so that many segments cost little.
    """

    def __init__(self, segments: Iterable[LiveSegment]) -> None:
        self.all: Sequence[LiveSegment] = sorted(segments, key=lambda s: s.key)
        self._by_key = {s.key: s for s in self.all}
        self._by_event: dict[str, list[LiveSegment]] = {}
        self._by_trait: dict[str, list[LiveSegment]] = {}
        self._of_anybody = [s for s in self.all if s.rule.evaluate(_Unread(), Moment(0)) != _NEVER_HOLDS]
        recorded: dict[str, set[tuple[str, ...]]] = {}
        for segment in self.all:
            mentions = segment.rule.mentions
            for trait in mentions.traits:
                self._by_trait.setdefault(trait, []).append(segment)
            for name, paths in mentions.events.items():
                self._by_event.setdefault(name, []).append(segment)
                recorded.setdefault(name, set()).update(paths)
        self.recorded = {name: frozenset(paths) for name, paths in recorded.items()}

    @classmethod
    def of(
        cls, definitions: Iterable[SegmentDef], computed: Mapping[str, ComputedTrait] | None = None
    ) -> "LiveSegments":
        """Compile definitions, with computed traits written out; raises ``RuleError`` on a wrong rule."""
        expressions = {name: trait.reduction for name, trait in (computed or {}).items()}
        return cls(LiveSegment(d.key, parse(d.rule, expressions), d.anonymous) for d in definitions)

    def get(self, key: str) -> LiveSegment | None:
        """The segment of that key."""
        return self._by_key.get(key)

    def eligible(
        self, events: Iterable[str], traits: Iterable[str], also: Iterable[str] = ()
    ) -> Sequence[LiveSegment]:
        """The segments a person with such events and traits can be in, in the order of their keys.

        ``also``: keys of segments to look at whatever they read, as far as they exist.
        """
        found = {s.key: s for s in self._of_anybody}
        for name in events:
            for segment in self._by_event.get(name, ()):
                found[segment.key] = segment
        for name in traits:
            for segment in self._by_trait.get(name, ()):
                found[segment.key] = segment
        for key in also:
            if key in self._by_key:
                found[key] = self._by_key[key]
        return [found[key] for key in sorted(found)]

    def touched(self, event: str, traits: Iterable[str]) -> Sequence[LiveSegment]:
        """The segments that read this event or one of these traits, in the order of their keys."""
        found = self._by_event.get(event, [])
        if event in CHANGES:
            traits = {*traits, CHANGES[event]}
        more = [s for trait in traits for s in self._by_trait.get(trait, ())]
        if not more:
            return found
        unique = {s.key: s for s in (*found, *more)}
        return [unique[key] for key in sorted(unique)]
