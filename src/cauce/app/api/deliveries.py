"""`/api/v1/deliveries`: what other systems were told, what waits, and dead letters sent again."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Response

from cauce.activate.deliveries import Deliveries, Replayed
from cauce.activate.delivery import State
from cauce.app.api.answers import Cursor, LimitQuery, answer, documented, page_of
from cauce.app.api.callers import Caller, CallerKey
from cauce.app.delivery_view import (
    DeliveryDocument,
    ReceiptDocument,
    describe_delivery,
    describe_receipt,
)
from cauce.vocabulary.errors import InvalidInput, NotFound


class DeliveriesDocument(msgspec.Struct, frozen=True):
    """A page of deliveries, the newest change first."""

    data: list[DeliveryDocument]
    cursor: Cursor


class ToldDocument(msgspec.Struct, frozen=True):
    """A delivery, a receipt of each attempt, and the body; null when it has been delivered."""

    delivery: DeliveryDocument
    receipts: list[ReceiptDocument]
    body: Any


class ReplayedDocument(msgspec.Struct, frozen=True):
    """How many dead letters were queued again, and how many stay because a newer change was told."""

    queued: int
    superseded: int


IdPath = Annotated[str, Path(description="The id of the delivery.")]
SupersededQuery = Annotated[bool, Query(description="Also those that a newer change made obsolete.")]


def delivery_routes(deliveries: Deliveries, ids_of: Callable[[str, Caller], list[str]]) -> APIRouter:
    """The routes, reading from and replaying in a space.

    ``ids_of`` gives the profile ids that whoever has an identifier ever had.
    """
    router = APIRouter(prefix="/deliveries", tags=["deliveries"])

    @router.get("", responses=documented(DeliveriesDocument, "A page of deliveries."))
    def recent(
        caller: CallerKey,
        state: Annotated[State | None, Query(description="Only those in this state.")] = None,
        destination: Annotated[str | None, Query(description="Only those to this destination.")] = None,
        person: Annotated[
            str | None, Query(description="Only those about whoever has this identifier, `TYPE:VALUE`.")
        ] = None,
        cursor: Annotated[str | None, Query(description="`cursor.next` of the page before.")] = None,
        limit: LimitQuery = 100,
    ) -> Response:
        """List deliveries, the newest change first."""
        found = deliveries.recent(
            purpose=caller.purpose,
            viewer=caller.viewer,
            state=state,
            destination=destination,
            people=None if person is None else ids_of(person, caller),
            before=cursor,
            limit=limit + 1,
        )
        page, onward = page_of(found, limit, lambda one: one.id)
        return answer(DeliveriesDocument([describe_delivery(one) for one in page], onward))

    @router.get("/{id}", responses=documented(ToldDocument, "The delivery."))
    def one(caller: CallerKey, id: IdPath) -> Response:
        """Read a delivery with its receipts and its body."""
        told = deliveries.find(id, purpose=caller.purpose, viewer=caller.viewer)
        receipts = [describe_receipt(one) for one in told.receipts]
        body = msgspec.Raw(told.delivery.body or b"null")
        return answer(ToldDocument(describe_delivery(told.delivery), receipts, body))

    _add_replay(router, deliveries)
    return router


def _add_replay(router: APIRouter, deliveries: Deliveries) -> None:
    @router.post("/replay", responses=documented(ReplayedDocument, "How many were queued again."))
    def replay(
        caller: CallerKey,
        destination: Annotated[str | None, Query(description="Those to this destination.")] = None,
        everything: Annotated[bool, Query(alias="all", description="All of the space.")] = False,
        superseded: SupersededQuery = False,
    ) -> Response:
        """Queue the dead letters of a destination, or all, again with the same keys and bodies."""
        if destination is None and not everything:
            raise InvalidInput("Nothing was named.", hint="Give destination=NAME or all=true.")
        done = deliveries.replay(
            purpose=caller.purpose, viewer=caller.viewer, destination=destination, superseded=superseded
        )
        return answer(ReplayedDocument(*done))

    @router.post("/{id}/replay", responses=documented(ReplayedDocument, "Whether it was queued again."))
    def replay_one(caller: CallerKey, id: IdPath, superseded: SupersededQuery = False) -> Response:
        """Queue one dead letter again with the same key and body."""
        done = deliveries.replay(
            purpose=caller.purpose, viewer=caller.viewer, ids=[id], superseded=superseded
        )
        if done == Replayed(0, 0):
            raise NotFound(f"There is no dead letter {id}.", hint="Only what was given up is replayed.")
        return answer(ReplayedDocument(*done))
