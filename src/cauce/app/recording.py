"""Recording the past on timelines: the events that rules mention now and did not mention before.

Only those events are read: sealed files keep them together by name, and of a hot
row the columns are looked at before its body is decoded.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from cauce.app.pipeline import LOG, Pipeline
from cauce.eventlog.port import EventLog
from cauce.profile.records import timeline
from cauce.profile.session import Recorded
from cauce.storage.records import Transaction
from cauce.vocabulary.event import Call, Event, Logged, Position, read_event
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.language.paths import one_spelling
from cauce.vocabulary.moment import Moment

CHUNK = 2_000

_COLUMNS = ["position", "received", "time", "call", "name", "message_id", "source", "body"]

T = TypeVar("T")


def record_anew(
    pipeline: Pipeline,
    transaction: Transaction,
    log: EventLog,
    normalization: Callable[[str], Normalization],
    before: Recorded | None,
) -> int:
    """Make timelines those of the definitions in force, as far as the log is folded; the entries written.

    ``before`` is what was recorded until now; None if nobody knows: then all is recorded anew.
    """
    now = pipeline.segments.recorded
    if before is None:
        transaction.clear(timeline)
        missing = set(now)
    else:
        stale = {name for name, paths in before.items() if now.get(name) != paths}
        transaction.remove(timeline, "name", sorted(stale))
        missing = {name for name, paths in now.items() if before.get(name) != paths}
    upto = Position(transaction.progress(LOG))
    written = 0
    for chunk in chunks(_events(log, upto, missing, normalization)):
        identity = pipeline.identity.begin(transaction, [event.identifiers for event in chunk])
        session = pipeline.profiles.begin(transaction, {name: now[name] for name in missing})
        for event in chunk:
            signature = identity.signature(event.identifiers)
            if signature is not None:
                session.record(event, signature)
                written += 1
        session.save()
    return written


def _events(
    log: EventLog, upto: Position, names: set[str], normalization: Callable[[str], Normalization]
) -> Iterator[Event]:
    """The events of some names up to a position, decoded, in no particular order."""
    if not names:
        return
    files, hot = log.columns(upto)
    spelled = pc.field("name")
    if not all(map(one_spelling, names)):
        spelled = pc.utf8_normalize(spelled, form="NFC")
    wanted = spelled.isin(sorted(names))
    if files:
        sealed = ds.dataset([str(file) for file in files], format="parquet")
        at_most = pc.field("position") <= int(upto)
        for batch in sealed.to_batches(columns=_COLUMNS, filter=wanted & at_most):
            yield from _decoded(batch, normalization)
    for batch in hot.filter(wanted).select(_COLUMNS).to_batches():
        yield from _decoded(batch, normalization)


def _decoded(batch: pa.RecordBatch, normalization: Callable[[str], Normalization]) -> Iterator[Event]:
    columns = (batch.column(name).to_pylist() for name in _COLUMNS)
    for position, received, time, call, name, message_id, source, body in zip(*columns, strict=True):
        row = Logged(
            position=Position(position),
            received=Moment(received),
            time=Moment(time),
            call=Call(call),
            name=name,
            message_id=message_id,
            source=source,
            body=body.encode(),
        )
        yield read_event(row, normalization(source))


def chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """Lists of at most ``CHUNK`` items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
