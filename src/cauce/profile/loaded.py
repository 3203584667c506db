"""Fragments and timelines in memory, read in a few batched queries."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cauce.profile.fragment import Fragment, decode
from cauce.profile.person import Person, Timeline, entry_order
from cauce.profile.records import fragment as fragment_table
from cauce.profile.records import timeline as timeline_table
from cauce.profile.records import timeline_folded
from cauce.profile.survivorship import Survivorship
from cauce.storage.records import Reader, Row
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.language import Entry, Folded
from cauce.vocabulary.moment import Moment

NO_PROPERTIES: dict[str, Any] = {}


class LoadedProfiles:
    """The fragments and timelines of some signatures, and the people they make up.

    Signatures above ``stored_upto`` are known to have nothing stored.
    """

    def __init__(
        self, reader: Reader, rules: Mapping[str, Survivorship], stored_upto: int | None = None
    ) -> None:
        self._reader = reader
        self._stored_upto = stored_upto
        self._rules = rules
        self._known: set[int] = set()
        self._stored: dict[int, str] = {}
        self._fragments: dict[int, Fragment] = {}
        self._folded: dict[int, dict[str, Folded]] = {}
        self._timelines: dict[int, Timeline] = {}

    def load(self, signatures: Iterable[int]) -> None:
        """Read what is not read yet; call once with all that a batch may touch."""
        wanted = [s for s in set(signatures) if s not in self._known]
        if not wanted:
            return
        self._known.update(wanted)
        if self._stored_upto is not None and min(wanted) > self._stored_upto:
            return
        for signature, traits in self._reader.rows(fragment_table, "signature", wanted):
            self._stored[signature] = traits
        for signature, name, entries, upto in self._reader.rows(timeline_folded, "signature", wanted):
            self._folded.setdefault(signature, {})[name] = Folded(entries, Moment(upto))
        touched = set()
        for row in self._reader.rows(timeline_table, "signature", wanted):
            entries = self._timelines.setdefault(row[0], {}).setdefault(row[6], [])
            entries.append(_entry(row))
            touched.add(row[0])
        for signature in touched:
            for entries in self._timelines[signature].values():
                entries.sort(key=entry_order)

    def person(self, signatures: Sequence[int]) -> Person:
        """The person whose events carried these signatures."""
        self.load(signatures)
        return Person(
            lambda: [self._fragment(s) for s in signatures],
            [self._timelines[s] for s in signatures if s in self._timelines],
            self._rules,
            [self._folded[s] for s in signatures if s in self._folded],
        )

    def _fragment(self, signature: int) -> Fragment:
        fragment = self._fragments.get(signature)
        if fragment is None:
            stored = self._stored.get(signature)
            fragment = self._fragments[signature] = decode(stored) if stored else {}
        return fragment


def _entry(row: Row) -> Entry:
    _, time, _, received, message_id, source, _, text = row
    properties: Any = NO_PROPERTIES if text == "{}" else decode_json(text)
    return Entry(time=time, received=received, message_id=message_id, source=source, properties=properties)
