"""Recording the past on timelines: the events that rules mention now and did not mention before.

Only those events are read: sealed files keep them together by name, and of a hot
row the columns are looked at before its body is decoded.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

import pyarrow.compute as pc

from cauce.app.log_rows import log_rows
from cauce.app.pipeline import LOG, Pipeline
from cauce.eventlog.port import EventLog
from cauce.profile.records import timeline, timeline_folded
from cauce.profile.session import Recorded
from cauce.storage.records import Transaction
from cauce.vocabulary.event import Event, Position, read_event
from cauce.vocabulary.identifier import Normalization
from cauce.vocabulary.language.paths import one_spelling

CHUNK = 2_000

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
    now = pipeline.recorded
    if before is None:
        transaction.clear(timeline)
        transaction.clear(timeline_folded)
        missing = set(now)
    else:
        stale = {name for name, paths in before.items() if now.get(name) != paths}
        for table in (timeline, timeline_folded):
            transaction.remove(table, "name", sorted(stale))
        missing = {name for name, paths in now.items() if before.get(name) != paths}
    upto = Position(transaction.progress(LOG))
    written = 0
    for chunk in chunks(_events(log, upto, missing, normalization)):
        identity = pipeline.identity.begin(transaction, [event.identifiers for event in chunk])
        session = pipeline.profiles.begin(transaction, {name: now[name] for name in missing})
        for event in chunk:
            signature = identity.signature(event.identifiers)
            if signature is not None and identity.counts(event):
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
    spelled = pc.field("name")
    if not all(map(one_spelling, names)):
        spelled = pc.utf8_normalize(spelled, form="NFC")
    for row in log_rows(log, upto, spelled.isin(sorted(names))):
        yield read_event(row, normalization(row.source))


def chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """Lists of at most ``CHUNK`` items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
