"""The past in the log: the observations that carried some identifiers, for the few events that need them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from cauce.app.log_rows import log_rows
from cauce.eventlog.port import EventLog
from cauce.identity.facts import Fact
from cauce.identity.past import Carried, Seen
from cauce.vocabulary.event import Call, Event, Logged, Position, read_event
from cauce.vocabulary.identifier import Normalization

_CARRYING = "cauce.app.log_carrying"
"""Reads by columns; loaded when it is asked for, as processes that fold need no DuckDB otherwise."""


class LogPast:
    """The events of the log before a position; see ``Past`` in identity."""

    def __init__(
        self, log: EventLog, normalization: Callable[[str], Normalization], scratch: Path, before: Position
    ) -> None:
        self._log = log
        self._normalization = normalization
        self._scratch = scratch
        self._upto = Position(before - 1)
        self._events: dict[Carried, list[Event]] = {}

    def carried(self, ids: Collection[str]) -> Iterable[Carried]:
        """What the observations with these message ids carried."""
        wanted = pc.field("message_id").isin(pa.array(sorted(ids), pa.string()))
        events = map(self._read, log_rows(self._log, self._upto, wanted))
        return {_carried(event) for event in events if event.identifiers}

    def seen(self, carried: Collection[Carried]) -> Mapping[Carried, Iterable[Seen]]:
        """All observations that carried exactly these sets."""
        return {
            one: [Seen(event.message_id, event.time, event.source) for event in events]
            for one, events in self.events(carried).items()
        }

    def events(self, carried: Collection[Carried]) -> Mapping[Carried, list[Event]]:
        """The same, whole, in the order of the log."""
        missing = [one for one in carried if one not in self._events]
        if missing:
            self._events.update({one: [] for one in missing})
            for event in sorted(self._carrying(missing), key=lambda event: event.position):
                self._events[_carried(event)].append(event)
        return {one: self._events[one] for one in carried}

    def group_calls(self, groups: Collection[str]) -> list[Event]:
        """All group calls about some groups, in the order of the log."""
        events = map(self._read, log_rows(self._log, self._upto, pc.field("call") == Call.GROUP.value))
        return sorted((one for one in events if one.group in groups), key=lambda one: one.position)

    def _carrying(self, sets: Collection[Carried]) -> Iterator[Event]:
        found: list[Logged] = import_module(_CARRYING).rows_that_carried(
            self._log, self._normalization, self._scratch, self._upto, sets
        )
        return map(self._read, found)

    def _read(self, row: Logged) -> Event:
        return read_event(row, self._normalization(row.source))


def facts_of(log: EventLog, upto: Position, normalization: Callable[[str], Normalization]) -> list[Fact]:
    """Everything that was stated up to a position, in order."""
    rows = log_rows(log, upto, pc.field("call") == Call.STATEMENT.value)
    said = (read_event(row, normalization(row.source)) for row in rows)
    events = sorted(said, key=lambda one: one.position)
    return [fact for event in events if (fact := Fact.of(event)) is not None]


def _carried(event: Event) -> Carried:
    return frozenset(map(str, event.identifiers))
