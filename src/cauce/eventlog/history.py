"""History in bulk: accepted events go straight into sealed files, without passing through rows.

Events come in chunks, and each chunk is committed as a sealed range of its own,
exactly once: whoever is killed repeats the whole, and what is there already is a
duplicate. The costly part, describing and sorting a chunk, needs no lock. Then,
with the log's lock held, the chunk gets its positions and its moment, takes the
hot rows before it along into its file, and is registered. Other appenders wait
meanwhile, a few tenths of a second.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cauce.eventlog.columns import PLAIN, SEALED, plain_columns
from cauce.eventlog.content import content_print, id_print
from cauce.eventlog.database import FOLDER
from cauce.eventlog.deciding import RefusedRow, conflict_row
from cauce.eventlog.describe import Describer
from cauce.eventlog.plan import Plan
from cauce.eventlog.pool import pool_of
from cauce.eventlog.port import EVENTS_PER_CHUNK, Appended, Outcome
from cauce.eventlog.runs import range_name, write_run
from cauce.eventlog.seal import clean, disk_told, seal
from cauce.eventlog.sealable import Opener, Range, Sealed, SealRow
from cauce.eventlog.sealed import run_of
from cauce.eventlog.sealed_file import Writer, by_name, completed, merge_into, put_in_place, unused_names
from cauce.eventlog.statistics import FileStatistics, joined, promoted_in, statistics_of
from cauce.vocabulary.errors import Conflict
from cauce.vocabulary.event import Accepted, Call, Position
from cauce.vocabulary.language.paths import Path as PropertyPath
from cauce.vocabulary.moment import Clock, Moment

ARRIVING = pa.schema([field for field in PLAIN if field.name not in ("position", "received")])
"""Accepted events in columns: they have no position and were not received yet."""

BYTES_PER_CHUNK = 64 * 1024 * 1024
_BATCH = 8_192
_MANY_HOT = 20_000
_WAIT_SECONDS = 600.0
"""How long to wait for another sealer."""
_CALLS = {call: call.value for call in Call}


class Exclusive(Protocol):
    """A log whose lock is held: nobody else appends until ``finish`` returns or the context is left."""

    @property
    def head(self) -> Position:
        """The last position."""

    @property
    def sealed_to(self) -> Position:
        """The last sealed position."""

    @property
    def floor(self) -> Moment:
        """No event may be received before."""

    def known(self, prints: Sequence[int]) -> Mapping[int, bytes]:
        """Those of the fingerprints of message ids that the log holds, with those of their contents."""

    def rows(self) -> Iterator[list[SealRow]]:
        """The rows that are not sealed, in order."""

    def finish(self, sealed: Sealed | None, new: Mapping[int, bytes], refused: Sequence[RefusedRow]) -> None:
        """Register a range that ends the log, whose ``new`` ids are known from now on, and refuse input.

        One transaction; durable when it returns. Raises ``Transient`` if the disk refused.
        """


class BulkAppender(Protocol):
    """What an engine gives for appending in bulk."""

    @property
    def seed(self) -> int:
        """The seed of the log's fingerprints."""

    def known(self, prints: Sequence[int]) -> Mapping[int, bytes]:
        """Those of the fingerprints that the log holds now; others may append meanwhile."""

    def exclusive(self) -> AbstractContextManager[Exclusive]:
        """The log with its lock held, as long as the context lasts; undone if nothing is sealed."""


class _Decided(NamedTuple):
    """A chunk: its events that are new to all appearances with their places, and what became of all."""

    rows: pa.RecordBatch
    ids: list[int]
    contents: list[bytes]
    places: list[int]
    outcomes: list[Outcome]
    conflicts: list[RefusedRow]


class _Described(NamedTuple):
    """The new rows of a chunk by name, ``position`` being their place in it, and what is known of them."""

    rows: pa.Table
    paths: list[PropertyPath]
    statistics: FileStatistics


def columns_of(events: Iterable[Accepted]) -> Iterator[pa.RecordBatch]:
    """Accepted events as batches of ``ARRIVING``."""
    rows: list[tuple[object, ...]] = []
    size = 0
    for one in events:
        rows.append((one.time, _CALLS[one.call], one.name, one.message_id, one.source, one.body))
        size += len(one.body)
        if len(rows) == _BATCH or size >= BYTES_PER_CHUNK:
            yield _arriving(rows)
            rows, size = [], 0
    if rows:
        yield _arriving(rows)


def _arriving(rows: Sequence[tuple[object, ...]]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, ARRIVING, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=ARRIVING)


