"""Callers: who asks the API, by the key that the request carries, and for which purpose."""

from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from cauce.app.api.problems import NotSignedIn
from cauce.govern.access import Scope
from cauce.govern.keys import KeyRing
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.errors import NotAllowed

_BEARER = HTTPBearer(auto_error=False, description="An API key, made with `cauce key create api NAME`.")


class Caller(NamedTuple):
    """Who reads personal data, and for what."""

    viewer: Viewer
    purpose: Purpose


async def _viewer(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> Viewer:
    keys: KeyRing = request.app.state.keys
    viewer = keys.viewer(credentials.credentials) if credentials else None
    if viewer is None:
        raise NotSignedIn(
            "The API key is missing or unknown.",
            hint="Send `Authorization: Bearer KEY` with a key from `cauce key create api NAME`.",
        )
    return viewer


async def _reader(viewer: Annotated[Viewer, Depends(_viewer)]) -> Viewer:
    if Scope.READ not in viewer.scopes:
        raise NotAllowed(
            f"{viewer.name} lacks the scope {Scope.READ}.",
            hint="Use a key that has it: `cauce key create api NAME --scope read`.",
        )
    return viewer


async def _caller(
    viewer: Annotated[Viewer, Depends(_viewer)],
    purpose: Annotated[
        str, Query(description="The purpose for which personal data is read; declared in `cauce.yaml`.")
    ],
) -> Caller:
    return Caller(viewer, Purpose(purpose))


ReaderKey = Annotated[Viewer, Depends(_reader)]
"""A parameter of routes that read no personal data: any key that may read."""

CallerKey = Annotated[Caller, Depends(_caller)]
"""A parameter of routes that read personal data: the services check scope and purpose."""
