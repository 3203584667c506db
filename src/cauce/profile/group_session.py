"""One micro-batch of folding what events say of groups, and of who belongs to them.

No rule about persons reads a group's traits, so nothing has to be known before
the batch is written: it gathers, and ``save`` reads what is stored and merges.
A place for rules about accounts would be here: they look at a group when it or
one of its members changes.
"""

from collections.abc import Collection, Iterable

from cauce.profile.fragment import Fragment, Keeps, assert_traits, decode, encode
from cauce.profile.records import group_fragment, group_member
from cauce.storage.records import Transaction
from cauce.vocabulary.event import Call, Event


class GroupSession:
    """What a batch asserts about groups and their members."""

    def __init__(self, transaction: Transaction, keeps: Keeps) -> None:
        self._transaction = transaction
        self._keeps = keeps
        self._calls: dict[str, list[Event]] = {}
        self._since: dict[tuple[int, str], int] = {}

    def fold(self, event: Event, signature: int | None) -> None:
        """Take an event that names a group; ``signature`` is whose event it is, None if nobody's."""
        if event.call is Call.GROUP:
            self._calls.setdefault(event.group, []).append(event)
        if signature is not None:
            self.join(event, signature)

    def join(self, event: Event, signature: int) -> None:
        """Take that somebody belongs to the group that an event names."""
        key = (signature, event.group)
        self._since[key] = min(event.time, self._since.get(key, event.time))

    def anew(self, groups: Collection[str], calls: Iterable[Event]) -> None:
        """Derive what is known of some groups from all group calls about them that count."""
        self._transaction.remove(group_fragment, "group_id", sorted(groups))
        for group in groups:
            self._calls.pop(group, None)
        for event in calls:
            self._calls.setdefault(event.group, []).append(event)

    def forget(self, signatures: Collection[int]) -> None:
        """Forget that some belong to any group, as far as it is not written."""
        self._since = {key: since for key, since in self._since.items() if key[0] not in signatures}

    def save(self) -> None:
        """Merge with what is stored, and write what changed."""
        if self._calls:
            self._save_fragments()
        if self._since:
            signatures = sorted({signature for signature, _ in self._since})
            known = {
                (signature, group): since
                for signature, group, since in self._transaction.rows(group_member, "signature", signatures)
            }
            rows = [(*key, since) for key, since in sorted(self._since.items())]
            earlier = [row for row in rows if row[2] < known.get((row[0], row[1]), row[2] + 1)]
            self._transaction.put(group_member, earlier)
        self._calls, self._since = {}, {}

    def _save_fragments(self) -> None:
        rows = self._transaction.rows(group_fragment, "group_id", sorted(self._calls))
        stored: dict[str, str] = dict(rows)
        changed = []
        for group, events in sorted(self._calls.items()):
            fragment: Fragment = decode(stored[group]) if group in stored else {}
            touched = [assert_traits(fragment, event, self._keeps) for event in events]
            if any(touched) or group not in stored:
                changed.append((group, encode(fragment)))
        self._transaction.put(group_fragment, changed)
