"""Members: who is in a segment, as destinations are told of her."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from cauce.activate.needs import Member
from cauce.app.pipeline import CLOCK
from cauce.identity.service import Identity
from cauce.profile.person import Person
from cauce.profile.service import Profiles
from cauce.segment.records import membership
from cauce.storage.records import Reader
from cauce.vocabulary.access import SYSTEM, Access, Purpose
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey

_PAGE = 500


class SegmentMembers:
    """Reads who is in a segment; see ``Members``."""

    def __init__(self, identity: Identity, profiles: Profiles, access: Access) -> None:
        self._identity = identity
        self._profiles = profiles
        self._access = access

    def of(
        self, reader: Reader, segment: str, *, purpose: Purpose, after: int = 0, traits: bool = False
    ) -> Iterator[list[Member]]:
        """The members with profile keys above ``after``, ascending, some at a time."""
        self._access(SYSTEM, "read", purpose)
        table = membership.c
        while True:
            wanted = select(table.profile, table.since).where(table.segment == segment, table.profile > after)
            rows = reader.select(wanted.order_by(table.profile).limit(_PAGE))
            if not rows:
                return
            since = {ProfileKey(profile): Moment(moment) for profile, moment in rows}
            yield self._described(reader, since, traits=traits)
            after = rows[-1][0]

    def _described(self, reader: Reader, since: Mapping[ProfileKey, Moment], *, traits: bool) -> list[Member]:
        found = self._identity.describe(reader, list(since))
        persons: Mapping[ProfileKey, Person] = {}
        at = Moment(reader.progress(CLOCK))
        if traits:
            persons = self._profiles.persons(reader, {key: one.signatures for key, one in found.items()})
        return [
            Member(
                profile=key,
                profile_id=found[key].profile_id,
                identifiers=tuple(found[key].identifiers),
                since=moment,
                trait=self._profiles.values(persons[key], at) if key in persons else _nothing,
            )
            for key, moment in since.items()
            if key in found
        ]


def _nothing(_: str) -> Any:
    return None
