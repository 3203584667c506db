"""The events behind a link, looked up in the log by the moments that its evidence names.

Evidence says of each source how many events carried two identifiers, and when the first and
the last happened. Sealed files say which moments they span, so few are opened.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import pyarrow.compute as pc
import pyarrow.dataset as ds

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
    wanted = pc.field("time") == int(min(times))
    for time in times:  # one by one: of a list no row groups are skipped
        wanted |= pc.field("time") == int(time)
    sealed = ds.dataset([str(file.path) for file in files], format="parquet")
    for row in sealed.head(_MOST_ROWS, columns=_COLUMNS, filter=wanted).to_pylist():
        event = EventOfLink(
            Position(row["position"]),
            row["message_id"],
            Call(row["call"]),
            row["name"],
            Moment(row["received"]),
            Moment(row["time"]),
            row["source"],
        )
        yield _Row(event, frozenset(row["identifiers"] or ()))
