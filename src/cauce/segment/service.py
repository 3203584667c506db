"""The door to segments: who is in, and why."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import func, select

from cauce.segment.live import LiveSegment, LiveSegments
from cauce.segment.needs import Doubts, People, PersonReader
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


class Answer(StrEnum):
    """Whether a rule holds for a person: unknown if a candidate of hers would change it (rule 28)."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Why(NamedTuple):
    """Why a person is, or is not, in a segment at a moment.

    ``candidates`` are the public ids of those who may be the same person and would, together
    with her, change the answer; None if nobody looks for candidates.
    """

    profile_id: str
    member: bool
    since: Moment | None
    at: Moment
    asked_for: bool
    """Whether the segment asks for people with the kinds of identifiers that she has."""
    reason: Reason
    answer: Answer
    candidates: tuple[str, ...] | None


class Doubtful(NamedTuple):
    """Somebody of whom it is unknown whether a rule holds.

    ``holds`` is what the rule says of her alone; ``candidates`` are the public ids of
    those who may be the same person and would change that.
    """

    profile_id: str
    identifiers: tuple[Identifier, ...]
    holds: bool
    candidates: tuple[str, ...]


class Segments:
    """Reads memberships of one identity view."""

    def __init__(
        self,
        records: Records,
        live: LiveSegments,
        people: People,
        persons: PersonReader,
        access: Access,
        doubts: Doubts | None = None,
    ) -> None:
        self._records = records
        self._live = live
        self._people = people
        self._persons = persons
        self._access = access
        self._doubts = doubts

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
            doubted = self._doubted(reader, segment, profile, reason.holds, at)
        types = frozenset(identifier.type for identifier in described.identifiers)
        sure = Answer.YES if reason.holds else Answer.NO
        return Why(
            profile_id=described.profile_id,
            member=since is not None,
            since=since,
            at=at,
            asked_for=segment.asks_for(types),
            reason=reason,
            answer=Answer.UNKNOWN if doubted else sure,
            candidates=doubted,
        )

    def doubtful(self, key: str, *, at: Moment, purpose: Purpose, viewer: Viewer) -> list[Doubtful] | None:
        """Everybody of whom it is unknown whether a rule holds; None if nobody looked for candidates.

        Those whom the segment does not ask for are left out. Raises like ``members``.
        """
        self._access(viewer, "read", purpose)
        segment = self._segment(key)
        with self._records.read() as reader:
            profiles = None if self._doubts is None else self._doubts.everybody(reader)
            if profiles is None:
                return None
            found = (self._doubt_of(reader, segment, profile, at) for profile in profiles)
            return [one for one in found if one is not None]

    def _doubt_of(
        self, reader: Reader, segment: LiveSegment, profile: ProfileKey, at: Moment
    ) -> Doubtful | None:
        described = self._people.describe(reader, [profile])[profile]
        identifiers = tuple(described.identifiers)
        if not segment.asks_for(frozenset(one.type for one in identifiers)):
            return None
        holds = segment.rule.explain(self._persons.person(reader, described.signatures), at).holds
        candidates = self._doubted(reader, segment, profile, holds, at)
        return Doubtful(described.profile_id, identifiers, holds, candidates) if candidates else None

    def _doubted(
        self, reader: Reader, segment: LiveSegment, profile: ProfileKey, holds: bool, at: Moment
    ) -> tuple[str, ...] | None:
        """The candidates of a person for whom, taken together with her, the rule comes out otherwise."""
        candidates = None if self._doubts is None else self._doubts.candidates(reader, profile)
        if candidates is None:
            return None
        found = []
        described = self._people.describe(reader, [profile, *candidates])
        for other in candidates:
            together = sorted({*described[profile].signatures, *described[other].signatures})
            if segment.rule.explain(self._persons.person(reader, together), at).holds is not holds:
                found.append(described[other].profile_id)
        return tuple(found)

    def _segment(self, key: str) -> LiveSegment:
        segment = self._live.get(key)
        if segment is None:
            keys = [one.key for one in self._live.all]
            raise NotFound(f"There is no segment {key}.", hint=did_you_mean(key, keys))
        return segment
