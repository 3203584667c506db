"""The collector: the HTTP tracking API as a plain ASGI application.

No framework stands on the hot path: a request is read, decided about by the
door (``cauce.collect.service``), and answered once the log has it on disk.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from time import perf_counter

from cauce.app.intake import Intake
from cauce.collect.answers import (
    GET_ONLY,
    NO_KEY,
    NO_SUCH_PATH,
    NOT_READY,
    POST_ONLY,
    READY,
    SUCCESS,
    TEXT,
    UNAVAILABLE,
    WRONG_ORIGIN,
    Answer,
    Header,
    Message,
    answer,
    in_detail,
    preflight,
    try_later,
)
from cauce.collect.call import DISCARDED, PIXELS, ROUTES, VALIDATING
from cauce.collect.judge import IdFactory
from cauce.collect.needs import WriteKeys
from cauce.collect.origins import Origins
from cauce.collect.pixel import PICTURE, as_picture, pixel_request
from cauce.collect.sdk import SdkFiles
from cauce.collect.service import OK, UNKNOWN_KEY, Decision, Request
from cauce.collect.settings import CollectSettings
from cauce.eventlog.port import EventLog
from cauce.storage import garbage
from cauce.vocabulary.errors import CauceError
from cauce.vocabulary.event import Call
from cauce.vocabulary.moment import Clock, Moment

Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_OFF = (b"", b"0", b"false")
"""Values of ``X-Strict`` that ask for nothing."""

_SWITCH_SECONDS = 0.0005
"""How long the thread that has committed waits for its turn: answers wait for it."""


class _Gone(Exception):
    """The client went away before it had sent its body."""


class Collector:
    """The ASGI application. The log must allow ``begin_append`` on the event loop's thread."""

    def __init__(
        self, log: EventLog, keys: WriteKeys, limits: CollectSettings, *, clock: Clock, new_id: IdFactory
    ) -> None:
        self.intake = Intake(log, keys, limits, clock=clock, new_id=new_id)
        self.origins = Origins(limits.origins)
        self._limits = limits
        self._clock = clock
        self._door = self.intake.door
        self._sdk = SdkFiles(keys, limits)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's life."""
        if scope["type"] == "http":
            began = perf_counter()
            headers = dict(scope["headers"])
            shared = self.shared_headers(scope["method"] == "POST", headers)
            try:
                reply = WRONG_ORIGIN if shared is None else await self._answer(scope, headers, receive)
            except _Gone:
                return
            except CauceError as error:  # the keys cannot be read
                reply = try_later(UNAVAILABLE, error)
            status, own, body = reply
            self.intake.counters.requests[status] += 1
            timing = (b"server-timing", b"collect;dur=%.2f" % ((perf_counter() - began) * 1_000))
            together = (*own, *(shared or ()), timing)
            await send({"type": "http.response.start", "status": status, "headers": together})
            await send({"type": "http.response.body", "body": body})
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    def shared_headers(self, is_post: bool, headers: dict[bytes, bytes]) -> tuple[Header, ...] | None:
        """What every answer to a request with these headers has; None if its origin is not allowed."""
        if is_post and b"origin" not in headers:
            return self.origins.for_programs
        return self.origins.headers(headers.get(b"origin"))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.intake.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.intake.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _answer(
        self, scope: Message, headers: dict[bytes, bytes], receive: Receive
    ) -> Coroutine[None, None, Answer]:
        """What will answer: no coroutine of its own, because every event would pay for it."""
        path, method = scope["path"], scope["method"]
        if method == "POST":
            if path in ROUTES:
                return self._collect(ROUTES[path], headers, receive)
            if path in VALIDATING:
                return self._validate(headers, receive)
        elif method == "GET" and path in PIXELS:
            return self._picture(PIXELS[path], headers, scope["query_string"])
        return self._other(path, method, scope, headers)

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
        if whole:
            content_type = headers.get(b"content-type", b"")
            decision = self._door.decide(Request(call, authorization, content_type, body, received))
        else:
            decision = self._door.refuse_unread(authorization, body)
        return await self._keep(
            decision, len(body), received, strict=b"x-strict" in headers and _is_strict(headers[b"x-strict"])
        )

    async def _validate(self, headers: dict[bytes, bytes], receive: Receive) -> Answer:
        """What would become of the events; nothing is kept."""
        body, whole = await _read(receive, b"", self._limits.max_batch_bytes)
        authorization = headers.get(b"authorization", b"")
        if whole:
            content_type = headers.get(b"content-type", b"")
            decision = self._door.validate(Request(None, authorization, content_type, body, self._clock()))
        else:
            decision = self._door.refuse_unread(authorization, body)
        return NO_KEY if decision is UNKNOWN_KEY else in_detail(decision, None)

    async def _picture(self, call: Call, headers: dict[bytes, bytes], query: bytes) -> Answer:
        """Decide about and keep the event in the address of a picture."""
        received = self._clock()
        request = pixel_request(call, headers.get(b"authorization", b""), query, received)
        try:
            reply = await self._keep(self._door.decide(request), len(query), received, strict=False)
        except CauceError as error:
            reply = try_later(UNAVAILABLE, error)
        self.intake.counters.pixels[reply.status] += 1
        return as_picture(reply)

    async def _other(self, path: str, method: str, scope: Message, headers: dict[bytes, bytes]) -> Answer:
        if method == "OPTIONS":
            return preflight(headers)
        if path in ROUTES or path in VALIDATING or path in DISCARDED:
            return SUCCESS if method == "POST" else POST_ONLY
        fetched = self._sdk.find(path)
        if method not in ("GET", "HEAD"):
            return GET_ONLY if fetched or path in PIXELS else NO_SUCH_PATH
        if fetched:
            return fetched(scope, headers)
        if path in PIXELS:  # HEAD: whoever looks whether the picture is there has not seen it
            return PICTURE
        return self._own_state(path)

    def _own_state(self, path: str) -> Answer:
        """What the collector says of itself."""
        if path == "/health":
            return answer(OK, {"status": "ok"})
        if path == "/ready":
            return READY if self.intake.ready else NOT_READY
        if path == "/metrics":
            return answer(OK, self.intake.counters.text(self.intake.waiting_events).encode(), TEXT)
        return NO_SUCH_PATH

    async def _keep(self, decision: Decision, size: int, received: Moment, *, strict: bool) -> Answer:
        """The answer to a decision, once all of it is durable."""
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def reply(answer: Answer) -> None:
            if not answered.done():  # else nobody waits for it any more
                answered.set_result(answer)

        self.intake.keep(decision, size, received, reply, strict=strict)
        return await answered


def _is_strict(value: bytes) -> bool:
    return value.strip().lower() not in _OFF


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
    garbage.look_seldom()
    sys.setswitchinterval(_SWITCH_SECONDS)
