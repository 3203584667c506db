"""`/api/v1/segments`: groups, who is in them, and why."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Response

from cauce.app.api.answers import Cursor, answer, documented
from cauce.app.api.callers import CallerKey, ReaderKey
from cauce.app.api.profiles import IdentifierDocument, IdentifierPath
from cauce.app.compose import Composition
from cauce.app.profile_view import nobody, read_identifier
from cauce.vocabulary.definitions import SegmentDef
from cauce.vocabulary.errors import InvalidInput, NotFound
from cauce.vocabulary.language import Reason
from cauce.vocabulary.moment import Clock, parse_iso, to_iso
from cauce.vocabulary.nearest import did_you_mean

KeyPath = Annotated[str, Path(description="The segment's key.")]
LimitQuery = Annotated[int, Query(ge=1, le=1_000, description="How many at most.")]


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


class ConditionDocument(msgspec.Struct, frozen=True):
    """A condition of the rule: whether it holds, until when at least, by which events.

    ``approximate``: events or values that might count are no longer kept.
    """

    text: str
    holds: bool
    until: str | None
    evidence: str
    message_ids: list[str]
    reasons: list["ConditionDocument"]
    approximate: bool = False


class WhyDocument(msgspec.Struct, frozen=True):
    """Why a person is in a segment or not.

    ``member`` and ``since`` are what is stored; ``reason`` is the rule evaluated
    ``at`` a moment. ``asked_for``: whether the segment asks for people with the
    kinds of identifiers that she has.
    """

    profile_id: str
    segment: str
    member: bool
    since: str | None
    at: str
    asked_for: bool
    reason: ConditionDocument


def segment_routes(composition: Composition, clock: Clock) -> APIRouter:
    """The routes, reading from a space; ``clock`` gives the moment of ``why``."""
    router = APIRouter(prefix="/segments", tags=["segments"])
    _route_segments(router, composition)
    _route_members(router, composition)
    _route_why(router, composition, clock)
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
        cursor: Annotated[str, Query(description="`cursor.next` of the page before.")] = "0",
        limit: LimitQuery = 100,
    ) -> Response:
        """List the people in a segment, page by page."""
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
            raise InvalidInput("The cursor is none of this list.", hint="Use `cursor.next` of a page of it.")
        found = composition.segments.members(
            key, purpose=caller.purpose, viewer=caller.viewer, after=int(cursor), limit=limit + 1
        )
        page, more = found[:limit], len(found) > limit
        people = [
            MemberDocument(
                one.profile_id, [IdentifierDocument(*known) for known in one.identifiers], to_iso(one.since)
            )
            for one in page
        ]
        onward = str(page[-1].profile) if more else None
        return answer(MembersDocument(people, Cursor(next=onward, has_more=more, limit=limit)))


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
        since = None if found.since is None else to_iso(found.since)
        reason = _condition(found.reason)
        return answer(
            WhyDocument(found.profile_id, key, found.member, since, to_iso(found.at), found.asked_for, reason)
        )


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


def _condition(reason: Reason) -> ConditionDocument:
    return ConditionDocument(
        text=reason.text,
        holds=reason.holds,
        until=None if reason.until is None else to_iso(reason.until),
        evidence=reason.evidence,
        message_ids=list(reason.message_ids),
        reasons=[_condition(part) for part in reason.reasons],
        approximate=reason.approximate,
    )
