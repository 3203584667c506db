"""`/api/v1/positions`: how far the log and the folding of it have come."""

import msgspec
from fastapi import APIRouter, Response

from cauce.app.api.answers import answer, documented
from cauce.app.api.callers import ReaderKey
from cauce.app.compose import Composition
from cauce.app.log_stats import log_stats
from cauce.vocabulary.moment import Clock


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

    return router
