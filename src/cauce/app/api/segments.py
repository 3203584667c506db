"""`/api/v1/segments`: groups, who is in them, and why."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Response

from cauce.app.api.answers import Cursor, LimitQuery, NumberQuery, answer, documented, page_of
from cauce.app.api.callers import CallerKey, ReaderKey
from cauce.app.api.profiles import IdentifierDocument, IdentifierPath
from cauce.app.compose import Composition
from cauce.app.profile_view import nobody, read_identifier
from cauce.app.segment_view import DoubtsDocument, WhyDocument, describe_doubts, describe_why
from cauce.vocabulary.definitions import SegmentDef
from cauce.vocabulary.errors import InvalidInput, NotFound
from cauce.vocabulary.moment import Clock, parse_iso, to_iso
from cauce.vocabulary.nearest import did_you_mean

KeyPath = Annotated[str, Path(description="The segment's key.")]


class SegmentDocument(msgspec.Struct, frozen=True):
    """A segment as it is defined, and how many people are in it."""

    key: str
    name: str
    description: str
    owner: str
    rule: str
    anonymous: bool
    destinations: list[str]
    members: int


class SegmentsDocument(msgspec.Struct, frozen=True):
    """All segments, in the order of their keys."""

    data: list[SegmentDocument]


class MemberDocument(msgspec.Struct, frozen=True):
    """A person in a segment, and since when."""

    profile_id: str
    identifiers: list[IdentifierDocument]
    since: str


class MembersDocument(msgspec.Struct, frozen=True):
    """A page of members."""

    data: list[MemberDocument]
    cursor: Cursor


def segment_routes(composition: Composition, clock: Clock) -> APIRouter:
    """The routes, reading from a space; ``clock`` gives the moment of ``why``."""
    router = APIRouter(prefix="/segments", tags=["segments"])
    _route_segments(router, composition)
    _route_members(router, composition)
    _route_why(router, composition, clock)
    _route_doubts(router, composition, clock)
    return router


def _route_segments(router: APIRouter, composition: Composition) -> None:
    @router.get("", responses=documented(SegmentsDocument, "All segments."))
    def segments(_: ReaderKey) -> Response:
        """List the segments with the number of their members."""
        sizes = composition.segments.sizes()
        defined = composition.in_force.segments
        return answer(SegmentsDocument([_segment(one, sizes) for one in defined.values()]))

    @router.get("/{key}", responses=documented(SegmentDocument, "The segment."))
    def segment(_: ReaderKey, key: KeyPath) -> Response:
        """Read one segment."""
        defined = composition.in_force.segments
        if key not in defined:
            raise NotFound(f"There is no segment {key}.", hint=did_you_mean(key, defined))
        return answer(_segment(defined[key], composition.segments.sizes()))


def _route_members(router: APIRouter, composition: Composition) -> None:
    @router.get("/{key}/members", responses=documented(MembersDocument, "A page of members."))
    def members(
        caller: CallerKey,
        key: KeyPath,
        cursor: NumberQuery = 0,
        limit: LimitQuery = 100,
    ) -> Response:
        """List the people in a segment, page by page."""
        found = composition.segments.members(
            key, purpose=caller.purpose, viewer=caller.viewer, after=cursor, limit=limit + 1
        )
        page, onward = page_of(found, limit, lambda one: one.profile)
        people = [
            MemberDocument(
                one.profile_id, [IdentifierDocument(*known) for known in one.identifiers], to_iso(one.since)
            )
            for one in page
        ]
        return answer(MembersDocument(people, onward))


def _route_why(router: APIRouter, composition: Composition, clock: Clock) -> None:
    @router.get("/{key}/why/{identifier:path}", responses=documented(WhyDocument, "The reasons."))
    def why(
        caller: CallerKey,
        key: KeyPath,
        identifier: IdentifierPath,
        at: Annotated[str, Query(description="The moment, ISO 8601 with a zone; now if empty.")] = "",
    ) -> Response:
        """Say why a person is in a segment, or why not: each condition with its evidence."""
        known = read_identifier(composition, identifier)
        moment = parse_iso(at) if at else clock()
        if moment is None:
            raise InvalidInput("`at` names no moment.", hint="Write 2024-05-01T10:00:00Z or 2024-05-01.")
        found = composition.segments.why(key, known, at=moment, purpose=caller.purpose, viewer=caller.viewer)
        if found is None:
            raise nobody(known)
        return answer(describe_why(key, found))


def _route_doubts(router: APIRouter, composition: Composition, clock: Clock) -> None:
    @router.get("/{key}/doubts", responses=documented(DoubtsDocument, "The people in doubt."))
    def doubts(caller: CallerKey, key: KeyPath) -> Response:
        """List the people of whom it is unknown whether a segment's rule holds."""
        found = composition.segments.doubtful(key, at=clock(), purpose=caller.purpose, viewer=caller.viewer)
        return answer(describe_doubts(key, found))


def _segment(one: SegmentDef, sizes: Any) -> SegmentDocument:
    return SegmentDocument(
        key=one.key,
        name=one.name or one.key,
        description=one.description,
        owner=one.owner,
        rule=one.rule,
        anonymous=one.anonymous,
        destinations=list(one.destinations),
        members=sizes.get(one.key, 0),
    )
