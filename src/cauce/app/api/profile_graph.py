"""`/api/v1/profiles/…/graph` and `…/external_ids`: why somebody is one person, and what she is known by."""

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Query, Response

from cauce.app.api.answers import NumberQuery, answer, documented
from cauce.app.api.callers import CallerKey
from cauce.app.api.moments import AsOfQuery, moment_of
from cauce.app.api.profiles import IdentifierPath
from cauce.app.compose import Composition
from cauce.app.profile_graph import (
    ExternalIds,
    external_id_as_json,
    graph_as_json,
    view_external_ids,
    view_graph,
)


class GraphDocument(msgspec.Struct, frozen=True):
    """A person's identifiers and links, for pictures.

    ``standing`` of an identifier: `anchor`, `member`, `shared`, `other_person` or `nobody`.
    ``held``: the link makes one person; ``joining``: it was the one that did. ``reason``
    says why a link does not hold. ``links_left_out``: so many more there are.
    """

    profile_id: str
    identifiers: list[dict[str, Any]]
    links: list[dict[str, Any]]
    links_left_out: int


class ExternalIdDocument(msgspec.Struct, frozen=True):
    """An identifier, and which source told it first, when and in which event."""

    source_id: str
    collection: str
    id: str
    type: str
    created_at: str
    encoding: str
    first_message_id: str | None


class ExternalIdsDocument(msgspec.Struct, frozen=True):
    """A page of identifiers; ask again with ``next`` of the cursor."""

    data: list[ExternalIdDocument]
    cursor: dict[str, Any]


def profile_graph_routes(composition: Composition) -> APIRouter:
    """The routes, reading from a space; to be tried before that of whole profiles."""
    router = APIRouter(prefix="/profiles", tags=["profiles"])

    @router.get("/{identifier:path}/graph", responses=documented(GraphDocument, "The graph of the person."))
    def graph(caller: CallerKey, identifier: IdentifierPath, as_of: AsOfQuery = None) -> Response:
        """Read why somebody is one person: her identifiers, their links, and those that do not hold."""
        purpose, viewer = caller.purpose, caller.viewer
        at = moment_of(as_of)
        return answer(
            graph_as_json(view_graph(composition, identifier, purpose=purpose, viewer=viewer, at=at))
        )

    @router.get(
        "/{identifier:path}/external_ids",
        responses=documented(ExternalIdsDocument, "A page of identifiers, strongest first."),
    )
    def external_ids(
        caller: CallerKey,
        identifier: IdentifierPath,
        include: Annotated[str, Query(description="Only these types, separated by commas.")] = "",
        limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 25,
        next: NumberQuery = 0,
    ) -> Response:
        """List somebody's identifiers in the shape of Segment's Profile API."""
        found = view_external_ids(
            composition,
            identifier,
            types=frozenset(one.strip() for one in include.split(",") if one.strip()),
            after=next,
            limit=limit,
            purpose=caller.purpose,
            viewer=caller.viewer,
        )
        return answer(_external_ids(identifier, found, next, limit))

    return router


def _external_ids(identifier: str, found: ExternalIds, after: int, limit: int) -> dict[str, Any]:
    onward = str(after + limit) if found.more else ""
    path = f"/api/v1/profiles/{quote(identifier, safe=':')}/external_ids"
    cursor = {"url": path, "has_more": found.more, "next": onward, "limit": limit}
    return {"data": [external_id_as_json(*one) for one in found.page], "cursor": cursor}
