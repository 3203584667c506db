"""Everybody at once: the whole partition of a view, for work in bulk."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from sqlalchemy import select

from cauce.identity import records
from cauce.storage.records import Reader
from cauce.vocabulary.profile import ProfileKey, SignatureKey


class Whole(NamedTuple):
    """One profile: the types of its identifiers, and its signatures as sets of ``type:value``."""

    profile: ProfileKey
    types: frozenset[str]
    signatures: dict[SignatureKey, list[str]]


def everybody(reader: Reader, view: int) -> Iterator[Whole]:
    """Every profile of a view, ascending."""
    keys = {
        row[0]: row[1] for row in reader.select(select(records.identifiers.c.id, records.identifiers.c.key))
    }
    signatures = {row[0]: row[1] for row in reader.select(select(records.signatures))}
    table = records.profiles
    wanted = select(table.c.profile, table.c.members, table.c.signatures).where(table.c.view == view)
    for profile, members, owned in reader.select(wanted.order_by(table.c.profile)):
        numbers = msgspec.json.decode(owned, type=list[int])
        yield Whole(
            ProfileKey(profile),
            frozenset(msgspec.json.decode(members, type=dict[str, list[int]])),
            {SignatureKey(n): [keys[int(id_)] for id_ in signatures[n].split(",")] for n in numbers},
        )
