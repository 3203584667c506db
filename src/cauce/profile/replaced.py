"""Addresses that an event replaced: a stale value that comes back later is not current again.

An event such as ``Email Changed`` with the old and the new address asserts the new one,
and overtakes every assertion of the old one that is not later in source time: a file
that is imported again says nothing new. Only an assertion later than the change, or a
change back, brings the old address back. A function of the set of events, whatever
their order.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select

from cauce.profile.fragment import Assertion, assertions, decode
from cauce.profile.records import fragment, timeline
from cauce.storage.records import Reader
from cauce.vocabulary.address_events import CHANGES, RECORDED, read_address_event
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION, normalize
from cauce.vocabulary.language import Entry
from cauce.vocabulary.moment import Moment

REPLACEABLE = frozenset(CHANGES.values())
"""The traits that events change so."""


class Replaced(NamedTuple):
    """An address, normalized or "" if unknown, that an assertion of another one replaced."""

    old: str
    by: Assertion


Replacements = Mapping[str, Sequence[Replaced]]
"""Trait → what was replaced."""


def replacements(entries: Iterable[tuple[str, Entry]]) -> dict[str, list[Replaced]]:
    """What some events, each with its name, replaced, by trait."""
    found: dict[str, list[Replaced]] = {}
    for name, entry in entries:
        trait = CHANGES.get(name)
        told = None if trait is None else read_address_event(name, entry, (), DEFAULT_NORMALIZATION)
        if trait is not None and told is not None:
            by = Assertion(entry.time, entry.received, entry.message_id, entry.source, told.new)
            found.setdefault(trait, []).append(Replaced(told.address, by))
    return found


def stands(trait: str, value: Any, time: int, replaced: Sequence[Replaced]) -> bool:
    """Whether no change overtook an assertion: none replaced its value at its time or later."""
    if not replaced or not isinstance(value, str):
        return True
    normal = normalize(trait, unicodedata.normalize("NFKC", value), DEFAULT_NORMALIZATION)
    return not any(one.old == normal and time <= one.by.time for one in replaced)


class AddressEntry(NamedTuple):
    """An event about addresses on the timeline of a signature."""

    signature: int
    name: str
    entry: Entry


def address_entries(reader: Reader, signatures: Sequence[int]) -> list[AddressEntry]:
    """The events about addresses that timelines record of some signatures."""
    if not signatures:
        return []
    columns = timeline.c
    wanted = select(
        columns.signature,
        columns.name,
        columns.time,
        columns.received,
        columns.message_id,
        columns.source,
        columns.properties,
    ).where(columns.name.in_(sorted(RECORDED)))
    found = []
    for start in range(0, len(signatures), _AT_ONCE):
        some = signatures[start : start + _AT_ONCE]
        for signature, name, *times, message_id, source, text in reader.select(
            wanted.where(columns.signature.in_(some))
        ):
            time, received = map(Moment, times)
            properties: Any = decode_json(text)
            entry = Entry(time, received, message_id, source, properties)
            found.append(AddressEntry(signature, name, entry))
    return found


_AT_ONCE = 5_000


class Told(NamedTuple):
    """An assertion of an address by the events of one signature."""

    signature: int
    trait: str
    assertion: Assertion


def told_addresses(reader: Reader, signatures: Sequence[int]) -> list[Told]:
    """The kept assertions of address traits by some signatures, oldest first; texts alone."""
    found = []
    for signature, text in reader.rows(fragment, "signature", signatures):
        kept = decode(text)
        for trait in sorted(REPLACEABLE & kept.keys()):
            told = (one for one in assertions([kept], trait) if isinstance(one.value, str))
            found += [Told(signature, trait, one) for one in told]
    return sorted(found, key=lambda one: (one.assertion.order, one.trait))
