"""The events behind a link, looked up in the log by the moments that its evidence names.

Evidence says of each source how many events carried two identifiers, and when the first and
the last happened. Sealed files say which moments they span, so few are opened.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import duckdb

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
    keys = {key for here, there, _, _ in wanted for key in (here, there)}
    found: dict[Ends, EventOfLink] = {}
    for row in _rows(log, normalization, {time for *_, time in wanted}, keys):
        for ends in wanted:
            here, there, source, time = ends
            if (row.event.source, row.event.time) == (source, time) and {here, there} <= row.keys:
                known = found.get(ends)
                if known is None or row.event.position < known.position:
                    found[ends] = row.event
    return found


def _rows(
    log: EventLog,
    normalization: Callable[[str], Normalization],
    times: Collection[Moment],
    keys: Collection[str],
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
            yield from _sealed_rows(files, times, keys)


def _spans(file: SealedFile, times: Collection[Moment]) -> bool:
    """Whether a file may hold an event that happened at one of the moments."""
    known = file.statistics
    return known is None or any(known.time.least <= time <= known.time.greatest for time in times)


def _sealed_rows(
    files: Sequence[SealedFile], times: Collection[Moment], keys: Collection[str]
) -> Iterator[_Row]:
    listed = ", ".join("'" + str(file.path).replace("'", "''") + "'" for file in files)
    # Moments are compared one by one: of a list DuckDB does not skip row groups.
    moments = " OR ".join(f"time = {int(time)}" for time in sorted(times))
    sql = f"""
    SELECT position, message_id, call, name, received, time, source, identifiers
    FROM read_parquet([{listed}], hive_partitioning = false)
    WHERE ({moments}) AND list_has_any(identifiers, ?) ORDER BY position LIMIT {_MOST_ROWS}
    """
    with duckdb.connect(config={"threads": 1}) as lake:
        found = lake.execute(sql, [sorted(keys)]).fetchall()
    for position, message_id, call, name, received, time, source, identifiers in found:
        event = EventOfLink(
            Position(position), message_id, Call(call), name, Moment(received), Moment(time), source
        )
        yield _Row(event, frozenset(identifiers))