def append_sealed(
    log: BulkAppender,
    space: Path,
    opener: Opener,
    batches: Iterable[pa.RecordBatch],
    plan: Plan,
    clock: Clock,
    *,
    processes: int = 1,
    events_per_chunk: int = EVENTS_PER_CHUNK,
) -> Iterator[Appended]:
    """Append batches of ``ARRIVING`` straight into sealed files; what became of each chunk, once durable.

    With several ``processes`` the plan must be picklable. Raises ``Transient`` if
    the disk is full and ``Conflict`` if another sealer does not end; chunks told
    by then stay appended.
    """
    folder = space / FOLDER
    with closing(opener()) as store, store.alone(wait_seconds=_WAIT_SECONDS), disk_told():
        folder.mkdir(exist_ok=True)
        clean(folder, store.ranges())
    with ExitStack() as stack:
        pool = stack.enter_context(pool_of(processes)) if processes > 1 else None
        describe = partial(_describe, plan)
        waiting: deque[tuple[_Decided, Future[_Described] | None]] = deque()
        for chunk in _chunks(batches, events_per_chunk):
            decided = _decide(log, chunk, clock())
            future = pool.submit(describe, decided.rows) if pool and decided.ids else None
            waiting.append((decided, future))
            if len(waiting) > processes - 1:
                yield _commit(log, space, opener, plan, clock, *waiting.popleft())
        while waiting:
            yield _commit(log, space, opener, plan, clock, *waiting.popleft())


def _chunks(batches: Iterable[pa.RecordBatch], at_most: int) -> Iterator[pa.RecordBatch]:
    """Batches put together until they are enough, and cut where they are too much."""
    found: list[pa.RecordBatch] = []
    events = size = 0
    for batch in batches:
        while batch.num_rows:
            part = batch.slice(0, at_most - events)
            batch = batch.slice(part.num_rows)
            found.append(part)
            events += part.num_rows
            size += part.get_total_buffer_size() if part.num_rows == batch.num_rows else part.nbytes
            if events == at_most or size >= BYTES_PER_CHUNK:
                yield pa.concat_batches(found)
                found, events, size = [], 0, 0
    if found:
        yield pa.concat_batches(found)


def _decide(log: BulkAppender, chunk: pa.RecordBatch, now: Moment) -> _Decided:
    """Which events of a chunk are new, by their message ids; each id once."""
    ids = [id_print(one, log.seed) for one in chunk["message_id"].to_pylist()]
    bodies = chunk["body"].cast(pa.binary()).to_pylist()
    contents = [content_print(body, log.seed) for body in bodies]
    known = dict(log.known(ids))
    outcomes = []
    for id_, content in zip(ids, contents, strict=True):
        before = known.setdefault(id_, content)
        repeated = Outcome.DUPLICATE if before == content else Outcome.CONFLICTING_REPEAT
        outcomes.append(Outcome.ACCEPTED if before is content else repeated)
    new = [at for at, outcome in enumerate(outcomes) if outcome is Outcome.ACCEPTED]
    if len(new) == len(ids):
        return _Decided(chunk, ids, contents, new, outcomes, [])
    conflicting = [at for at, outcome in enumerate(outcomes) if outcome is Outcome.CONFLICTING_REPEAT]
    conflicts = _conflicts(chunk, conflicting, contents, now)
    rows = chunk.take(pa.array(new, pa.int64()))
    return _Decided(rows, [ids[at] for at in new], [contents[at] for at in new], new, outcomes, conflicts)


def _conflicts(
    chunk: pa.RecordBatch, places: Sequence[int], contents: Sequence[bytes], now: Moment
) -> list[RefusedRow]:
    rows = chunk.select(["source", "body", "call"]).take(pa.array(places, pa.int64())).to_pylist()
    return [
        conflict_row(row["source"], row["body"].encode(), row["call"], now, contents[at])
        for row, at in zip(rows, places, strict=True)
    ]


def _describe(plan: Plan, rows: pa.RecordBatch) -> _Described:
    """Describe the rows of a chunk and sort them by name."""
    place = pa.array(np.arange(rows.num_rows, dtype=np.int64))
    never = pa.array(np.zeros(rows.num_rows, dtype=np.int64))
    plain = pa.RecordBatch.from_arrays([place, never, *rows.columns], schema=PLAIN)
    return _described(plan, [plain.slice(at, _BATCH) for at in range(0, plain.num_rows, _BATCH)])


def _described(
    plan: Plan, batches: Sequence[pa.RecordBatch], paths: Sequence[PropertyPath] | None = None
) -> _Described:
    """Batches of ``PLAIN`` described and sorted; ``paths`` are all there are to promote, if given."""
    describer = Describer(plan.how, paths or plan.paths, **({} if paths is None else {"often": 0}))
    for batch in batches:
        describer.add(batch)
    promoted = describer.paths
    rows, observed, normalized = describer.done()
    rows = rows.take(pc.sort_indices(rows, sort_keys=[("name", "ascending"), ("position", "ascending")]))
    measured = rows.append_column("bytes", pc.binary_length(rows["body"]))
    return _Described(rows, promoted, statistics_of(measured, promoted, observed, normalized))


def _commit(
    log: BulkAppender,
    space: Path,
    opener: Opener,
    plan: Plan,
    clock: Clock,
    decided: _Decided,
    future: Future[_Described] | None,
) -> Appended:
    """Seal a chunk at the end of the log."""
    described = None
    if decided.ids:
        described = future.result() if future else _describe(plan, decided.rows)
    with closing(opener()) as store, disk_told():
        _seal_if_many(space, store.ranges(), log, plan, opener)
        with store.alone(wait_seconds=_WAIT_SECONDS):
            with log.exclusive() as held:
                made = _seal_chunk(space / FOLDER, log.seed, held, plan, clock(), decided, described)
            if made.accepted:
                store.delete(made.last)
    return made


