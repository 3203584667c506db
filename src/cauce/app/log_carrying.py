"""Rows of the log that carried exactly some sets of identifiers, found by columns."""

from collections.abc import Callable, Collection
from pathlib import Path

import duckdb
import pyarrow as pa

from cauce.app.described import described_anew
from cauce.eventlog.bulk import log_relation
from cauce.eventlog.port import EventLog
from cauce.identity.past import Carried
from cauce.vocabulary.event import Call, Logged, Position
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.moment import Moment

_COLUMNS = "position, received, time, call, name, message_id, source, body"


def rows_that_carried(
    log: EventLog,
    normalization: Callable[[str], Normalization],
    scratch: Path,
    upto: Position,
    sets: Collection[Carried],
) -> list[Logged]:
    """The rows up to a position whose identifiers are exactly one of these sets, in no order."""
    with (
        duckdb.connect() as lake,
        log.snapshot(upto) as snapshot,
        described_anew(snapshot, normalization, scratch) as anew,
        log_relation(lake, anew, normalization) as events,
    ):
        lake.register("past_sets", pa.table({"keys": pa.array([sorted(one) for one in sets])}))
        rows = lake.execute(f"""
        SELECT {_COLUMNS} FROM {events} AS event
        WHERE list_sort(list_distinct(identifiers)) IN (SELECT list_sort(keys) FROM past_sets)
        """).fetchall()
    return [
        Logged(
            position=Position(position),
            received=Moment(received),
            time=Moment(time),
            call=Call(call),
            name=name,
            message_id=message_id,
            source=source,
            body=body.encode(),
        )
        for position, received, time, call, name, message_id, source, body in rows
    ]
