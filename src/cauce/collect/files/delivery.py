"""Handing events and refused lines to the log in groups, and counting what became of their lines."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Protocol

import pyarrow as pa

from cauce.collect.files.result import ImportResult
from cauce.collect.files.rows import BadRow
from cauce.eventlog.history import columns_of
from cauce.eventlog.plan import Plan
from cauce.eventlog.port import Appended, Outcome, Quarantined
from cauce.vocabulary.event import Accepted, Refused
from cauce.vocabulary.moment import Clock, Moment

GROUP_BYTES = 8 * 1024 * 1024
"""So many bytes of events are appended at once, or as many events as the settings say."""
FIRST_EVENTS = 5
"""So many events a dry run shows."""
KEPT_BYTES = 1 << 20
"""So many bytes of a refused line are kept in quarantine."""

_PAGE = 1_000


class ImportLog(Protocol):
    """The part of the event log that an import uses."""

    def append(self, events: Sequence[Accepted], refused: Sequence[Refused], *, now: Moment) -> list[Outcome]:
        """Append durably; an outcome for each event."""

    def quarantined(self, *, after: int = 0, limit: int = 100) -> list[Quarantined]:
        """Refused input in the order of its numbers."""


class Unlogged:
    """Stands in for the log in a dry run: keeps message ids and the first events."""

    def __init__(self) -> None:
        self.first: list[Accepted] = []
        self._seen: set[str] = set()

    def append(self, events: Sequence[Accepted], refused: Sequence[Refused], *, now: Moment) -> list[Outcome]:  # noqa: ARG002
        """Accept each message id once."""
        outcomes = []
        for event in events:
            outcomes.append(Outcome.DUPLICATE if event.message_id in self._seen else Outcome.ACCEPTED)
            self._seen.add(event.message_id)
        self.first += events[: FIRST_EVENTS - len(self.first)]
        return outcomes

    def quarantined(self, *, after: int = 0, limit: int = 100) -> list[Quarantined]:  # noqa: ARG002
        """Nothing."""
        return []


class HistoryLog(Protocol):
    """A log that takes many events at once; see ``EventLog.append_sealed``."""

    def append(self, events: Sequence[Accepted], refused: Sequence[Refused], *, now: Moment) -> list[Outcome]:
        """Append durably; an outcome for each event."""

    def quarantined(self, *, after: int = 0, limit: int = 100) -> list[Quarantined]:
        """Refused input in the order of its numbers."""

    def append_sealed(
        self, batches: Iterable[pa.RecordBatch], plan: Plan, *, clock: Clock, processes: int = 1
    ) -> Iterator[Appended]:
        """Append history straight into sealed files."""


class Historical:
    """Stands before the log in an import of history: events go straight to sealed files."""

    def __init__(self, log: HistoryLog, plan: Plan, clock: Clock) -> None:
        self._log = log
        self._plan = plan
        self._clock = clock

    def append(self, events: Sequence[Accepted], refused: Sequence[Refused], *, now: Moment) -> list[Outcome]:
        """Append in bulk; an outcome for each event, in order."""
        if refused:
            self._log.append([], refused, now=now)
        told = self._log.append_sealed(columns_of(events), self._plan, clock=self._clock)
        return [outcome for chunk in told for outcome in chunk.outcomes]

    def quarantined(self, *, after: int = 0, limit: int = 100) -> list[Quarantined]:
        """Refused input in the order of its numbers."""
        return self._log.quarantined(after=after, limit=limit)


class Delivery:
    """Collects events and refused lines of one import, and appends them in groups."""

    def __init__(
        self,
        log: ImportLog,
        result: ImportResult,
        *,
        file: str,
        source: str,
        clock: Clock,
        group_events: int,
        group_bytes: int = GROUP_BYTES,
    ) -> None:
        self._log = log
        self._result = result
        self._file = file
        self._source = source
        self._clock = clock
        self._group_events = group_events
        self._group_bytes = group_bytes
        self._events: list[Accepted] = []
        self._lines: list[int] = []  # of each event
        self._refused: list[Refused] = []
        self._bytes = 0
        self._known: set[bytes] | None = None

    def event(self, event: Accepted, lines: int) -> None:
        """An event made of so many lines."""
        self._result.read += lines
        self._events.append(event)
        self._lines.append(lines)
        self._grown(len(event.body))

    def duplicate(self, lines: int) -> None:
        """Lines that repeat earlier ones of their event."""
        self._result.read += lines
        self._result.duplicate += lines

    def refuse(self, row: BadRow) -> None:
        """A line that makes no event."""
        self._result.read += 1
        self._count_quarantined(row.reason, 1)
        self._quarantine(row.reason, f"{self._file}, line {row.line}: {row.detail}", row.raw[:KEPT_BYTES])

    def note_problem(self, reason: str, problem: str) -> None:
        """A problem of the file as a whole: kept in quarantine, but no line of it."""
        self._quarantine(reason, problem, b"")

    def _quarantine(self, reason: str, detail: str, body: bytes) -> None:
        self._refused.append(
            Refused(reason=str(reason), detail=detail, source=self._source, body=body, call=Refused.LINE)
        )
        self._grown(len(body))

    def flush(self) -> None:
        """Append what is collected."""
        refused = [item for item in self._refused if not self._is_known(item)]
        if self._events or refused:
            outcomes = self._log.append(self._events, refused, now=self._clock())
            self._count(outcomes)
        self._events, self._lines, self._refused, self._bytes = [], [], [], 0

    def _grown(self, size: int) -> None:
        self._bytes += size
        if len(self._events) + len(self._refused) >= self._group_events or self._bytes >= self._group_bytes:
            self.flush()

    def _count(self, outcomes: list[Outcome]) -> None:
        lines: Counter[Outcome] = Counter()
        for outcome, number in zip(outcomes, self._lines, strict=True):
            lines[outcome] += number
        self._result.accepted += lines[Outcome.ACCEPTED]
        self._result.duplicate += lines[Outcome.DUPLICATE]
        self._result.events += outcomes.count(Outcome.ACCEPTED)
        if lines[Outcome.CONFLICTING_REPEAT]:
            self._count_quarantined(Outcome.CONFLICTING_REPEAT.value, lines[Outcome.CONFLICTING_REPEAT])

    def _count_quarantined(self, reason: str, lines: int) -> None:
        self._result.quarantined += lines
        reasons = self._result.reasons
        reasons[str(reason)] = reasons.get(str(reason), 0) + lines

    def _is_known(self, refused: Refused) -> bool:
        """Whether quarantine holds this very line already, from an earlier import of the file."""
        if self._known is None:
            self._known = self._earlier()
        digest = _digest(refused.source, refused.reason, refused.detail, refused.body)
        if digest in self._known:
            return True
        self._known.add(digest)
        return False

    def _earlier(self) -> set[bytes]:
        known: set[bytes] = set()
        after = 0
        while page := self._log.quarantined(after=after, limit=_PAGE):
            after = page[-1].number
            known.update(
                _digest(q.source, q.reason, q.detail, q.body) for q in page if q.source == self._source
            )
        return known


def _digest(source: str, reason: str, detail: str, body: bytes) -> bytes:
    return blake2b("\0".join((source, reason, detail, "")).encode() + body, digest_size=16).digest()
