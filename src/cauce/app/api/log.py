"""`/api/v1/positions` and `/api/v1/quarantine`: how far the log has come, and what was refused."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from cauce.app.api.answers import Cursor, answer, documented
from cauce.app.api.callers import CallerKey, ReaderKey
from cauce.app.api.segments import LimitQuery
from cauce.app.compose import Composition
from cauce.app.log_stats import log_stats
from cauce.govern.access import Scope
from cauce.vocabulary.moment import Clock, to_iso


class PositionsDocument(msgspec.Struct, frozen=True):
    """The last position of the log, and up to where it is folded.

    ``lag`` is the difference; ``behind_seconds`` is the age of the oldest event
    that waits to be folded, null if none waits.
    """

    head: int
    folded: int
    lag: int
    behind_seconds: float | None
    quarantine: dict[str, int]


class RefusedDocument(msgspec.Struct, frozen=True):
    """Input that is no valid event; bytes of ``body`` that are no UTF-8 are written as ``\\xNN``."""

    number: int
    received: str
    source: str
    reason: str
    detail: str
    body: str


class QuarantineDocument(msgspec.Struct, frozen=True):
    """A page of refused input, oldest first."""

    data: list[RefusedDocument]
    cursor: Cursor


def log_routes(composition: Composition, clock: Clock) -> APIRouter:
    """The routes, reading from a space."""
    router = APIRouter(tags=["log"])

    @router.get("/positions", responses=documented(PositionsDocument, "The positions."))
    def positions(_: ReaderKey) -> Response:
        """Read how far the log and the folding of it have come."""
        stats = log_stats(composition, clock())
        return answer(
            PositionsDocument(
                head=stats.head,
                folded=stats.folded,
                lag=max(0, stats.head - stats.folded),
                behind_seconds=stats.behind_seconds,
                quarantine=stats.quarantine,
            )
        )

    @router.get("/quarantine", responses=documented(QuarantineDocument, "A page of refused input."))
    def quarantine(
        caller: CallerKey,
        cursor: Annotated[int, Query(ge=0, le=2**62, description="`cursor.next` of the page before.")] = 0,
        limit: LimitQuery = 100,
    ) -> Response:
        """List input that was refused, with the reasons."""
        composition.access.require(caller.viewer, Scope.READ, caller.purpose)
        found = composition.log.quarantined(after=cursor, limit=limit + 1)
        page, more = found[:limit], len(found) > limit
        data = [
            RefusedDocument(
                number=one.number,
                received=to_iso(one.received),
                source=one.source,
                reason=one.reason,
                detail=one.detail,
                body=one.body.decode("utf-8", "backslashreplace"),
            )
            for one in page
        ]
        onward = str(page[-1].number) if more else None
        return answer(QuarantineDocument(data, Cursor(next=onward, has_more=more, limit=limit)))

    return router
