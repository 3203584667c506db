"""`/api/v1/identity`: why two identifiers are one person's, and who moved from whom to whom."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response

from cauce.app.api.answers import Cursor, LimitQuery, NumberQuery, answer, documented, page_of
from cauce.app.api.callers import CallerKey
from cauce.app.api.moments import AsOfQuery, moment_of
from cauce.app.compose import Composition
from cauce.app.identity_moves import Move, read_moves
from cauce.app.identity_why import as_json, view_why

IdentifierQuery = Annotated[
    str, Query(description="An identifier `TYPE:VALUE`.", examples=["email:ann@example.org"])
]


class WhyDocument(msgspec.Struct, frozen=True):
    """Whether two identifiers are one person's, and why.

    ``verdict``: `one_person`, `two_people`, `nobody` or `unknown`. ``chain``: the links from one to
    the other. ``obstacles``: links that do not hold, the best first, each with its reason and the
    link that was kept instead. ``changes``: what would make them one; ``works`` is null where that
    was not tried. Sentences have a ``message`` key, its ``values``, and an English ``text``.
    """

    view: str
    one: str
    other: str
    as_of: str | None
    verdict: str
    profile_ids: list[str | None]
    said: dict[str, Any]
    chain: list[dict[str, Any]]
    obstacles: list[dict[str, Any]]
    changes: list[dict[str, Any]]


class MoveDocument(msgspec.Struct, frozen=True):
    """An identifier came to a profile. All rows of one ``position`` belong together.

    ``former_profile_id`` is null for an identifier that was in no profile, ``profile_id`` for
    one that is in none any more, and ``identifier`` where the definitions know it no more.
    """

    sequence: int
    view: str
    identifier: str | None
    former_profile_id: str | None
    profile_id: str | None
    position: int


class MovesDocument(msgspec.Struct, frozen=True):
    """A page of moves, in their order."""

    data: list[MoveDocument]
    cursor: Cursor


def identity_routes(composition: Composition) -> APIRouter:
    """The routes, reading from a space."""
    router = APIRouter(prefix="/identity", tags=["identity"])

    @router.get("/why", responses=documented(WhyDocument, "The answer with its evidence."))
    def why(
        caller: CallerKey,
        one: IdentifierQuery,
        other: IdentifierQuery,
        as_of: AsOfQuery = None,
        events: Annotated[bool, Query(description="Also look up the events of each link.")] = True,
    ) -> Response:
        """Say why two identifiers are one person's or two people's, and what would change that."""
        found = view_why(
            composition,
            one,
            other,
            purpose=caller.purpose,
            viewer=caller.viewer,
            at=moment_of(as_of),
            events=events,
        )
        return answer(as_json(found))

    @router.get("/moves", responses=documented(MovesDocument, "A page of moves."))
    def moves(caller: CallerKey, cursor: NumberQuery = 0, limit: LimitQuery = 100) -> Response:
        """List which identifiers moved between profiles, from any sequence number on."""
        found = read_moves(
            composition, after=cursor, limit=limit + 1, purpose=caller.purpose, viewer=caller.viewer
        )
        page, onward = page_of(found, limit, lambda one: one.sequence)
        return answer(MovesDocument([_move(one) for one in page], onward))

    return router


def _move(one: Move) -> MoveDocument:
    return MoveDocument(
        sequence=one.sequence,
        view=one.view,
        identifier=None if one.identifier is None else str(one.identifier),
        former_profile_id=one.former,
        profile_id=one.present,
        position=one.position,
    )
