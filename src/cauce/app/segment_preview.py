"""What a rule would mean before it is applied: how many, who, and how that differs from today."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import select

from cauce.app.compose import Composition
from cauce.app.preview import Bulk, Effort
from cauce.govern.access import Scope
from cauce.segment.live import LiveSegment
from cauce.segment.records import membership
from cauce.storage.records import Reader
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.errors import NotFound
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.language import parse
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.nearest import did_you_mean
from cauce.vocabulary.profile import ProfileKey


class Named(NamedTuple):
    """A person of a preview."""

    profile_id: str
    identifiers: tuple[Identifier, ...]


class Previewed(NamedTuple):
    """The people for whom a rule holds at a moment.

    ``entering`` and ``leaving`` compare them with the members of the segment
    as it is; they are None for a rule that is no segment's. ``sample`` names the
    first of them, ``effort`` says what was read.
    """

    at: Moment
    members: int
    entering: int | None
    leaving: int | None
    sample: list[Named]
    effort: Effort


def wanted_segment(composition: Composition, key: str, rule: str, *, anonymous: bool) -> LiveSegment:
    """The segment of a key with its rule, or with another ``rule`` to try instead.

    Raises ``NotFound`` if there is no such segment, ``RuleError`` if the rule is wrong.
    """
    live = composition.live.get(key) if key else None
    if key and live is None:
        keys = [one.key for one in composition.live.all]
        raise NotFound(f"There is no segment {key}.", hint=did_you_mean(key, keys))
    if not rule and live is not None:
        return live
    parsed = parse(rule, composition.profiles.expressions)
    return LiveSegment(key, parsed, live.anonymous if live else anonymous)


def preview_segment(
    composition: Composition,
    segment: LiveSegment,
    at: Moment,
    *,
    purpose: Purpose,
    viewer: Viewer,
    limit: int,
) -> Previewed:
    """Evaluate a segment in bulk over the log, as far as it is folded; nothing is applied.

    Raises ``NotAllowed`` if the viewer may not read for this purpose.
    """
    composition.access.require(viewer, Scope.READ, purpose)
    with composition.state.read() as reader:
        would, effort = bulk_of(composition).explained(reader, segment, at)
        now = _members(reader, segment.key) if composition.live.get(segment.key) else None
        sample = _named(composition, reader, would[:limit])
    return Previewed(
        at=at,
        members=len(would),
        entering=None if now is None else len(set(would) - now),
        leaving=None if now is None else len(now - set(would)),
        sample=sample,
        effort=effort,
    )


def bulk_of(composition: Composition) -> Bulk:
    """The bulk path; not part of the composition, as long-lived processes need no DuckDB."""
    return Bulk(
        composition.log,
        composition.identity,
        composition.profiles,
        composition.normalization,
        composition.space.scratch,
    )


def _members(reader: Reader, key: str) -> set[ProfileKey]:
    wanted = select(membership.c.profile).where(membership.c.segment == key)
    return {ProfileKey(row[0]) for row in reader.select(wanted)}


def _named(composition: Composition, reader: Reader, profiles: Iterable[ProfileKey]) -> list[Named]:
    described = composition.identity.describe(reader, list(profiles))
    return [Named(one.profile_id, tuple(one.identifiers)) for one in described.values()]
