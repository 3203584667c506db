"""The API under whatever definitions are in force: another application takes over when they change.

Each request is answered under one version from its beginning to its end.
"""

import logging
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from cauce.app.api import create_api
from cauce.app.api.counting import Requests
from cauce.app.compose import Composition
from cauce.app.pipeline import VERSION
from cauce.govern.keys import KeyRing
from cauce.vocabulary.errors import CauceError
from cauce.vocabulary.moment import Clock

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1


class FollowingApi:
    """An ASGI application over one space. Lives on the event loop's thread."""

    def __init__(
        self, composition: Composition, keys: KeyRing, clock: Clock, monotonic: Callable[[], float]
    ) -> None:
        self._composition = composition
        self._keys = keys
        self._clock = clock
        self._monotonic = monotonic
        self._requests = Requests()
        self._versions = self._stored()
        self._app = self._made(composition)
        self._asked = monotonic()

    def _made(self, composition: Composition) -> ASGIApp:
        return create_api(composition, self._keys, self._clock, self._requests)

    def _stored(self) -> tuple[int, int]:
        """The version that is applied, and the one that the state was made with."""
        with self._composition.state.read() as reader:
            return self._composition.versions.latest(), reader.progress(VERSION)

    def _follow(self) -> None:
        """Let another application answer if another version is applied or in force."""
        now = self._monotonic()
        if now - self._asked < _LOOK_SECONDS:
            return
        self._asked = now
        try:
            stored = self._stored()
            if stored == self._versions:
                return
            composition = self._composition.renewed()
            self._app = self._made(composition)
        except CauceError as refusal:  # the one before goes on answering
            logger.error("the definitions cannot be followed: %s", refusal)
            return
        self._versions, self._composition = stored, composition

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's life."""
        if scope["type"] == "http":
            self._follow()
        await self._app(scope, receive, send)
