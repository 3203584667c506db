"""`/api/v1/profiles`: a person by any of her identifiers."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Response

from cauce.app.api.answers import answer, documented
from cauce.app.api.callers import CallerKey
from cauce.app.compose import Composition
from cauce.app.profile_view import as_json, view_profile

IdentifierPath = Annotated[
    str, Path(description="`TYPE:VALUE`, percent-encoded.", examples=["email:ann@example.org"])
]


class IdentifierDocument(msgspec.Struct, frozen=True):
    """A value by which some system knows the person."""

    type: str
    value: str


class ValueDocument(msgspec.Struct, frozen=True):
    """A value, and which source said it when in which event."""

    value: Any
    source: str
    time: str
    received: str
    message_id: str


class ReasonDocument(msgspec.Struct, frozen=True):
    """The rule that decided on a trait, and the values that lost."""

    rule: str
    lost: list[ValueDocument]


class ProfileDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """A golden record; ``why`` and ``links`` only if asked for. ``segments``: key → since when."""

    profile_id: str
    identifiers: list[IdentifierDocument]
    traits: dict[str, ValueDocument]
    segments: dict[str, str]
    why: dict[str, ReasonDocument] = {}
    links: list[dict[str, Any]] = []


def profile_routes(composition: Composition) -> APIRouter:
    """The routes, reading from a space."""
    router = APIRouter(prefix="/profiles", tags=["profiles"])

    @router.get(
        "/{identifier:path}", responses=documented(ProfileDocument, "The golden record of the person.")
    )
    async def profile(
        caller: CallerKey,
        identifier: IdentifierPath,
        why: Annotated[bool, Query(description="Also say which values lost, and why.")] = False,
    ) -> Response:
        """Read the golden record of whoever has an identifier.

        On the event loop: two or three look-ups by key, which cost less than a thread.
        """
        view = view_profile(composition, identifier, purpose=caller.purpose, viewer=caller.viewer, why=why)
        return answer(as_json(view))

    return router
