"""`/api/v1/identity/acts`: what is stated of identity by hand."""

import uuid
from typing import Annotated

import msgspec
from fastapi import APIRouter, Body, Response

from cauce.app.api.answers import answer, documented
from cauce.app.api.callers import CallerKey
from cauce.app.compose import Composition
from cauce.app.identity_acts import Act, Wanted, act, acts, wait_for
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.moment import Clock, to_iso
from cauce.vocabulary.nearest import did_you_mean
from cauce.vocabulary.statement import Op

_WAIT_SECONDS = 10.0


class ActDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody stated, and why; ``retracted`` if it was taken back since.

    ``in_effect`` is there in the answer to an act: whether people are made by it already.
    """

    id: str
    position: int
    at: str
    op: str
    by: str
    reason: str
    identifiers: list[str]
    events: list[str]
    purposes: list[str]
    retracted: bool
    in_effect: bool | None = None


class ActsDocument(msgspec.Struct, frozen=True):
    """All acts, newest first."""

    data: list[ActDocument]


OpBody = Annotated[
    str, Body(description="`same`, `never`, `retract`, `withdraw` or `grant`.", examples=["same"])
]
TextsBody = Annotated[list[str] | None, Body()]


def act_routes(composition: Composition, clock: Clock) -> APIRouter:
    """The routes, acting on a space."""
    router = APIRouter(prefix="/identity/acts", tags=["identity"])

    @router.get("", responses=documented(ActsDocument, "All acts."))
    def listed(caller: CallerKey) -> Response:
        """List what was stated by hand: who, when, why, and whether it was taken back."""
        found = acts(composition, purpose=caller.purpose, viewer=caller.viewer)
        return answer(ActsDocument([_document(one) for one in found]))

    @router.post("", responses=documented(ActDocument, "The act."))
    def made(
        caller: CallerKey,
        op: OpBody,
        reason: Annotated[str, Body(description="Why; kept in the log with the key's name.")],
        identifiers: TextsBody = None,
        events: TextsBody = None,
        purposes: TextsBody = None,
        id_: Annotated[str, Body(alias="id", description="So that a repetition changes nothing.")] = "",
    ) -> Response:
        """State that identifiers are one or never one, that events no longer count, or consent."""
        if op not in list(Op):
            raise InvalidInput(f"There is no op {op}.", hint=did_you_mean(op, Op))
        wanted = Wanted(Op(op), reason, identifiers or (), events or (), purposes or ())
        done = act(composition, wanted, id_=id_ or str(uuid.uuid4()), now=clock(), viewer=caller.viewer)
        folded = wait_for(composition, done.position, wait_seconds=_WAIT_SECONDS)
        return answer(_document(done, in_effect=folded))

    return router


def _document(one: Act, in_effect: bool | None = None) -> ActDocument:
    said = one.saying
    return ActDocument(
        id=one.id,
        position=one.position,
        at=to_iso(one.at),
        op=said.op.value,
        by=said.by,
        reason=said.reason,
        identifiers=list(said.identifiers),
        events=list(said.events),
        purposes=list(said.purposes),
        retracted=one.retracted,
        in_effect=in_effect,
    )
