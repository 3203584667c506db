"""Problems: how the API says that a request failed (RFC 9457), with a stable code and a hint."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from cauce.vocabulary.errors import (
    BadSettings,
    CauceError,
    Conflict,
    InvalidInput,
    NotAllowed,
    NotFound,
    Transient,
    Unsupported,
)
from cauce.vocabulary.exact import encode_json

_log = logging.getLogger(__name__)

_STATUS: dict[type[CauceError], int] = {
    InvalidInput: 400,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    Unsupported: 501,
    BadSettings: 500,
    Transient: 503,
}

_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "hint"],
    "properties": {
        "type": {"type": "string", "description": "about:blank: the code says what happened."},
        "title": {"type": "string", "description": "The phrase of the HTTP status."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, for people."},
        "code": {"type": "string", "description": "What is wrong, for programs; it does not change."},
        "hint": {"type": "string", "description": "What to do about it."},
    },
}

PROBLEMS = {
    "default": {
        "description": "A problem (RFC 9457).",
        "content": {"application/problem+json": {"schema": _SCHEMA}},
    }
}
"""The documentation of every route's problems."""


class NotSignedIn(NotAllowed):
    """The request carries no valid key."""

    code = "unknown_key"


def problem(status: int, code: str, detail: str, hint: str = "", **headers: str) -> Response:
    """An answer that says what is wrong and what to do about it."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(encode_json(content), status, named, "application/problem+json")


def answer_with_problems(app: FastAPI) -> None:
    """Make every failure of a route a problem."""
    app.add_exception_handler(CauceError, _refusal)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(Exception, _fault)


async def _refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, CauceError)
    if isinstance(error, NotSignedIn):
        return problem(401, error.code, error.message, error.hint, WWW_Authenticate="Bearer")
    status = next((code for family, code in _STATUS.items() if isinstance(error, family)), 500)
    headers = {"Retry_After": str(error.retry_after)} if isinstance(error, Transient) else {}
    return problem(status, error.code, error.message, error.hint, **headers)


async def _invalid(_: Request, error: Exception) -> Response:
    """Names the parameters and what is wrong with them, never their values."""
    assert isinstance(error, RequestValidationError)
    faults = [f"{'.'.join(map(str, one['loc'][1:])) or 'body'}: {one['msg']}" for one in error.errors()]
    return problem(
        400, InvalidInput.code, "; ".join(faults), "The document at /api/v1/openapi.json says more."
    )


async def _no_route(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    hint = "The document at /api/v1/openapi.json names every path."
    code = HTTPStatus(error.status_code).name.lower()
    allowed = {"Allow": error.headers["Allow"]} if error.headers and "Allow" in error.headers else {}
    return problem(error.status_code, code, str(error.detail), hint, **allowed)


async def _fault(_: Request, error: Exception) -> Response:
    _log.error("a request failed inside Cauce: %s", type(error).__name__)
    return problem(500, "internal", "Cauce failed.", "The log of the API says where.")
