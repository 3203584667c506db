"""What the events of a scenario tell of its e-mail addresses: superseded, mistyped, dead, of an office."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from cauce.identity.address_words import is_role, split_address
from cauce.identity.domain_typos import slip_of
from cauce.identity.scenarios import Mailbox
from cauce.vocabulary.moment import SECOND, Moment

CHANGED = "Email Address Changed"
"""An event that says, in ``properties.from`` and ``properties.to``, that one address took another's place."""

BOUNCED = frozenset({"Email Bounced"})
ARRIVED = frozenset({"Email Delivered", "Email Opened", "Email Link Clicked"})

_AT_ONCE = 24 * 3600 * SECOND
"""Who mistypes an address corrects it within this time."""


class Mention(NamedTuple):
    """An event that carries an address; ``place`` is where it stands in the order of delivery."""

    address: str
    time: Moment
    place: int
    event: str


class Change(NamedTuple):
    """One address took another's place."""

    old: str
    new: str
    time: Moment
    place: int


def mailboxes(
    mentions: Sequence[Mention], changes: Iterable[Change], others: Callable[[str], Iterable[str]]
) -> dict[str, Mailbox]:
    """What is known of each address; ``others`` gives the further addresses of the same person."""
    newest = {change.old: change for change in sorted(changes, key=lambda one: (one.time, one.place))}
    return {
        address: _mailbox(address, mentions, newest.get(address), others(address))
        for address in sorted({mention.address for mention in mentions} | newest.keys())
    }


def _mailbox(address: str, every: Sequence[Mention], change: Change | None, others: Iterable[str]) -> Mailbox:
    own = [one for one in every if one.address == address]
    told = list(_told(own))
    if change is not None and any(one.time > change.time for one in told):
        change = None  # she uses it again
    return Mailbox(
        address=address,
        superseded_by=change.new if change else "",
        typo_of=slip_of(address, _corrections(own, every, others)) or "",
        dead=_is_dead(own),
        role=is_role(split_address(address)[0]),
        kept_out=change is not None and any(one.place > change.place for one in told),
    )


def _told(own: Iterable[Mention]) -> Iterator[Mention]:
    """The events by which somebody gave the address; what mail systems report is no giving."""
    return (one for one in own if one.event != CHANGED and one.event not in BOUNCED | ARRIVED)


def _corrections(own: Sequence[Mention], every: Sequence[Mention], others: Iterable[str]) -> list[str]:
    """Those of her other addresses that she gave within a day after this one, and never this one again."""
    last = max((one.time for one in _told(own)), default=None)
    if last is None:
        return []
    after = {one.address for one in _told(every) if last < one.time <= last + _AT_ONCE}
    return [other for other in others if other in after]


def _is_dead(own: Iterable[Mention]) -> bool:
    """Whether the last that mail systems told is that it came back."""
    reports = [one for one in own if one.event in BOUNCED | ARRIVED]
    return bool(reports) and max(reports, key=lambda one: (one.time, one.place)).event in BOUNCED
