"""`/api/v1/groups`: companies, accounts and households by their id."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Response

from cauce.app.api.answers import LimitQuery, answer, documented
from cauce.app.api.callers import CallerKey
from cauce.app.api.profiles import ReasonDocument, ValueDocument
from cauce.app.api.segments import MemberDocument
from cauce.app.compose import Composition
from cauce.app.group_view import as_json, view_group


class GroupDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """The golden record of a group and the first of its members; ``why`` only if asked for."""

    group_id: str
    traits: dict[str, ValueDocument]
    members: list[MemberDocument]
    more_members: bool
    why: dict[str, ReasonDocument] = {}


class GroupIdsDocument(msgspec.Struct, frozen=True):
    """A page of group ids, in order."""

    data: list[str]


def group_routes(composition: Composition) -> APIRouter:
    """The routes, reading from a space."""
    router = APIRouter(prefix="/groups", tags=["groups"])

    @router.get("", responses=documented(GroupIdsDocument, "A page of group ids."))
    def groups(
        caller: CallerKey,
        after: Annotated[str, Query(description="Go on after this group id.")] = "",
        limit: LimitQuery = 100,
    ) -> Response:
        """List the ids of the groups that events name."""
        found = composition.groups.ids(purpose=caller.purpose, viewer=caller.viewer, after=after, limit=limit)
        return answer(GroupIdsDocument(found))

    @router.get("/{group_id:path}", responses=documented(GroupDocument, "The group."))
    def group(
        caller: CallerKey,
        group_id: Annotated[str, Path(description="The groupId that events carry, percent-encoded.")],
        why: Annotated[bool, Query(description="Also say which values lost, and why.")] = False,
        limit: LimitQuery = 100,
    ) -> Response:
        """Read the golden record of a group and the first of its members."""
        found = view_group(
            composition, group_id, purpose=caller.purpose, viewer=caller.viewer, why=why, limit=limit
        )
        return answer(as_json(found))

    return router
