"""The life of an address: what observations and events tell of it, as of a moment.

Pure: the facts depend on the sightings, the events and the moment alone, not on
their order. An address is e-mail or phone.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from cauce.identity.address_words import (
    PROVIDERS,
    is_disposable,
    is_placeholder_address,
    is_role,
    split_address,
)
from cauce.identity.domain_typos import slip_of
from cauce.vocabulary.address_events import Act, AddressEvent
from cauce.vocabulary.moment import DAY, Moment

SOFT_BOUNCES = 3
"""So many soft bounces without a sign of life between them mean that an address is dead,"""

SOFT_DAYS = 7
"""if so many days lie between the first and the last of them."""


class Usage(StrEnum):
    """What somebody uses an address for, as far as its domain tells."""

    PERSONAL = "personal"
    WORK = "work"
    SHARED = "shared"
    UNKNOWN = ""


class Seen(NamedTuple):
    """An address as events carried it: how many, by which sources, when first and last.

    ``given``: when somebody last said that it is hers; what mail systems tell does not count.
    """

    type: str
    address: str
    events: int
    first: Moment
    last: Moment
    sources: tuple[str, ...]
    given: Moment | None = None


class AddressFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one address as of a moment; moments are None where it did not happen.

    ``dead``: since when mail does not arrive. ``complained`` and ``unsubscribed`` hold until
    she subscribes again. ``superseded_by``: the address that replaced it, at
    ``superseded_at``. ``typo_of``: the address it is probably a typing error of.
    ``usage``: personal (a public provider), work (any other domain), shared (an office).
    ``undeliverable``: why mail to it would not arrive; empty if nothing speaks against it.
    """

    type: str
    address: str
    events: int
    first_seen: Moment
    last_seen: Moment
    sources: tuple[str, ...]
    confirmed: Moment | None = None
    bounced: Moment | None = None
    dead: Moment | None = None
    complained: Moment | None = None
    unsubscribed: Moment | None = None
    superseded_by: str = ""
    superseded_at: Moment | None = None
    role: bool = False
    disposable: bool = False
    typo_of: str = ""
    usage: Usage = Usage.UNKNOWN
    undeliverable: tuple[str, ...] = ()

    @property
    def deliverable(self) -> bool:
        """Whether nothing speaks against sending to it; permission is another matter."""
        return not self.undeliverable


def address_facts(
    seen: Iterable[Seen], events: Iterable[AddressEvent], *, at: Moment
) -> dict[tuple[str, str], AddressFacts]:
    """The facts of one person's addresses, by type and address; events after ``at`` count for nothing."""
    known: dict[tuple[str, str], list[AddressEvent]] = {}
    turned: dict[tuple[str, str], list[AddressEvent]] = {}
    for event in sorted(events, key=_order):
        if event.time <= at:
            known.setdefault((event.type, event.address), []).append(event)
            if event.act is Act.CHANGED:
                turned.setdefault((event.type, event.new), []).append(event)
    told = {
        (one.type, one.address): _life(
            one, known.get((one.type, one.address), ()), turned.get((one.type, one.address), ())
        )
        for one in seen
    }
    return {key: _judged(fact, told) for key, fact in told.items()}


def _order(event: AddressEvent) -> tuple[int, int, str]:
    return event.time, event.received, event.message_id


_LIFE = (Act.DELIVERED, Act.OPENED, Act.CLICKED, Act.CONFIRMED, Act.SUBSCRIBED)


