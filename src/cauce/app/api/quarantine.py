"""`/api/v1/quarantine`: input that was refused, repaired, replayed or discarded."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from cauce.app.api.answers import Cursor, LimitQuery, NumberQuery, answer, documented, page_of
from cauce.app.api.callers import CallerKey
from cauce.app.quarantine_view import RefusedDocument, ReplayDocument, describe_refused, describe_replay
from cauce.collect.quarantine import Quarantine, Which
from cauce.collect.repair import Repair
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.exact import decode_json


class QuarantineDocument(msgspec.Struct, frozen=True):
    """A page of refused input, oldest first."""

    data: list[RefusedDocument]
    cursor: Cursor


class DiscardedDocument(msgspec.Struct, frozen=True):
    """How many inputs were taken off the list."""

    discarded: int


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which open inputs are meant: numbers, or all of a reason and a source, or ``all``."""

    numbers: list[int] = []
    reason: str = ""
    source: str = ""
    all: bool = False
    repair: Repair = Repair()
    dry_run: bool = False

    def which(self) -> Which:
        """The same for the service; raises ``InvalidInput`` if nothing is named."""
        if not (self.numbers or self.reason or self.source or self.all):
            raise InvalidInput("Nothing was named.", hint="Give numbers, reason, source or all.")
        return Which(tuple(self.numbers), self.reason, self.source)


NumberPath = Annotated[int, Path(ge=1, le=2**62, description="The number of the input.")]


async def _body(request: Request) -> bytes:
    return await request.body()


RawBody = Annotated[bytes, Depends(_body)]
"""The body as it came: numbers in it stay exact."""

DryRunQuery = Annotated[bool, Query(description="Say what would happen, and change nothing.")]


def _json_body(schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


documented(Asked, "")  # its schema belongs to the document
_ASKED = _json_body(
    {"$ref": "#/components/schemas/Asked"},
    {"reason": "too_many_properties", "repair": {"shorten": {"properties": 300}}},
)
_EVENT = _json_body({"type": "object"}, {"type": "track", "userId": "ann-7", "event": "Order Completed"})


def quarantine_routes(held: Quarantine) -> APIRouter:
    """The routes over the refused input of a space."""
    router = APIRouter(prefix="/quarantine", tags=["quarantine"])

    @router.get("", responses=documented(QuarantineDocument, "A page of refused input."))
    def listed(
        caller: CallerKey,
        reason: Annotated[str, Query(description="Only input refused for this reason.")] = "",
        source: Annotated[str, Query(description="Only input from this source.")] = "",
        settled: Annotated[bool, Query(description="What is settled instead of what is open.")] = False,
        cursor: NumberQuery = 0,
        limit: LimitQuery = 100,
    ) -> Response:
        """List input that was refused, with the reasons."""
        found = held.inputs(
            Which(reason=reason, source=source),
            after=cursor,
            limit=limit + 1,
            settled=settled,
            purpose=caller.purpose,
            viewer=caller.viewer,
        )
        page, onward = page_of(found, limit, lambda one: one.number)
        return answer(QuarantineDocument([describe_refused(one) for one in page], onward))

    @router.get("/{number}", responses=documented(RefusedDocument, "The input."))
    def one(caller: CallerKey, number: NumberPath) -> Response:
        """Read one refused input."""
        return answer(describe_refused(held.find(number, purpose=caller.purpose, viewer=caller.viewer)))

    _add_acts(router, held)
    return router


def _add_acts(router: APIRouter, held: Quarantine) -> None:
    """The routes that settle input."""

    @router.post(
        "/replay", responses=documented(ReplayDocument, "What the replay came to."), openapi_extra=_ASKED
    )
    def replay(caller: CallerKey, body: RawBody) -> Response:
        """Repair open input, judge it again, and append what is valid now."""
        asked = _asked(body)
        done = held.replay(
            asked.which(),
            asked.repair,
            dry_run=asked.dry_run,
            purpose=caller.purpose,
            viewer=caller.viewer,
        )
        return answer(describe_replay(done))

    @router.post(
        "/discard", responses=documented(DiscardedDocument, "How many were discarded."), openapi_extra=_ASKED
    )
    def discard(caller: CallerKey, body: RawBody) -> Response:
        """Take open input off the list without replaying it."""
        which = _asked(body).which()
        return answer(DiscardedDocument(held.discard(which, purpose=caller.purpose, viewer=caller.viewer)))

    @router.post(
        "/{number}/replay",
        responses=documented(ReplayDocument, "What the replay came to."),
        openapi_extra=_EVENT,
    )
    def replay_by_hand(
        caller: CallerKey,
        number: NumberPath,
        body: RawBody,
        dry_run: DryRunQuery = False,
    ) -> Response:
        """Replay one open input with the event that the request carries in its place."""
        done = held.replay_by_hand(
            number, body, dry_run=dry_run, purpose=caller.purpose, viewer=caller.viewer
        )
        return answer(describe_replay(done))


def _asked(body: bytes) -> Asked:
    try:
        return msgspec.convert(decode_json(body), Asked)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
        reason = str(error) if isinstance(error, msgspec.ValidationError) else "it is no JSON"
        raise InvalidInput(f"The request is wrong: {reason}.", hint="See the API reference.") from error
