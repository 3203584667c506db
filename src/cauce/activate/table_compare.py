"""Comparisons: a mirrored table is made equal to who is in, as a whole, at set times.

Changes keep it so in between. A comparison loads a table that is new, takes out what
others put into it, and brings traits up to date that changed while she stayed in.
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b

from msgspec.structs import replace
from sqlalchemy import Connection

from cauce.activate.destinations import SqlTarget
from cauce.activate.fields import Change, about_person, row_of
from cauce.activate.needs import Members
from cauce.activate.runs import Phase, Run, read_run, store_run
from cauce.activate.schedule import read_schedule
from cauce.activate.tables import TableWriter
from cauce.storage.records import Reader, Records
from cauce.vocabulary.access import Purpose
from cauce.vocabulary.moment import Clock, Moment


class TableCompare:
    """Compares one mirrored table; see ``Chore``. ``segments`` are those that name the destination."""

    def __init__(
        self,
        records: Records,
        target: SqlTarget,
        writer: TableWriter,
        segments: Sequence[str],
        members: Members,
        clock: Clock,
    ) -> None:
        self.name = target.name
        self._records = records
        self._definition = target.definition
        self._writer = writer
        self._segments = segments
        self._members = members
        self._clock = clock
        self._schedule = read_schedule(target.definition.compare)
        self._next: Moment | None = None

    def due(self, now: Moment) -> bool:
        """Whether a scheduled moment has come since the last comparison; the first one is due at once."""
        if not self._writer.mirrors or (self._next is not None and now < self._next):
            return False
        with self._records.read() as reader:
            run = read_run(reader, self.name)
        if run is None or run.phase is not Phase.IDLE or self._schedule.latest(now) > run.due:
            return True
        self._next = self._schedule.next(now)
        return False

    def do(self, check: Callable[[], None]) -> None:
        """Make the table equal to who is in. What ``SQLAlchemyError`` it raises is tried again."""
        due = self._schedule.latest(self._clock())
        with self._records.read() as reader:
            before = read_run(reader, self.name)
        number = before.number + 1 if before else 1
        run = Run(destination=self.name, phase=Phase.WRITING, number=number, due=due)
        self._store(run)
        try:
            with self._writer.lock, self._records.read() as reader, self._writer.transaction() as there:
                count = self._compare(reader, there, check)
        except Exception as error:
            reason = getattr(error, "message", "") or type(error).__name__
            self._store(replace(run, number=number - 1, error=reason))
            raise
        self._store(replace(run, phase=Phase.IDLE, done=self._clock(), entries=count))

    def _store(self, run: Run) -> None:
        with self._records.write() as transaction:
            store_run(transaction, run)

    def _compare(self, reader: Reader, there: Connection, check: Callable[[], None]) -> int:
        """Write everybody who is in, and take out everybody else; returns how many are in."""
        wanted: set[bytes] = set()
        for rows in self._rows(reader):
            check()
            wanted.update(_digest(str(row["profile_id"]), str(row["segment"])) for row, _ in rows)
            self._writer.put(there, [self._writer.values(row) for _, row in rows], anew=True)
        extra = [key for key in self._writer.keys(there) if _digest(*key) not in wanted]
        check()
        self._writer.remove_keys(there, extra)
        return len(wanted)

    def _rows(self, reader: Reader) -> Iterator[list[tuple[dict[str, object], dict[str, object]]]]:
        """The key and the row of everybody who is in, in one snapshot."""
        fields = self._writer.fields
        purpose = Purpose(self._definition.purpose)
        traits = any(field.value.startswith("trait.") for field in fields)
        for segment in sorted(self._segments):
            for members in self._members.of(reader, segment, purpose=purpose, traits=traits):
                yield [
                    (
                        {"profile_id": one.profile_id, "segment": segment},
                        row_of(
                            fields,
                            Change(one.profile_id, segment, True, one.since, one.since, one.since),
                            about_person(fields, one.identifiers, one.trait),
                        ),
                    )
                    for one in members
                ]


def _digest(profile_id: str, segment: str) -> bytes:
    """Sixteen bytes for a key, so that a million take 100 MB."""
    return blake2b(f"{profile_id}\x00{segment}".encode(), digest_size=16).digest()
