"""The answers of the tracking API, in the form that SDKs read."""

import re
from collections.abc import MutableMapping, Sequence
from typing import Any, NamedTuple

import msgspec

from cauce.collect.reasons import Problem
from cauce.collect.service import BAD_REQUEST, OK, UNAUTHORIZED, Decision
from cauce.eventlog.port import Outcome
from cauce.vocabulary.errors import CauceError, Transient
from cauce.vocabulary.moment import to_iso

Message = MutableMapping[str, Any]
"""A message of ASGI."""

Header = tuple[bytes, bytes]
"""A name in lower case, and a value."""

_TOKENS = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,500}")
_ALLOWED_HEADERS = b"authorization, content-type, content-encoding, x-strict, x-retry-count"
_JSON = (b"content-type", b"application/json")
TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
NO_STORE = (b"cache-control", b"no-store")
_ALLOW_POST = (b"allow", b"POST, OPTIONS")
_ALLOW_GET = (b"allow", b"GET, HEAD, OPTIONS")
NOT_MODIFIED, _FORBIDDEN, _NOT_FOUND, _WRONG_METHOD = 304, 403, 404, 405
TOO_MANY, UNAVAILABLE = 429, 503

CONFLICTING = Outcome.CONFLICTING_REPEAT.value


class Answer(NamedTuple):
    """An HTTP answer, without the headers that every answer has."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


def answer(status: int, content: bytes | dict[str, Any], *headers: Header) -> Answer:
    """An answer with JSON, or with bytes as they are."""
    if isinstance(content, dict):
        content = msgspec.json.encode(content)
        headers = (_JSON, *headers)
    return Answer(status, ((b"content-length", str(len(content)).encode()), *headers), content)


def refusal(status: int, code: str, message: str, *headers: Header, **more: object) -> Answer:
    """An error, in the form that SDKs read."""
    return answer(status, {"success": False, "code": code, "message": message, **more}, *headers)


SUCCESS = answer(OK, {"success": True})
NO_KEY = refusal(
    UNAUTHORIZED,
    "unknown_write_key",
    "The write key is missing or unknown: send it as Basic user or as writeKey in the body.",
    (b"www-authenticate", b"WriteKey"),  # Basic here would make browsers ask visitors to log in
)
WRONG_ORIGIN = refusal(
    _FORBIDDEN,
    "origin_not_allowed",
    "Pages of this origin may not send: it is not in the setting collector.origins.",
)
NO_SUCH_PATH = refusal(_NOT_FOUND, "not_found", "There is nothing at this path. Post to /v1/batch.")
POST_ONLY = refusal(_WRONG_METHOD, "method_not_allowed", "Events are sent with POST.", _ALLOW_POST)
GET_ONLY = refusal(_WRONG_METHOD, "method_not_allowed", "This is fetched with GET.", _ALLOW_GET)
READY = answer(OK, {"status": "ready"})
NOT_READY = refusal(UNAVAILABLE, "not_ready", "The log does not take events at the moment.")


def not_found(code: str, message: str) -> Answer:
    """What an SDK wanted to fetch is not here, for now: nobody may remember that."""
    return refusal(_NOT_FOUND, code, message, NO_STORE)


def try_later(status: int, error: CauceError) -> Answer:
    """Nothing was stored: the sender should try again. Scripts of a page may read when."""
    seconds = error.retry_after if isinstance(error, Transient) else 1
    headers = ((b"retry-after", str(seconds).encode()), (b"access-control-expose-headers", b"retry-after"))
    return refusal(status, error.code, error.message, *headers)


def refused(problem: Problem) -> Answer:
    """The answer 400 to a client that did not ask for reasons in detail."""
    return refusal(BAD_REQUEST, problem.reason.value, problem.detail)


def in_detail(decision: Decision, outcomes: Sequence[Outcome] | None) -> Answer:
    """The answer to a strict request: what became of each event, 400 if any was refused.

    ``outcomes`` are those of the decision's events; None if nothing was to be
    stored. Events are named by their places in the request, from 0; a refusal
    without a place concerns the whole request.
    """
    wrong = {fault.item for fault in decision.faults}
    places = [place for place in range(len(decision.events) + len(wrong)) if place not in wrong]
    refusals: list[dict[str, object]] = [
        {"index": fault.item, "code": fault.problem.reason, "message": fault.problem.detail}
        for fault in decision.faults
    ]
    accepted: list[dict[str, object]] = []
    for number, (place, event) in enumerate(zip(places, decision.events, strict=False)):
        if outcomes is not None and outcomes[number] is Outcome.CONFLICTING_REPEAT:
            refusals.append({"index": place, "code": CONFLICTING, "message": _REPEATED})
            continue
        line = {"index": place, "messageId": event.message_id, "time": to_iso(event.time)}
        accepted.append(line if outcomes is None else line | {"outcome": outcomes[number]})
    more: dict[str, object] = {"accepted": accepted, "refused": refusals}
    if not refusals:
        return answer(OK, {"success": True, **more})
    first = refusals[0]
    return refusal(BAD_REQUEST, str(first["code"]), str(first["message"]), **more)


_REPEATED = "The message id came before with other content, and the first one counts."


def preflight(headers: dict[bytes, bytes]) -> Answer:
    """What a browser asks before it posts from another origin (Fetch standard, CORS pre-flight)."""
    asked = headers.get(b"access-control-request-headers", b"")
    allowed = asked if _TOKENS.fullmatch(asked) else _ALLOWED_HEADERS
    return answer(
        OK,
        b"",
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-allow-headers", allowed),
        (b"access-control-max-age", b"86400"),
    )
