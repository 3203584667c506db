"""Fold observations through a real state store, in given batches, and read the result back."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cauce.identity.past import Remembered, Seen
from cauce.identity.policy import Policy
from cauce.identity.resolution import Resolution
from cauce.identity.resolve import keys_of
from cauce.identity.service import Identity
from cauce.identity.session import Session
from cauce.identity.simulated import Event, Observation
from cauce.storage.records import STATE, Records
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import parse_identifier


def open_store(folder: Path) -> SqliteRecords:
    return SqliteRecords(folder / "state.db", STATE, synchronous="OFF")


def clear(records: Records) -> None:
    with records.write() as transaction:
        for table in STATE.sorted_tables:
            transaction.connection.execute(table.delete())


def fold(records: Records, policy: Policy, batches: Sequence[Sequence[Event]]) -> list[tuple[Any, ...]]:
    """Every batch in a transaction of its own, by an Identity that knows nothing yet; the resolutions."""
    delivered: set[str] = set()
    past = Remembered()
    resolutions = []
    position = 0
    for batch in batches:
        identity = Identity("person", policy.ruleset, policy=policy)
        fresh = []
        for one in batch:
            position += 1
            if one.id not in delivered:
                delivered.add(one.id)
                fresh.append((position, one))
        with records.write() as transaction:
            observed = [one.identifiers for _, one in fresh if isinstance(one, Observation)]
            session = identity.begin(transaction, observed, stating=len(observed) < len(fresh))
            for number, one in fresh:
                found = take(session, one, Position(number), past)
                types = [sorted(session.identifier_types(p)) for p in found.changed]
                owned = [list(session.signatures(p)) for p in found.changed]
                names = [session.profile_id(p) for p in (*found.changed, *found.gone)]
                known = [session.identifiers(p) for p in found.changed]
                resolutions.append((*found, types, owned, names, known))
            session.save()
    return resolutions


def take(session: Session, one: Event, position: Position, past: Remembered) -> Resolution:
    if not isinstance(one, Observation):
        return session.state(one._replace(position=position), past)[0]
    found = session.observe(one.identifiers, time=one.time, source=one.source, position=position, id=one.id)
    past.add(Seen(one.id, one.time, one.source), frozenset(keys_of(one.identifiers)))
    return found


def partition(records: Records, policy: Policy) -> dict[str, list[str]]:
    """Anchor -> members, as an API would read them."""
    identity = Identity("person", policy.ruleset, policy=policy)
    result = {}
    with records.read() as reader:
        profiles = sorted({row[2] for row in rows(records, "identity_member")})
        assert profiles == sorted(row[1] for row in rows(records, "identity_profile"))
        for profile, described in identity.describe(reader, profiles).items():
            anchor = str(described.identifiers[0])
            result[anchor] = sorted(map(str, described.identifiers))
            assert identity.find(reader, parse_identifier(anchor)) == profile
            assert identity.resolve_id(reader, described.profile_id) == profile
    return result


def rows(records: Records, table: str) -> list[tuple[Any, ...]]:
    with records.read() as reader:
        return sorted(reader.select(select(STATE.tables[table])), key=repr)


def tables(records: Records) -> dict[str, list[tuple[Any, ...]]]:
    names = [name for name in STATE.tables if name.startswith(("identi", "signature", "progress"))]
    return {name: rows(records, name) for name in names}


def split(items: Sequence[Any], cuts: Sequence[int]) -> list[Sequence[Any]]:
    places = [0, *sorted(cuts), len(items)]
    return [items[a:b] for a, b in pairwise(places)]
