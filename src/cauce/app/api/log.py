"""`/api/v1/positions` and `/api/v1/log/files`: how far the log has come, and what its sealed files hold."""

from itertools import islice
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from cauce.app.api.answers import Cursor, LimitQuery, NumberQuery, answer, documented, page_of
from cauce.app.api.callers import ReaderKey
from cauce.app.compose import Composition
from cauce.app.log_stats import log_stats
from cauce.eventlog.sealable import Range
from cauce.eventlog.statistics import FileStatistics
from cauce.vocabulary.moment import Clock, Moment, to_iso


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


class LogFileDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed file with the events from position ``first`` to ``last``; ``size`` is in bytes.

    ``statistics`` are those that the file carries itself, with times in
    microseconds since 1970; null if they were not asked for, and of a file from
    before there were any.
    """

    file: str
    first: int
    last: int
    events: int
    last_received: str
    size: int
    checksum: str
    statistics: FileStatistics | None


class LogFilesDocument(msgspec.Struct, frozen=True):
    """A page of sealed files, in the order of their positions."""

    data: list[LogFileDocument]
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

    @router.get("/log/files", responses=documented(LogFilesDocument, "A page of sealed files."))
    def files(
        _: ReaderKey,
        statistics: Annotated[bool, Query(description="Also all that is known of what is in them.")] = False,
        cursor: NumberQuery = 0,
        limit: LimitQuery = 100,
    ) -> Response:
        """List the sealed files of the log, and what each holds."""
        known = composition.log.statistics() if statistics else {}
        after = (one for one in composition.log.sealed() if one.last > cursor)
        page, onward = page_of(list(islice(after, limit + 1)), limit, lambda one: one.last)
        return answer(LogFilesDocument([_file(one, known.get(one.file)) for one in page], onward))

    return router


def _file(one: Range, statistics: FileStatistics | None) -> LogFileDocument:
    return LogFileDocument(
        file=one.file,
        first=one.first,
        last=one.last,
        events=one.events,
        last_received=to_iso(Moment(one.last_received)),
        size=one.size,
        checksum=one.checksum,
        statistics=statistics,
    )
