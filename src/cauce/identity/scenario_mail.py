"""What the events of a scenario tell of its e-mail addresses, by the rules that profiles show them by."""

from collections.abc import Sequence

from cauce.identity.addresses import AddressFacts, Seen, address_facts
from cauce.identity.scenario_people import Happened, People
from cauce.identity.scenarios import Mailbox
from cauce.vocabulary.address_events import NAMES, Act, AddressEvent, read_address_event
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.language import Entry
from cauce.vocabulary.moment import Moment

_EMAIL = "email"


def mailboxes(people: People, how: Normalization) -> dict[str, Mailbox]:
    """What is known of each address; typing errors are looked for among a person's own addresses."""
    events = [event for one in people.happened if (event := _address_event(one, how)) is not None]
    at = max((one.seen.time for one in people.happened), default=Moment(0))
    found: dict[str, Mailbox] = {}
    for own in [*_addresses(people), _unowned(people, events)]:
        seen = [_seen(people.happened, address, at) for address in own]
        facts = address_facts(seen, events, at=at)
        found |= {address: _mailbox(facts[_EMAIL, address], people.happened) for address in own}
    return found


def _address_event(one: Happened, how: Normalization) -> AddressEvent | None:
    entry = Entry(one.seen.time, one.seen.time, one.seen.id, one.seen.source, one.told.properties)
    return read_address_event(one.told.event, entry, one.seen.identifiers, how)


def _addresses(people: People) -> list[list[str]]:
    """The addresses of each group."""
    mail = f"{_EMAIL}:"
    return [[one.removeprefix(mail) for one in group if one.startswith(mail)] for group in people.groups]


def _unowned(people: People, events: Sequence[AddressEvent]) -> list[str]:
    """Addresses that events tell of, and that nobody has."""
    told = {event.address for event in events if event.type == _EMAIL}
    return sorted(one for one in told if one and people.of(f"{_EMAIL}:{one}") is None)


def _seen(happened: Sequence[Happened], address: str, at: Moment) -> Seen:
    own = [one for one in happened if _carries(one, address)]
    times = [one.seen.time for one in own] or [at]
    given = [one.seen.time for one in own if _gives(one)]
    sources = tuple(sorted({one.seen.source for one in own}))
    return Seen(_EMAIL, address, len(own), min(times), max(times), sources, max(given, default=None))


def _carries(one: Happened, address: str) -> bool:
    return any(type_ == _EMAIL and value == address for type_, value in one.seen.identifiers)


def _gives(one: Happened) -> bool:
    """Whether somebody gave the address by an event; what mail systems report gives none."""
    return one.told.event not in NAMES


def _mailbox(facts: AddressFacts, happened: Sequence[Happened]) -> Mailbox:
    return Mailbox(
        address=facts.address,
        superseded_by=facts.superseded_by,
        typo_of=facts.typo_of,
        dead=facts.dead is not None,
        role=facts.role,
        kept_out=bool(facts.superseded_by) and _told_again(facts.address, happened),
    )


def _told_again(address: str, happened: Sequence[Happened]) -> bool:
    """Whether the address was given once more after the change had been told."""
    changes = [place for place, one in enumerate(happened) if _is_change(one.told.event)]
    later = happened[min(changes, default=len(happened)) :]
    return any(_carries(one, address) and _gives(one) for one in later)


def _is_change(name: str) -> bool:
    told = NAMES.get(name)
    return told is not None and told.act is Act.CHANGED and told.type == _EMAIL
