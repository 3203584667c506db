"""One micro-batch of folding events into fragments and timelines."""

from bisect import insort
from collections.abc import Collection, Iterable, Mapping, Sequence

from cauce.profile.fragment import Keeps, assert_traits, encode
from cauce.profile.group_session import GroupSession
from cauce.profile.loaded import NO_PROPERTIES, LoadedProfiles
from cauce.profile.person import entry_order
from cauce.profile.records import fragment as fragment_table
from cauce.profile.records import group_member, timeline_folded
from cauce.profile.records import timeline as timeline_table
from cauce.profile.survivorship import Survivorship
from cauce.storage.records import Row, Transaction
from cauce.vocabulary.event import Call, Event
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.language import Entry, Folded, reduce_properties

Recorded = Mapping[str, frozenset[tuple[str, ...]]]
"""Event name → the property paths that live rules read."""


def merged(one: Recorded, other: Recorded) -> Recorded:
    """What either records."""
    if not other:
        return one
    return {name: one.get(name, frozenset()) | other.get(name, frozenset()) for name in {*one, *other}}


TIMELINE_ENTRIES = 10_000
"""Entries kept for each signature and event name; older ones are dropped and counted."""


class ProfileSession(LoadedProfiles):
    """What a batch changes in the fragments and timelines of its signatures; written by ``save``."""

    def __init__(
        self,
        transaction: Transaction,
        recorded: Recorded,
        rules: Mapping[str, Survivorship],
        keeps: Keeps,
        groups: GroupSession,
        stored_upto: int | None,
    ) -> None:
        super().__init__(transaction, rules, stored_upto)
        self._transaction = transaction
        self._recorded = recorded
        self._keeps = keeps
        self._groups = groups
        self._dirty: set[int] = set()
        self._dropped: set[tuple[int, str]] = set()
        self._entries: list[Row] = []

    def fold(self, event: Event, signature: int | None) -> set[str]:
        """Fold one event into its signature, if it has one; the person's traits it touched."""
        if event.group:
            self._groups.fold(event, signature)
        if signature is None:
            return set()
        touched = self.tell(event, signature) if event.call is Call.IDENTIFY else set()
        self.record(event, signature)
        return touched

    def tell(self, event: Event, signature: int) -> set[str]:
        """Fold what an identify event says of the person; the traits it touched."""
        if not event.traits:
            return set()
        self.load([signature])
        touched = assert_traits(self._fragment(signature), event, self._keeps)
        if touched:
            self._dirty.add(signature)
        return touched

    def tell_again(self, event: Event, signature: int | None) -> None:
        """Fold the traits of an event whose other effects are stored already."""
        if event.group:
            self._groups.fold(event, signature)
        if event.call is Call.IDENTIFY and signature is not None:
            self.tell(event, signature)

    def record(self, event: Event, signature: int) -> None:
        """Put an event on its signature's timeline, if live rules mention it."""
        paths = self._recorded.get(event.name) if event.name else None
        if paths is None:
            return
        self.load([signature])
        properties = reduce_properties(event.properties, paths) if paths else NO_PROPERTIES
        entry = Entry(
            time=event.time,
            received=event.received,
            message_id=event.message_id,
            source=event.source,
            properties=properties,
        )
        entries = self._timelines.setdefault(signature, {}).setdefault(event.name, [])
        insort(entries, entry, key=entry_order)
        self._entries.append(
            (
                signature,
                event.time,
                event.position,
                event.received,
                event.message_id,
                event.source,
                event.name,
                encode_json(properties).decode() if properties else "{}",
            )
        )
        if len(entries) > TIMELINE_ENTRIES:
            self._drop(signature, event.name, entries)

    def forget(self, signatures: Sequence[int]) -> None:
        """Forget what the events of some signatures left, so that it can be folded again."""
        self.load(signatures)
        self._flush()
        for table in (fragment_table, timeline_table, timeline_folded, group_member):
            self._transaction.remove(table, "signature", signatures)
        for signature in signatures:
            self._stored.pop(signature, None)
            for kept in (self._fragments, self._timelines, self._folded):
                kept.pop(signature, None)
            self._dirty.discard(signature)
        self._dropped = {one for one in self._dropped if one[0] not in set(signatures)}
        self._groups.forget(signatures)

    def tell_groups_anew(self, groups: Collection[str], calls: Iterable[Event]) -> None:
        """Derive what is known of some groups from all group calls about them that count."""
        self._groups.anew(groups, calls)

    def fold_again(self, event: Event, signature: int) -> None:
        """Fold an event again whose signature was forgotten; what it says of a group itself stands."""
        if event.group:
            self._groups.join(event, signature)
        if event.call is Call.IDENTIFY:
            self.tell(event, signature)
        self.record(event, signature)

    def _drop(self, signature: int, name: str, entries: list[Entry]) -> None:
        """Keep the newest entries only, whatever order they came in, and count what is gone."""
        oldest = entries.pop(0)
        self._flush()
        self._transaction.remove(
            timeline_table, "message_id", [oldest.message_id], signature=signature, time=oldest.time
        )
        folded = self._folded.setdefault(signature, {})
        known = folded.get(name, Folded(0, oldest.time))
        folded[name] = Folded(known.entries + 1, max(known.upto, oldest.time))
        self._dropped.add((signature, name))

    def _flush(self) -> None:
        self._transaction.put(timeline_table, self._entries)
        self._entries = []

    def save(self) -> None:
        """Write what changed."""
        self._flush()
        rows = [(s, encode(self._fragments[s])) for s in sorted(self._dirty)]
        self._transaction.put(fragment_table, rows)
        dropped = [(s, name, *self._folded[s][name]) for s, name in sorted(self._dropped)]
        self._transaction.put(timeline_folded, dropped)
        self._groups.save()
        self._dirty, self._dropped = set(), set()
