"""Chosen rows of the log, read by column from sealed files and the hot tail."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from cauce.eventlog.port import EventLog
from cauce.vocabulary.event import Call, Logged, Position
from cauce.vocabulary.moment import Moment

_COLUMNS = ["position", "received", "time", "call", "name", "message_id", "source", "body"]


def log_rows(log: EventLog, upto: Position, wanted: pc.Expression) -> Iterator[Logged]:
    """The rows up to a position that an expression over the columns lets through, in no particular order."""
    for batch in _batches(log, upto, wanted, _COLUMNS):
        columns = (batch.column(name).to_pylist() for name in _COLUMNS)
        for position, received, time, call, name, message_id, source, body in zip(*columns, strict=True):
            yield Logged(
                position=Position(position),
                received=Moment(received),
                time=Moment(time),
                call=Call(call),
                name=name,
                message_id=message_id,
                source=source,
                body=body.encode(),
            )


def count_rows(log: EventLog, upto: Position, wanted: pc.Expression) -> int:
    """How many rows up to a position an expression lets through."""
    return sum(batch.num_rows for batch in _batches(log, upto, wanted, ["position"]))


def _batches(
    log: EventLog, upto: Position, wanted: pc.Expression, columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    with log.snapshot(upto) as found:
        files = [str(file.path) for file in found.files]
        if files:
            at_most = pc.field("position") <= int(upto)
            sealed = ds.dataset(files, format="parquet")
            yield from sealed.to_batches(columns=list(columns), filter=wanted & at_most)
        yield from found.hot.filter(wanted).select(list(columns)).to_batches()
