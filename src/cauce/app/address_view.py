"""The addresses of a person as people look at them: each with its life, derived when asked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cauce.identity.addresses import AddressFacts, Seen, address_facts
from cauce.identity.carried import Carried, carried_by
from cauce.profile.replaced import Told, address_entries, told_addresses
from cauce.storage.records import Reader
from cauce.vocabulary.address_events import Act, AddressEvent, read_address_event
from cauce.vocabulary.identifier import Identifier, Normalization, normalize
from cauce.vocabulary.moment import Moment, to_iso

TYPES = ("email", "phone")
"""The identifier types that are addresses."""

Addresses = dict[tuple[str, str], AddressFacts]
"""The facts of a person's addresses by type and normalized value."""


def view_addresses(reader: Reader, signatures: Sequence[int], how: Normalization, at: Moment) -> Addresses:
    """What is known of the addresses of whoever has these signatures, as of a moment."""
    seen = carried_by(reader, signatures)
    nobody: tuple[Identifier, ...] = ()
    events: list[AddressEvent] = []
    for number, name, entry in address_entries(reader, signatures):
        carried = seen[number].identifiers if number in seen else nobody
        event = read_address_event(name, entry, carried, how)
        if event is not None:
            events.append(event)
    told = told_addresses(reader, signatures)
    events += _changed(seen, told, how)
    given = {
        (one.trait, normalize(one.trait, one.assertion.value, how)): one.assertion.time
        for one in told
        if one.assertion.time <= at
    }
    return address_facts(_seen(seen.values(), given), events, at=at)


def _changed(seen: Mapping[int, Carried], told: Sequence[Told], how: Normalization) -> Iterator[AddressEvent]:
    """Changes that one call tells: its traits say one address, its context still another (EM-03)."""
    newest = {(one.signature, one.trait): one.assertion for one in told}
    for (number, type_), said in newest.items():
        carried = seen[number].identifiers if number in seen else ()
        both = [one.value for one in carried if one.type == type_]
        new = normalize(type_, said.value, how)
        if len(both) == _BOTH and new in both:
            [old] = [value for value in both if value != new]
            yield AddressEvent(
                Act.CHANGED, type_, old, new, said.time, said.received, said.message_id, said.source
            )


_BOTH = 2


def _seen(found: Iterable[Carried], given: Mapping[tuple[str, str], Moment]) -> list[Seen]:
    """Every address that some signatures carried, over all of them."""
    known: dict[Identifier, list[Carried]] = {}
    for one in found:
        for identifier in one.identifiers:
            if identifier.type in TYPES and one.sources:
                known.setdefault(identifier, []).append(one)
    return [_one(one, carried, given.get((one.type, one.value))) for one, carried in sorted(known.items())]


def _one(identifier: Identifier, carried: list[Carried], given: Moment | None) -> Seen:
    told = [(source, *seen) for one in carried for source, seen in one.sources.items()]
    return Seen(
        type=identifier.type,
        address=identifier.value,
        events=sum(one[1] for one in told),
        first=min(one[2] for one in told),
        last=max(one[3] for one in told),
        sources=tuple(sorted({one[0] for one in told})),
        given=given,
    )


def address_as_json(fact: AddressFacts) -> dict[str, Any]:
    """The life of an address as JSON; what did not happen is left out."""
    document: dict[str, Any] = {
        "deliverable": fact.deliverable,
        "first_seen": to_iso(fact.first_seen),
        "last_seen": to_iso(fact.last_seen),
        "events": fact.events,
        "sources": list(fact.sources),
    }
    for name in ("confirmed", "bounced", "dead", "complained", "unsubscribed", "superseded_at"):
        moment = getattr(fact, name)
        if moment is not None:
            document[name] = to_iso(moment)
    told = {
        "superseded_by": fact.superseded_by,
        "typo_of": fact.typo_of,
        "usage": fact.usage.value,
        "role": fact.role,
        "disposable": fact.disposable,
        "undeliverable": list(fact.undeliverable),
    }
    return document | {name: value for name, value in told.items() if value}


def address_as_text(fact: AddressFacts) -> str:
    """The life of an address in a line."""
    said = ["deliverable"] if fact.deliverable else [f"not deliverable: {', '.join(fact.undeliverable)}"]
    for name in ("confirmed", "dead", "complained", "unsubscribed"):
        moment = getattr(fact, name)
        if moment is not None:
            said.append(f"{name} {to_iso(moment)}")
    if fact.superseded_at is not None:
        said.append(f"superseded by {fact.superseded_by} {to_iso(fact.superseded_at)}")
    if fact.typo_of:
        said.append(f"perhaps meant {fact.typo_of}")
    said += [name for name, holds in (("disposable", fact.disposable), ("role address", fact.role)) if holds]
    if fact.usage:
        said.append(fact.usage.value)
    return "; ".join(said)