def _seal_if_many(
    space: Path, ranges: Sequence[Range], log: BulkAppender, plan: Plan, opener: Opener
) -> None:
    """Seal hot rows in the ordinary way first if they are so many that the lock would be held long."""
    with log.exclusive() as held:
        head = held.head
    if head - (ranges[-1].last if ranges else 0) > _MANY_HOT:
        with suppress(Conflict):  # another process seals them just now
            seal(space, head, plan.how, plan=plan, opener=opener)


def _seal_chunk(
    folder: Path,
    seed: int,
    held: Exclusive,
    plan: Plan,
    now: Moment,
    decided: _Decided,
    described: _Described | None,
) -> Appended:
    """With the log's lock held: give the chunk its place, write its file, register it."""
    kept, late = _still_new(held, decided, now)
    refused = [*decided.conflicts, *late]
    told = Appended(decided.outcomes, held.head)
    if described is None or not len(kept):
        if refused:
            held.finish(None, {}, refused)
        return told
    received = max(now, held.floor)
    rows = _placed(described.rows, kept, held.head, received)
    hot_rows = [row for rows in held.rows() for row in rows]
    parts = [_Described(rows, described.paths, _known_of(rows, described))]
    if hot_rows:
        batches = [
            plain_columns([row[:8] for row in hot_rows[at : at + _BATCH]])
            for at in range(0, len(hot_rows), _BATCH)
        ]
        parts.insert(0, _described(plan, batches, described.paths))
    new = {decided.ids[at]: decided.contents[at] for at in kept.tolist()}
    prints = [(id_print(row[5], seed), row[8]) for row in hot_rows] + list(new.items())
    last = int(held.head + 1 + kept[-1])
    run = run_of(held.sealed_to + 1, last, [id_ for id_, _ in prints], [content for _, content in prints])
    write_run(folder, run, seed)
    sealed = _written(folder, parts, held.sealed_to + 1, last, received)
    held.finish(sealed, new, refused)
    return told._replace(last=Position(last))


def _still_new(
    held: Exclusive, decided: _Decided, now: Moment
) -> tuple[npt.NDArray[np.int64], list[RefusedRow]]:
    """The places of events that are new now that nobody else appends, and those that conflict.

    Corrects the outcomes of the others.
    """
    known = held.known(decided.ids)
    kept = np.array([at for at, id_ in enumerate(decided.ids) if id_ not in known], dtype=np.int64)
    late = [at for at, id_ in enumerate(decided.ids) if id_ in known]
    conflicting = [at for at in late if known[decided.ids[at]] != decided.contents[at]]
    for at in late:
        decided.outcomes[decided.places[at]] = Outcome.DUPLICATE
    for at in conflicting:
        decided.outcomes[decided.places[at]] = Outcome.CONFLICTING_REPEAT
    return kept, _conflicts(decided.rows, conflicting, decided.contents, now)


def _placed(rows: pa.Table, kept: npt.NDArray[np.int64], head: int, received: int) -> pa.Table:
    """The rows at these places with their positions behind ``head``, all received at one moment."""
    if len(kept) < rows.num_rows:
        rows = rows.filter(pc.is_in(rows["position"], value_set=pa.array(kept)))
    rows = rows.set_column(0, PLAIN.field("position"), pc.add(rows["position"], head + 1))
    moments = pa.array(np.full(rows.num_rows, received, dtype=np.int64))
    return rows.set_column(1, PLAIN.field("received"), moments)


def _known_of(rows: pa.Table, described: _Described) -> FileStatistics:
    """What is known of the rows that stayed of those described."""
    measured = rows.append_column("bytes", pc.binary_length(rows["body"]))
    known = statistics_of(measured, described.paths, Counter(), described.statistics.normalized)
    return msgspec.structs.replace(
        known, kinds=described.statistics.kinds, all_kinds=described.statistics.all_kinds
    )


def _written(folder: Path, parts: Sequence[_Described], first: int, last: int, received: int) -> Sealed:
    """Write parts whose positions follow one another as one file, in place."""
    columns = {field.name: field for part in parts for field in part.rows.schema}
    schema = pa.schema([*SEALED, *(columns[name] for name in sorted(columns.keys() - set(SEALED.names)))])
    paths = parts[-1].paths
    statistics = msgspec.structs.replace(
        joined(part.statistics for part in parts),
        promoted=promoted_in(schema.names, paths),
        normalized={key: value for part in parts for key, value in part.statistics.normalized.items()},
    )
    name = range_name(first, last)
    events = sum(part.rows.num_rows for part in parts)
    with Writer(folder, schema, name, events) as writer:
        merge_into(writer, [by_name(completed(part.rows, schema)) for part in parts])
        written = writer.finish(statistics.encode())
    file = next(unused_names(name, [path.name for path in folder.iterdir()]))
    put_in_place([(written, file)], folder)
    range_ = Range(first, last, events, received, file, written.size, written.checksum)
    return Sealed(range_, msgspec.structs.replace(statistics, row_groups=written.row_groups))