def _life(one: Seen, events: Sequence[AddressEvent], to_it: Sequence[AddressEvent]) -> AddressFacts:
    """What events tell, in order of time; ``to_it`` are changes from another address to this one."""
    subscribed = _last(events, Act.SUBSCRIBED)
    alive = max((*(e.time for e in events if e.act in _LIFE), *(e.time for e in to_it)), default=None)
    change = next((e for e in reversed(events) if e.act is Act.CHANGED), None)
    if change is not None and to_it and _order(to_it[-1]) > _order(change):
        change = None
    if change is not None and one.given is not None and one.given > change.time:
        change = None  # she uses it again
    return AddressFacts(
        type=one.type,
        address=one.address,
        events=one.events,
        first_seen=one.first,
        last_seen=one.last,
        sources=one.sources,
        confirmed=_last(events, Act.CONFIRMED, Act.CLICKED),
        bounced=_last(events, Act.BOUNCED),
        dead=_death([e for e in events if e.act is Act.BOUNCED and (alive is None or e.time > alive)]),
        complained=_unless(_last(events, Act.COMPLAINED), subscribed),
        unsubscribed=_unless(_last(events, Act.UNSUBSCRIBED), subscribed),
        superseded_by=change.new if change else "",
        superseded_at=change.time if change else None,
    )


def _last(events: Sequence[AddressEvent], *acts: Act) -> Moment | None:
    return max((event.time for event in events if event.act in acts), default=None)


def _unless(moment: Moment | None, subscribed: Moment | None) -> Moment | None:
    """A withdrawal holds unless she subscribed later; at the same moment it holds."""
    return None if moment is None or (subscribed is not None and subscribed > moment) else moment


def _death(bounces: Sequence[AddressEvent]) -> Moment | None:
    """Since when an address is dead, by the bounces after its last sign of life."""
    hard = [event.time for event in bounces if not event.soft]
    if hard:
        return hard[0]
    soft = [event.time for event in bounces]
    if len(soft) >= SOFT_BOUNCES and soft[-1] - soft[0] >= SOFT_DAYS * DAY:
        return soft[-1]
    return None


def _judged(fact: AddressFacts, others: Mapping[tuple[str, str], AddressFacts]) -> AddressFacts:
    """What the address itself gives away, beside the person's other ones."""
    if fact.type != "email":
        return msgspec.structs.replace(fact, undeliverable=tuple(_against(fact, syntax=True)))
    local, domain = split_address(fact.address)
    role = bool(domain) and is_role(local)
    better = [] if fact.confirmed or fact.superseded_by else list(_corrections(fact, others.values()))
    typo = "" if fact.confirmed else slip_of(fact.address, better) or ""
    placeholder = is_placeholder_address(fact.address)
    told = msgspec.structs.replace(
        fact,
        role=role,
        disposable=is_disposable(domain),
        typo_of=typo,
        usage=_usage(split_address(typo or fact.address)[1], role=role, nobodys=placeholder),
    )
    against = _against(told, syntax=bool(local) and "." in domain.strip("."), placeholder=placeholder)
    return msgspec.structs.replace(told, undeliverable=tuple(against))


def _corrections(fact: AddressFacts, others: Iterable[AddressFacts]) -> Iterable[str]:
    """Addresses that one could be a slip of: who mistypes corrects at once, and never types it again.

    So it was in use for a day at most, and the other one, which stands better, within a day of it.
    """
    first, last = fact.first_seen - DAY, fact.last_seen + DAY
    if fact.last_seen - fact.first_seen > DAY:
        return
    for one in others:
        near = one.first_seen <= last and one.last_seen >= first
        if near and one.type == fact.type and _standing(one) > _standing(fact):
            yield one.address


def _standing(fact: AddressFacts) -> tuple[bool, bool, int, int]:
    """Which of two similar addresses is the right one: confirmed, alive, seen more often, given later."""
    return fact.confirmed is not None, fact.dead is None, fact.events, fact.first_seen


def _usage(domain: str, *, role: bool, nobodys: bool) -> Usage:
    if not domain or nobodys:
        return Usage.UNKNOWN
    if role:
        return Usage.SHARED
    return Usage.PERSONAL if domain in PROVIDERS else Usage.WORK


def _against(fact: AddressFacts, *, syntax: bool, placeholder: bool = False) -> Iterable[str]:
    """What speaks against sending, gravest first."""
    reasons = {
        "no address": not syntax,
        "nobody's": placeholder,
        "dead": fact.dead is not None,
        "typing error suspected": bool(fact.typo_of),
        "complained": fact.complained is not None,
    }
    return [reason for reason, holds in reasons.items() if holds]
