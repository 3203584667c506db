"""Bringing fragments to the traits in force.

A trait that is defined otherwise may need assertions that fragments did not
keep: then fragments are derived anew from the log. Segments that read such a
trait are looked at again, as its values may differ.
"""

from collections.abc import Callable, Container, Iterator
from typing import NamedTuple

from sqlalchemy import select

from cauce.app.pipeline import LOG, Pipeline
from cauce.eventlog.port import EventLog
from cauce.profile.records import fragment, group_fragment, trait_version
from cauce.profile.replaced import REPLACEABLE
from cauce.profile.survivorship import ADDRESSES, COMPUTED, FORMAT, kept_by
from cauce.storage.records import Transaction
from cauce.vocabulary.event import Call, Event, Position, read_event
from cauce.vocabulary.identifier import Normalization

_CHUNK = 2_000


class TraitChanges(NamedTuple):
    """How the traits in force differ from those that the state was made with.

    ``names``: the traits that are defined otherwise. ``told``: whether fragments
    have to be derived anew, ``members``: also who belongs to which group.
    ``computed``: whether timelines may lack events.
    """

    names: frozenset[str]
    told: bool
    members: bool
    computed: bool


def trait_changes(pipeline: Pipeline, transaction: Transaction) -> TraitChanges:
    """Compare the traits in force with the state."""
    stored: dict[str, str] = {row[0]: row[1] for row in transaction.select(select(trait_version))}
    wanted = pipeline.profiles.versions
    names = {name for name in stored.keys() | wanted.keys() if stored.get(name) != wanted.get(name)}
    versions = [version for name in names for version in (stored.get(name), wanted.get(name)) if version]
    computed = any(version.startswith(COMPUTED) for version in versions)
    members = FORMAT in names
    if ADDRESSES in names:
        names |= REPLACEABLE  # events that were not recorded may have changed them
    return TraitChanges(frozenset(names), members or any(map(kept_by, versions)), members, computed)


def store_traits(pipeline: Pipeline, transaction: Transaction) -> None:
    """Remember what the state is made with from now on."""
    transaction.clear(trait_version)
    transaction.put(trait_version, sorted(pipeline.profiles.versions.items()))


def tell_anew(
    pipeline: Pipeline,
    transaction: Transaction,
    log: EventLog,
    normalization: Callable[[str], Normalization],
    *,
    members: bool,
) -> None:
    """Derive the fragments of people and groups anew, as far as the log is folded."""
    transaction.clear(fragment)
    transaction.clear(group_fragment)
    upto = Position(transaction.progress(LOG))
    for chunk in _told(
        log, upto, normalization, calls=tuple(Call) if members else (Call.IDENTIFY, Call.GROUP)
    ):
        identity = pipeline.identity.begin(transaction, [event.identifiers for event in chunk])
        session = pipeline.profiles.begin(transaction, {})
        for event in chunk:
            if identity.counts(event):
                session.tell_again(event, identity.signature(event.identifiers))
        session.save()


def _told(
    log: EventLog,
    upto: Position,
    normalization: Callable[[str], Normalization],
    *,
    calls: Container[Call],
) -> Iterator[list[Event]]:
    """The events of some calls up to a position, decoded, in the order of the log."""
    after = Position(0)
    while after < upto:
        rows = log.read(after, _CHUNK)
        wanted = [row for row in rows if row.position <= upto and row.call in calls]
        if wanted:
            yield [read_event(row, normalization(row.source)) for row in wanted]
        after = rows[-1].position if rows else upto
