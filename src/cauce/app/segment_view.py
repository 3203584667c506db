"""Why somebody is in a segment, as programs read it; times in ISO 8601, UTC."""

import msgspec

from cauce.segment.service import Answer, Doubtful, Why
from cauce.vocabulary.language import Reason
from cauce.vocabulary.moment import iso_or_none, to_iso


class ConditionDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A condition of the rule: whether it holds, until when at least, by which events.

    ``approximate``: events or values that might count are no longer kept.
    """

    text: str
    holds: bool
    until: str | None
    evidence: str
    message_ids: list[str]
    reasons: list["ConditionDocument"]
    approximate: bool


class WhyDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Why a person is in a segment or not.

    ``member`` and ``since`` are what is stored; ``reason`` is the rule evaluated
    ``at`` a moment. ``asked_for``: whether the segment asks for people with the
    kinds of identifiers that she has. ``answer`` is yes, no, or unknown if somebody who
    may be the same person would change it: ``candidates`` are their profile ids, null if
    the space has no candidates, so that nobody can be unknown.
    """

    profile_id: str
    segment: str
    member: bool
    since: str | None
    at: str
    asked_for: bool
    reason: ConditionDocument
    answer: Answer
    candidates: list[str] | None


class DoubtfulDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of whom it is unknown whether a segment's rule holds.

    ``holds`` is what the rule says of her alone; ``candidates`` are the profile ids of
    those who may be the same person and would change that.
    """

    profile_id: str
    identifiers: list[dict[str, str]]
    holds: bool
    candidates: list[str]


class DoubtsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Of how many people it is unknown whether they are in a segment, and who they are.

    ``unknown`` is null if nobody looked for candidates. ``among_members`` are those for
    whom the rule holds as far as is known.
    """

    segment: str
    unknown: int | None
    among_members: int
    data: list[DoubtfulDocument]


def describe_doubts(segment: str, found: list[Doubtful] | None) -> DoubtsDocument:
    """The people in doubt of the segment of this key."""
    people = found or []
    return DoubtsDocument(
        segment=segment,
        unknown=None if found is None else len(found),
        among_members=sum(one.holds for one in people),
        data=[
            DoubtfulDocument(
                profile_id=one.profile_id,
                identifiers=[identifier._asdict() for identifier in one.identifiers],
                holds=one.holds,
                candidates=list(one.candidates),
            )
            for one in people
        ],
    )


def describe_why(segment: str, found: Why) -> WhyDocument:
    """The reasons why somebody is in the segment of this key, or not."""
    return WhyDocument(
        profile_id=found.profile_id,
        segment=segment,
        member=found.member,
        since=iso_or_none(found.since),
        at=to_iso(found.at),
        asked_for=found.asked_for,
        reason=_condition(found.reason),
        answer=found.answer,
        candidates=None if found.candidates is None else list(found.candidates),
    )


def _condition(reason: Reason) -> ConditionDocument:
    return ConditionDocument(
        text=reason.text,
        holds=reason.holds,
        until=iso_or_none(reason.until),
        evidence=reason.evidence,
        message_ids=list(reason.message_ids),
        reasons=[_condition(part) for part in reason.reasons],
        approximate=reason.approximate,
    )
