"""The collector: the HTTP tracking API as a plain ASGI application.

No framework stands on the hot path: a request is read, decided about by the
door (``cauce.collect.service``), and answered once the log has it on disk.
"""

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

from cauce.collect.answers import (
    NO_KEY,
    NO_SUCH_PATH,
    NOT_READY,
    POST_ONLY,
    SUCCESS,
    TEXT,
    TOO_MANY,
    UNAVAILABLE,
    Answer,
    Message,
    answer,
    preflight,
    refused,
    try_later,
)
from cauce.collect.call import DISCARDED, ROUTES
from cauce.collect.committer import Committer
from cauce.collect.counters import Counters
from cauce.collect.judge import IdFactory
from cauce.collect.needs import WriteKeys
from cauce.collect.service import OK, UNKNOWN_KEY, Decision, Door, Request
from cauce.collect.settings import CollectSettings
from cauce.eventlog.port import EventLog
from cauce.vocabulary.errors import CauceError, Transient
from cauce.vocabulary.event import Call
from cauce.vocabulary.moment import Clock, Moment

Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_STRICT = b"x-strict"
_GARBAGE_THRESHOLD = 50_000
"""Decoded events die at once; looking for cycles among them is wasted."""

_SWITCH_SECONDS = 0.0005
"""How long the thread that has committed waits for its turn: answers wait for it."""


class _Gone(Exception):
    """The client went away before it had sent its body."""


class Collector:
    """The ASGI application. The log must allow ``begin_append`` on the event loop's thread."""

    def __init__(
        self, log: EventLog, keys: WriteKeys, limits: CollectSettings, *, clock: Clock, new_id: IdFactory
    ) -> None:
        self._log = log
        self._limits = limits
        self._clock = clock
        self._door = Door(keys, limits, new_id)
        self.counters = Counters()
        self._committer: Committer | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's life."""
        if scope["type"] == "http":
            try:
                reply = await self._answer(scope, receive)
            except _Gone:
                return
            self.counters.requests[reply.status] += 1
            await send(reply.start)
            await send(reply.body)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._committer = Committer(self._log, self._clock, self._limits, self.counters)
        await asyncio.to_thread(self._log.catch_up)
        keeping_up = asyncio.create_task(self._committer.keep_up())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        keeping_up.cancel()
        with suppress(asyncio.CancelledError):
            await keeping_up
        await self._committer.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Message, receive: Receive) -> Answer:
        path = scope["path"]
        if path in ROUTES and scope["method"] == "POST":
            return await self._collect(ROUTES[path], dict(scope["headers"]), receive)
        return self._other(path, scope)

    async def _collect(self, call: Call | None, headers: dict[bytes, bytes], receive: Receive) -> Answer:
        """Read the request, decide, keep. Raises ``_Gone`` if the client went away meanwhile."""
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body, whole = message.get("body", b""), True
        if message.get("more_body"):
            body, whole = await _read(receive, body, self._limits.max_batch_bytes)
        authorization = headers.get(b"authorization", b"")
        received = self._clock()
        try:
            if whole:
                content_type = headers.get(b"content-type", b"")
                decision = self._door.decide(Request(call, authorization, content_type, body, received))
            else:
                decision = self._door.refuse_unread(authorization, body)
        except CauceError as error:  # the keys cannot be read
            return try_later(UNAVAILABLE, error)
        return await self._keep(decision, headers, len(body), received)

    def _other(self, path: str, scope: Message) -> Answer:
        method = scope["method"]
        if path in ROUTES or path in DISCARDED:
            if method == "OPTIONS":
                return preflight(dict(scope["headers"]))
            return SUCCESS if method == "POST" else POST_ONLY
        if method in ("GET", "HEAD"):
            if path == "/health":
                return answer(OK, {"status": "ok"})
            if path == "/ready":
                return self._ready()
            if path == "/metrics":
                waiting = self._committer.load.events if self._committer else 0
                return answer(OK, self.counters.text(waiting).encode(), TEXT)
        return NO_SUCH_PATH

    async def _keep(
        self, decision: Decision, headers: dict[bytes, bytes], size: int, received: Moment
    ) -> Answer:
        """The answer to a decision, once all of it is durable."""
        if decision is UNKNOWN_KEY:
            return NO_KEY
        if decision.events or decision.refused:
            assert self._committer is not None, "the server serves before it has started"
            try:
                done = self._committer.submit(decision.events, decision.refused, size, received)
            except Transient as busy:
                return try_later(TOO_MANY, busy)
            try:
                await done
            except CauceError as error:
                return try_later(UNAVAILABLE, error)
        if decision.status == OK and not (decision.faults and _STRICT in headers):
            return SUCCESS
        return refused(decision, strict=_STRICT in headers)

    def _ready(self) -> Answer:
        committer = self._committer
        if committer is None or committer.failing:
            return NOT_READY
        return answer(OK, {"status": "ready"})


async def _read(receive: Receive, beginning: bytes, limit: int) -> tuple[bytes, bool]:
    """The rest of a body behind its ``beginning``, and whether it is whole: not beyond ``limit`` bytes."""
    parts, size = [beginning], len(beginning)
    while size <= limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if not message.get("more_body"):
            return b"".join(parts), True
    return b"".join(parts), False


def tune_process() -> None:
    """Settings of the interpreter for the collector's process; call it before serving."""
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD)
    sys.setswitchinterval(_SWITCH_SECONDS)
