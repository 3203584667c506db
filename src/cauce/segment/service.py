"""The door to segments: who is in, and why."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import func, select

from cauce.segment.live import LiveSegment, LiveSegments
from cauce.segment.needs import People, PersonReader
from cauce.segment.records import membership
from cauce.storage.records import Reader, Records
from cauce.vocabulary.access import Access, Purpose, Viewer
from cauce.vocabulary.errors import NotFound
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.language import Reason
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.nearest import did_you_mean
from cauce.vocabulary.profile import ProfileKey


class Member(NamedTuple):
    """A person in a segment, since when, and by which identifiers she is known."""

    profile: ProfileKey
    profile_id: str
    identifiers: tuple[Identifier, ...]
    since: Moment


class Why(NamedTuple):
    """Why a person is, or is not, in a segment at a moment."""

    profile_id: str
    member: bool
    since: Moment | None
    at: Moment
    asked_for: bool
    """Whether the segment asks for people with the kinds of identifiers that she has."""
    reason: Reason


class Segments:
    """Reads memberships of one identity view."""

    def __init__(
        self, records: Records, live: LiveSegments, people: People, persons: PersonReader, access: Access
    ) -> None:
        self._records = records
        self._live = live
        self._people = people
        self._persons = persons
        self._access = access

    def sizes(self) -> Mapping[str, int]:
        """Members now, for each segment in force."""
        counted = select(membership.c.segment, func.count()).group_by(membership.c.segment)
        with self._records.read() as reader:
            counts: dict[str, int] = dict(reader.select(counted))
        return {segment.key: counts.get(segment.key, 0) for segment in self._live.all}

    def members(
        self, key: str, *, purpose: Purpose, viewer: Viewer, after: int = 0, limit: int = 100
    ) -> list[Member]:
        """Up to ``limit`` members with profile keys above ``after``, in their order.

        Raises ``NotFound`` if there is no such segment, ``NotAllowed`` if the
        viewer may not read for this purpose.
        """
        self._access(viewer, "read", purpose)
        self._segment(key)
        wanted = (
            select(membership.c.profile, membership.c.since)
            .where(membership.c.segment == key, membership.c.profile > after)
            .order_by(membership.c.profile)
            .limit(limit)
        )
        with self._records.read() as reader:
            since = {ProfileKey(profile): moment for profile, moment in reader.select(wanted)}
            described = self._people.describe(reader, list(since))
        return [
            Member(key, described[key].profile_id, tuple(described[key].identifiers), moment)
            for key, moment in since.items()
        ]

    def of_profile(self, reader: Reader, profile: ProfileKey) -> dict[str, Moment]:
        """The segments a profile is in, and since when."""
        return {row[1]: row[2] for row in reader.rows(membership, "profile", [profile])}

    def memberships(
        self, identifier: Identifier, *, purpose: Purpose, viewer: Viewer
    ) -> dict[str, Moment] | None:
        """The segments that whoever has a normalized identifier is in; None if nobody has it."""
        self._access(viewer, "read", purpose)
        with self._records.read() as reader:
            profile = self._people.find(reader, identifier)
            return None if profile is None else self.of_profile(reader, profile)

    def why(
        self, key: str, identifier: Identifier, *, at: Moment, purpose: Purpose, viewer: Viewer
    ) -> Why | None:
        """Why whoever has a normalized identifier is in a segment or not; None if nobody has it."""
        self._access(viewer, "read", purpose)
        segment = self._segment(key)
        with self._records.read() as reader:
            profile = self._people.find(reader, identifier)
            if profile is None:
                return None
            described = self._people.describe(reader, [profile])[profile]
            person = self._persons.person(reader, described.signatures)
            since = self.of_profile(reader, profile).get(key)
            reason = segment.rule.explain(person, at)
        types = frozenset(identifier.type for identifier in described.identifiers)
        return Why(described.profile_id, since is not None, since, at, segment.asks_for(types), reason)

    def _segment(self, key: str) -> LiveSegment:
        segment = self._live.get(key)
        if segment is None:
            keys = [one.key for one in self._live.all]
            raise NotFound(f"There is no segment {key}.", hint=did_you_mean(key, keys))
        return segment
