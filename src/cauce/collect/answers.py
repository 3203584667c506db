"""The answers of the tracking API, in the form that SDKs read."""

import re
from collections.abc import MutableMapping
from typing import Any, NamedTuple

import msgspec

from cauce.collect.service import BAD_REQUEST, OK, UNAUTHORIZED, Decision
from cauce.vocabulary.errors import CauceError, Transient

Message = MutableMapping[str, Any]
"""A message of ASGI."""

_TOKENS = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,500}")
_ALLOWED_HEADERS = b"authorization, content-type, content-encoding, x-strict"
_JSON = (b"content-type", b"application/json")
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
TOO_MANY, UNAVAILABLE, _NOT_FOUND, _WRONG_METHOD = 429, 503, 404, 405


class Answer(NamedTuple):
    """An HTTP answer as the two messages of ASGI."""

    start: Message
    body: Message

    @property
    def status(self) -> int:
        """The status code."""
        code: int = self.start["status"]
        return code


def answer(status: int, content: bytes | dict[str, Any], *headers: tuple[bytes, bytes]) -> Answer:
    """An answer with JSON, or with text as it is."""
    if isinstance(content, dict):
        content = msgspec.json.encode(content)
        headers = (_JSON, *headers)
    length = (b"content-length", str(len(content)).encode())
    return Answer(
        {"type": "http.response.start", "status": status, "headers": [length, _ANY_ORIGIN, *headers]},
        {"type": "http.response.body", "body": content},
    )


def refusal(status: int, code: str, message: str, *headers: tuple[bytes, bytes], **more: object) -> Answer:
    """An error, in the form that SDKs read."""
    return answer(status, {"success": False, "code": code, "message": message, **more}, *headers)


SUCCESS = answer(OK, {"success": True})
NO_KEY = refusal(
    UNAUTHORIZED,
    "unknown_write_key",
    "The write key is missing or unknown: send it as Basic user or as writeKey in the body.",
    (b"www-authenticate", b"WriteKey"),  # Basic here would make browsers ask visitors to log in
)
NO_SUCH_PATH = refusal(_NOT_FOUND, "not_found", "There is nothing at this path. Post to /v1/batch.")
POST_ONLY = refusal(
    _WRONG_METHOD, "method_not_allowed", "Events are sent with POST.", (b"allow", b"POST, OPTIONS")
)
NOT_READY = refusal(UNAVAILABLE, "not_ready", "The log does not take events at the moment.")


def try_later(status: int, error: CauceError) -> Answer:
    """Nothing was stored: the sender should try again."""
    seconds = error.retry_after if isinstance(error, Transient) else 1
    return refusal(status, error.code, error.message, (b"retry-after", str(seconds).encode()))


def refused(decision: Decision, *, strict: bool) -> Answer:
    """The answer 400; in strict mode with a line for each refused event."""
    first = decision.faults[0].problem
    more: dict[str, object] = {}
    if strict:
        more["accepted"] = len(decision.events)
        more["refused"] = [
            {"item": fault.item, "code": fault.problem.reason, "message": fault.problem.detail}
            for fault in decision.faults
        ]
    return refusal(BAD_REQUEST, first.reason.value, first.detail, **more)


def preflight(headers: dict[bytes, bytes]) -> Answer:
    """What a browser asks before it posts from another origin (Fetch standard, CORS pre-flight)."""
    asked = headers.get(b"access-control-request-headers", b"")
    allowed = asked if _TOKENS.fullmatch(asked) else _ALLOWED_HEADERS
    return answer(
        OK,
        b"",
        (b"access-control-allow-methods", b"POST, OPTIONS"),
        (b"access-control-allow-headers", allowed),
        (b"access-control-max-age", b"86400"),
    )
