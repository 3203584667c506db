"""The events behind a link, looked up in the log by the moments that its evidence names.

Evidence says of each source how many events carried two identifiers, and when the first and
the last happened. Sealed files say which moments they span, so few are opened.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from cauce.eventlog.columns import carried
from cauce.eventlog.port import EventLog
from cauce.eventlog.snapshot import SealedFile
from cauce.identity.why import Link
from cauce.vocabulary.event import Call, Position
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.moment import Moment

MOST_MOMENTS = 100
"""Of so many moments, those of the first links, the events are looked up."""

_MOST_ROWS = 10_000
"""Of so many events at those moments; where more happened, some are not found."""


_COLUMNS = ["position", "message_id", "call", "name", "received", "time", "source", "identifiers"]


class EventOfLink(NamedTuple):
    """An event that carried both ends of a link."""

    position: Position
    message_id: str
    call: Call
    name: str
    received: Moment
    time: Moment
    source: str


class _Row(NamedTuple):
    """An event at one of the moments, with the identifiers that it carried."""

    event: EventOfLink
    keys: frozenset[str]


Ends = tuple[str, str, str, Moment]
"""Both ends of a link, a source, and a moment."""


def events_of(
    log: EventLog, normalization: Callable[[str], Normalization], links: Sequence[Link]
) -> Mapping[Ends, EventOfLink]:
    """The first event, by position, of each source of some links at the first and the last moment."""
    wanted = [
        (link.here, link.there, seen.source, time)
        for link in links
        for seen in link.seen
        for time in (seen.first_time, seen.last_time)
    ]
    return find_events(log, normalization, wanted)


def find_events(
    log: EventLog, normalization: Callable[[str], Normalization], wanted: Sequence[Ends]
) -> Mapping[Ends, EventOfLink]:
    """The first event, by position, that carried two identifiers, by source and moment."""
    wanted = wanted[:MOST_MOMENTS]
    if not wanted:
        return {}
    found: dict[Ends, EventOfLink] = {}
    for row in _rows(log, normalization, {time for *_, time in wanted}):
        for ends in wanted:
            here, there, source, time = ends
            if (row.event.source, row.event.time) == (source, time) and {here, there} <= row.keys:
                known = found.get(ends)
                if known is None or row.event.position < known.position:
                    found[ends] = row.event
    return found


def _rows(
    log: EventLog, normalization: Callable[[str], Normalization], times: Collection[Moment]
) -> Iterator[_Row]:
    """What happened at some moments, not sealed and sealed."""
    for row in log.unsealed_at(times, _MOST_ROWS):
        event = EventOfLink(
            row.position, row.message_id, row.call, row.name, row.received, row.time, row.source
        )
        yield _Row(event, frozenset(map(str, carried(row.body, row.call, normalization(row.source)))))
    with log.snapshot(log.sealed_upto()) as sealed:
        files = [one for one in sealed.files if _spans(one, times)]
        if files:
            yield from _sealed_rows(files, times)


def _spans(file: SealedFile, times: Collection[Moment]) -> bool:
    """Whether a file may hold an event that happened at one of the moments."""
    known = file.statistics
    return known is None or any(known.time.least <= time <= known.time.greatest for time in times)


def _sealed_rows(files: Sequence[SealedFile], times: Collection[Moment]) -> Iterator[_Row]:
    left = _MOST_ROWS
    wanted = np.array(sorted(times), np.int64)
    for file in files:
        with pq.ParquetFile(file.path) as rows:
            for number in _groups(rows, wanted):
                found = _at(rows, number, wanted)[:left]
                left -= len(found)
                yield from map(_row, found)


def _groups(rows: pq.ParquetFile, wanted: npt.NDArray[np.int64]) -> Iterator[int]:
    """The row groups that may hold an event of one of the moments."""
    leaves = [rows.schema.column(place).path for place in range(len(rows.schema))]
    place = leaves.index("time")
    for number in range(rows.num_row_groups):
        known = rows.metadata.row_group(number).column(place).statistics
        if known is None or not known.has_min_max or ((wanted >= known.min) & (wanted <= known.max)).any():
            yield number


def _at(rows: pq.ParquetFile, number: int, wanted: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """The rows of a row group at some moments: their times are read first, and the others seldom."""
    times = rows.read_row_group(number, columns=["time"], use_threads=False)["time"].to_numpy()
    found = np.flatnonzero(np.isin(times, wanted))
    if not len(found):
        return []
    table = rows.read_row_group(number, columns=_COLUMNS, use_threads=False)
    taken: list[dict[str, Any]] = table.take(found).to_pylist()
    return taken


def _row(row: dict[str, Any]) -> _Row:
    event = EventOfLink(
        Position(row["position"]),
        row["message_id"],
        Call(row["call"]),
        row["name"],
        Moment(row["received"]),
        Moment(row["time"]),
        row["source"],
    )
    return _Row(event, frozenset(row["identifiers"] or ()))
