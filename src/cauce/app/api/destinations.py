"""`/api/v1/destinations`: where other systems stand, without personal data."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Response

from cauce.activate.status import Destinations
from cauce.app.api.answers import answer, documented
from cauce.app.api.callers import ReaderKey
from cauce.app.destination_view import as_json


class DestinationRunDocument(msgspec.Struct, frozen=True):
    """The last file or comparison: its phase, its number, when it was due and done, how many rows."""

    destination: str
    phase: str
    number: int
    due: str
    done: str | None
    entries: int
    name: str
    error: str


class DestinationDocument(msgspec.Struct, frozen=True):
    """A destination, what it is owed by state, and what went wrong last."""

    name: str
    kind: str
    owner: str
    description: str
    purpose: str
    paused: bool
    fields: list[str]
    segments: list[str]
    waiting: int
    states: dict[str, int]
    oldest: str | None
    error: str
    run: DestinationRunDocument | None


class DestinationsDocument(msgspec.Struct, frozen=True):
    """All destinations, by name."""

    data: list[DestinationDocument]


def destination_routes(destinations: Destinations) -> APIRouter:
    """The routes, reading from a space."""
    router = APIRouter(prefix="/destinations", tags=["deliveries"])

    @router.get("", responses=documented(DestinationsDocument, "All destinations."))
    def all_(_: ReaderKey) -> Response:
        """List destinations and where they stand."""
        return answer(DestinationsDocument([_document(as_json(one)) for one in destinations.all()]))

    @router.get("/{name}", responses=documented(DestinationDocument, "The destination."))
    def one(_: ReaderKey, name: Annotated[str, Path(description="The destination's name.")]) -> Response:
        """Read where one destination stands."""
        return answer(_document(as_json(destinations.one(name))))

    return router


def _document(found: dict[str, Any]) -> DestinationDocument:
    return msgspec.convert(found, DestinationDocument)
