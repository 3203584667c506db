"""Status: where each destination stands, without personal data."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import func, select

from cauce.activate.delivery import UNSETTLED, State
from cauce.activate.records import delivery
from cauce.activate.runs import Run, read_run
from cauce.storage.records import Reader, Records
from cauce.vocabulary.definitions import Definitions, DestinationDef
from cauce.vocabulary.errors import NotFound
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.nearest import did_you_mean


class Status(NamedTuple):
    """A destination, the segments that name it, what it is owed, and how the last attempt went.

    ``counts`` says how many deliveries stand in each state other than delivered.
    ``error`` is that of the delivery that was tried last and not delivered, or of
    the last file or comparison; ``run`` is that one.
    """

    definition: DestinationDef
    segments: tuple[str, ...]
    counts: Mapping[str, int]
    oldest: Moment | None
    error: str
    run: Run | None

    @property
    def waiting(self) -> int:
        """Deliveries that are not settled."""
        return sum(self.counts.get(state, 0) for state in UNSETTLED)


class Destinations:
    """Reads where destinations stand."""

    def __init__(self, records: Records, definitions: Definitions) -> None:
        self._records = records
        self._definitions = definitions

    def all(self) -> list[Status]:
        """Every destination that is defined, by name."""
        with self._records.read() as reader:
            return [self._status(reader, name) for name in sorted(self._definitions.destinations)]

    def one(self, name: str) -> Status:
        """One destination; raises ``NotFound``."""
        if name not in self._definitions.destinations:
            hint = did_you_mean(name, self._definitions.destinations)
            raise NotFound(f"There is no destination {name}.", hint=hint)
        with self._records.read() as reader:
            return self._status(reader, name)

    def _status(self, reader: Reader, name: str) -> Status:
        states = [str(one) for one in State if one is not State.DELIVERED]
        mine = (delivery.c.destination == name, delivery.c.state.in_(states))
        counted = select(delivery.c.state, func.count(), func.min(delivery.c.sequence)).where(*mine)
        rows = reader.select(counted.group_by(delivery.c.state))
        oldest = [since for state, _, since in rows if state in UNSETTLED]
        run = read_run(reader, name)
        return Status(
            definition=self._definitions.destinations[name],
            segments=tuple(
                key for key, one in self._definitions.segments.items() if name in one.destinations
            ),
            counts={state: count for state, count, _ in rows},
            oldest=Moment(min(oldest)) if oldest else None,
            error=(run.error if run else "") or self._error(reader, name),
            run=run,
        )

    def _error(self, reader: Reader, name: str) -> str:
        """Why the delivery that was tried last was not delivered; empty if none waits because of an error."""
        table = delivery.c
        failed = (table.destination == name, table.error != "", table.state.in_(UNSETTLED))
        found = reader.select(select(table.error).where(*failed).order_by(table.started.desc()).limit(1))
        return str(found[0][0]) if found else ""
