"""The port for the log of events: append durably, read in order, seal."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import NamedTuple, Protocol

import pyarrow as pa

from cauce.eventlog.plan import Plan
from cauce.eventlog.sealable import Range
from cauce.eventlog.snapshot import LogSnapshot
from cauce.eventlog.statistics import FileStatistics
from cauce.vocabulary.event import Accepted, Logged, Position, Refused
from cauce.vocabulary.moment import Clock, Moment

EVENTS_PER_CHUNK = 131_072
"""So many events of history are committed at once."""


class Outcome(StrEnum):
    """What became of one appended event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICTING_REPEAT = "conflicting_repeat"


class Tick(NamedTuple):
    """A promise of the log: every event after ``head`` is received at ``moment`` or later."""

    moment: Moment
    head: Position


class Settlement(StrEnum):
    """What became of refused input in the end."""

    REPLAYED = "replayed"
    DISCARDED = "discarded"


class Quarantined(NamedTuple):
    """Refused input as kept: when it came, from where, and why it was refused.

    ``call`` and ``sent`` as in ``Refused``. ``settled`` and ``settlement`` tell
    when it was replayed or discarded; both are None while it is open.
    """

    number: int
    received: Moment
    source: str
    reason: str
    detail: str
    body: bytes
    call: str = ""
    sent: Moment | None = None
    settled: Moment | None = None
    settlement: str | None = None


class Appended(NamedTuple):
    """What became of a chunk of history: ``outcomes`` of its events, in order.

    Its last event stands at ``last``, which is the head if none is new.
    """

    outcomes: list[Outcome]
    last: Position

    @property
    def accepted(self) -> int:
        """How many events are new."""
        return self.outcomes.count(Outcome.ACCEPTED)

    @property
    def duplicates(self) -> int:
        """How many events the log had already."""
        return self.outcomes.count(Outcome.DUPLICATE)

    @property
    def conflicting(self) -> int:
        """How many events have a message id that was used for other content; they are in quarantine."""
        return self.outcomes.count(Outcome.CONFLICTING_REPEAT)


class Pending(Protocol):
    """An append that is written and holds the log's lock, but is not durable yet.

    Whoever holds one must end it by ``commit`` or ``abandon``; until then every
    other append waits.
    """

    @property
    def outcomes(self) -> list[Outcome]:
        """What will have become of each event, in order, once ``commit`` returns."""

    def commit(self) -> None:
        """Make the append durable: one call that waits for the disk, fit for a thread.

        Raises ``Transient`` if the disk refused; then nothing was appended.
        """

    def abandon(self) -> None:
        """Undo the append as if it had never begun."""


class EventLog(Protocol):
    """The log of a space. Its order is the order of positions, and ``received`` never falls along it."""

    def append(self, events: Sequence[Accepted], refused: Sequence[Refused], *, now: Moment) -> list[Outcome]:
        """Append durably; an outcome for each of ``events``, in order.

        A message id that the log holds already, with the same content, is a
        duplicate; with other content it goes to quarantine as a conflicting
        repeat. Raises ``Transient`` if the log is locked or out of space; then
        nothing was appended.
        """

    def begin_append(
        self, events: Sequence[Accepted], refused: Sequence[Refused], *, now: Moment
    ) -> Pending | None:
        """The first half of ``append``: deduplicate and write, without waiting for anything.

        None means that it would have to wait (another append holds the lock, or
        others appended so much that taking it in would take long): call
        ``append`` or ``catch_up`` in a thread instead. Raises ``Transient`` if
        the log is out of space. Made for an event loop, which calls this on its
        own thread and only ``Pending.commit`` in another one.
        """

    def append_sealed(
        self,
        batches: Iterable[pa.RecordBatch],
        plan: Plan,
        *,
        clock: Clock,
        processes: int = 1,
        events_per_chunk: int = EVENTS_PER_CHUNK,
    ) -> Iterator[Appended]:
        """Append history in bulk, straight into sealed files; what became of each chunk, once durable.

        ``batches`` are of ``history.ARRIVING`` (``history.columns_of`` makes them of
        accepted events). Each message id is appended once, positions and moments go
        on where the log ends, and others may append meanwhile. A chunk is committed
        as a whole: whoever is killed repeats everything, and what is there is a
        duplicate. With several ``processes`` the plan must be picklable. Raises
        ``Transient`` if the disk is full, ``Conflict`` if another sealer does not end.
        """

    def catch_up(self) -> None:
        """Take in what others appended, so that the next append need not. Fit for a thread.

        Call it once at the start, and now and then while idle.
        """

    def read(self, after: Position, limit: int) -> list[Logged]:
        """Up to ``limit`` events with positions above ``after``, in order, each message id once."""

    def unsealed_at(self, times: Collection[Moment], limit: int) -> list[Logged]:
        """Up to ``limit`` events that are not sealed yet and happened at one of these moments, in order."""

    def head(self) -> Position:
        """The last position that is visible; 0 if the log is empty."""

    def snapshot(self, upto: Position) -> AbstractContextManager[LogSnapshot]:
        """The log up to a position for a columnar engine: sealed Parquet files, and the other rows.

        Nothing that is appended, sealed or compacted changes it while the context
        lasts. ``eventlog.bulk`` makes one relation of it. Raises ``Conflict``
        (damaged_log) if a sealed file is missing or cut off.
        """

    def sealed(self) -> list[Range]:
        """The sealed ranges in order."""

    def statistics(self) -> Mapping[str, FileStatistics]:
        """What is known of each sealed file, by its name, without opening it."""

    def sealed_upto(self) -> Position:
        """The last position that is sealed; 0 if none is."""

    def tick(self, now: Moment) -> Tick:
        """Fix the present: later appends are received at the returned moment or later."""

    def quarantined(
        self,
        *,
        after: int = 0,
        limit: int = 100,
        reason: str = "",
        source: str = "",
        settled: bool | None = None,
    ) -> list[Quarantined]:
        """Refused input in the order of its numbers, above ``after``.

        ``reason`` and ``source`` narrow it unless they are empty; ``settled``
        to what is settled or what is open.
        """

    def quarantine_counts(self) -> dict[str, int]:
        """How much refused input is open, by reason."""

    def settle(
        self,
        numbers: Sequence[int],
        settlement: Settlement,
        events: Sequence[Accepted] = (),
        refused: Sequence[Refused] = (),
        *,
        now: Moment,
    ) -> list[Outcome]:
        """Settle refused input, and append what was made of it, in one transaction.

        An outcome for each of ``events``, as ``append`` gives it. Raises
        ``Conflict`` (``not_open``) if a number is not there or settled already,
        and ``Transient`` as ``append`` does; then nothing was changed.
        """

    def close(self) -> None:
        """Release files and connections."""
