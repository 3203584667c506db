"""Answers: JSON made by msgspec, and its description in the OpenAPI document."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import FastAPI, Query, Response
from fastapi.openapi.utils import get_openapi

from cauce.vocabulary.exact import encode_json

_REF = "#/components/schemas/{name}"
T = TypeVar("T")

LimitQuery = Annotated[int, Query(ge=1, le=1_000, description="How many at most.")]

NumberQuery = Annotated[int, Query(ge=0, le=2**62, description="`cursor.next` of the page before.")]
"""The cursor of a list that is ordered by a number."""

_documented: dict[str, type[msgspec.Struct]] = {}


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """Where a list goes on: ask again with ``cursor`` set to ``next``."""

    next: str | None
    has_more: bool
    limit: int


def page_of(found: Sequence[T], limit: int, key: Callable[[T], object]) -> tuple[Sequence[T], Cursor]:
    """The first ``limit`` of what was ``found``, and where to go on: after the ``key`` of the last of them.

    Find one more than ``limit``, so that the last page is known as such.
    """
    page, more = found[:limit], len(found) > limit
    return page, Cursor(next=str(key(page[-1])) if more else None, has_more=more, limit=limit)


def answer(content: object) -> Response:
    """An answer with JSON; exact numbers stay exact."""
    return Response(encode_json(content), media_type="application/json")


def documented(kind: type[msgspec.Struct], description: str) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that answers with this kind of document."""
    _documented[kind.__name__] = kind
    schema = {"$ref": _REF.format(name=kind.__name__)}
    return {200: {"description": description, "content": {"application/json": {"schema": schema}}}}


def describe(app: FastAPI) -> None:
    """Let the OpenAPI document hold the schemas of what the routes answer."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            _, schemas = msgspec.json.schema_components(_documented.values(), ref_template=_REF)
            document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
