"""Groups: companies and households by their groupId, what is known of them, and who belongs to them.

A group has a golden record under the same survivorship as people. Who belongs to
it follows from events: a group call, or any event whose context names the group.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import func, select

from cauce.profile.fragment import Fragment, decode
from cauce.profile.golden import GoldenValue, TraitReason, golden_record, reasons
from cauce.profile.needs import People
from cauce.profile.records import group_fragment, group_member
from cauce.profile.survivorship import Survivorship
from cauce.storage.records import Reader, Records
from cauce.vocabulary.access import Access, Purpose, Viewer
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.profile import ProfileKey


class GroupMembership(msgspec.Struct, frozen=True, kw_only=True):
    """That a person belongs to a group: since the first event that said so, µs; and the group's traits."""

    since: int
    traits: dict[str, GoldenValue]


class GroupMember(NamedTuple):
    """A person who belongs to a group, and since when."""

    profile_id: str
    identifiers: tuple[Identifier, ...]
    since: Moment


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The golden record of a group and the first of its members; ``why`` is filled when asked for."""

    group_id: str
    traits: dict[str, GoldenValue]
    members: list[GroupMember]
    more_members: bool
    why: dict[str, TraitReason] | None = None


class Groups:
    """Golden records of groups, under the survivorship rule of each trait."""

    def __init__(
        self,
        records: Records,
        people: People,
        rules: Mapping[str, Survivorship],
        access: Access,
    ) -> None:
        self._records = records
        self._people = people
        self._rules = rules
        self._access = access

    def read(
        self, group_id: str, *, purpose: Purpose, viewer: Viewer, why: bool = False, limit: int = 100
    ) -> Group | None:
        """The golden record of a group with up to ``limit`` members; None if no event named it.

        Raises ``NotAllowed`` if the viewer may not read for this purpose.
        """
        self._access(viewer, "read", purpose)
        with self._records.read() as reader:
            fragments = _fragments(reader, [group_id]).get(group_id, [])
            since = self._members(reader, group_id)
            if not fragments and not since:
                return None
            first = sorted(since)[:limit]
            described = self._people.describe(reader, first)
        return Group(
            group_id=group_id,
            traits=golden_record(fragments, self._rules),
            members=[
                GroupMember(one.profile_id, tuple(one.identifiers), since[key])
                for key, one in described.items()
            ],
            more_members=len(since) > limit,
            why=reasons(fragments, self._rules) if why else None,
        )

    def ids(self, *, purpose: Purpose, viewer: Viewer, after: str = "", limit: int = 100) -> list[str]:
        """Up to ``limit`` group ids above ``after``, in order."""
        self._access(viewer, "read", purpose)
        known = select(group_fragment.c.group_id).union(select(group_member.c.group_id)).subquery()
        wanted = select(known.c.group_id).where(known.c.group_id > after).order_by(known.c.group_id)
        with self._records.read() as reader:
            return [row[0] for row in reader.select(wanted.limit(limit))]

    def count(self) -> int:
        """How many groups events have told traits of."""
        with self._records.read() as reader:
            return int(reader.select(select(func.count()).select_from(group_fragment))[0][0])

    def _members(self, reader: Reader, group_id: str) -> dict[ProfileKey, Moment]:
        """The profiles that belong to a group, each since its earliest event that says so."""
        told: dict[int, int] = {row[0]: row[2] for row in reader.rows(group_member, "group_id", [group_id])}
        owners = self._people.owners(reader, sorted(told))
        since: dict[ProfileKey, Moment] = {}
        for signature, profile in owners.items():
            time = Moment(told[signature])
            since[profile] = min(time, since.get(profile, time))
        return since


def memberships(
    reader: Reader, signatures: Sequence[int], rules: Mapping[str, Survivorship]
) -> dict[str, GroupMembership]:
    """The groups that a person with these signatures belongs to, by id, with their traits."""
    since: dict[str, int] = {}
    for _, group, time in reader.rows(group_member, "signature", signatures):
        since[group] = min(time, since.get(group, time))
    fragments = _fragments(reader, sorted(since))
    return {
        group: GroupMembership(since=since[group], traits=golden_record(fragments.get(group, []), rules))
        for group in sorted(since)
    }


def _fragments(reader: Reader, groups: Iterable[str]) -> dict[str, list[Fragment]]:
    """The fragment of each group that has one, in a list as people's fragments are."""
    return {group: [decode(text)] for group, text in reader.rows(group_fragment, "group_id", groups)}
