"""`/api/v1/quarantine`: input that was refused, repaired, replayed or discarded."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from cauce.app.api.answers import Cursor, answer, documented
from cauce.app.api.callers import CallerKey
from cauce.app.api.segments import LimitQuery
from cauce.collect.quarantine import Quarantine, Replayed, Which
from cauce.collect.repair import Repair
from cauce.eventlog.port import Quarantined
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.moment import Moment, to_iso


class RefusedDocument(msgspec.Struct, frozen=True):
    """Input that is no valid event; bytes of ``body`` that are no UTF-8 are written as ``\\xNN``.

    ``call`` is that of the path it came to, ``batch`` for a whole request,
    ``line`` for a line of a file, empty if the body names its own type.
    """

    number: int
    received: str
    source: str
    reason: str
    detail: str
    call: str
    settled: str | None
    settlement: str | None
    body: str


class QuarantineDocument(msgspec.Struct, frozen=True):
    """A page of refused input, oldest first."""

    data: list[RefusedDocument]
    cursor: Cursor


class ExampleDocument(msgspec.Struct, frozen=True):
    """What became of one input: the events made of it, or why it stays."""

    number: int
    events: list[str]
    problem: str


class ReplayDocument(msgspec.Struct, frozen=True):
    """``inputs`` were looked at and ``replayed`` of them settled; ``refused`` counts by reason what stays."""

    inputs: int
    replayed: int
    accepted: int
    duplicate: int
    refused: dict[str, int]
    examples: list[ExampleDocument]


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
        cursor: Annotated[int, Query(ge=0, le=2**62, description="`cursor.next` of the page before.")] = 0,
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
        page, more = found[:limit], len(found) > limit
        onward = str(page[-1].number) if more else None
        data = [_refused(one) for one in page]
        return answer(QuarantineDocument(data, Cursor(next=onward, has_more=more, limit=limit)))

    @router.get("/{number}", responses=documented(RefusedDocument, "The input."))
    def one(caller: CallerKey, number: NumberPath) -> Response:
        """Read one refused input."""
        return answer(_refused(held.find(number, purpose=caller.purpose, viewer=caller.viewer)))

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
        return answer(_replayed(done))

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
        return answer(_replayed(done))


def _asked(body: bytes) -> Asked:
    try:
        return msgspec.convert(decode_json(body), Asked)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
        reason = str(error) if isinstance(error, msgspec.ValidationError) else "it is no JSON"
        raise InvalidInput(f"The request is wrong: {reason}.", hint="See the API reference.") from error


def _refused(one: Quarantined) -> RefusedDocument:
    return RefusedDocument(
        number=one.number,
        received=to_iso(one.received),
        source=one.source,
        reason=one.reason,
        detail=one.detail,
        call=one.call,
        settled=_iso(one.settled),
        settlement=one.settlement,
        body=_text(one.body),
    )


def _replayed(done: Replayed) -> ReplayDocument:
    return ReplayDocument(
        inputs=done.inputs,
        replayed=done.replayed,
        accepted=done.accepted,
        duplicate=done.duplicate,
        refused=done.refused,
        examples=[
            ExampleDocument(one.number, [_text(body) for body in one.events], one.problem)
            for one in done.examples
        ],
    )


def _text(body: bytes) -> str:
    return body.decode("utf-8", "backslashreplace")


def _iso(when: Moment | None) -> str | None:
    return None if when is None else to_iso(when)
