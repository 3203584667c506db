"""File runs: at each scheduled moment, a file of everybody who is in, or of what changed.

A run goes through phases that are stored: the changes it covers are collected
(marked ``sending``), the file is written under a name that is fixed beforehand, and
the changes are settled. A process that is killed is taken up where it was: the file
is written again with the same changes under the same name, or was there already. So
each change is in one file, and no file is ever seen in part.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import select

from cauce.activate.answers import Answer
from cauce.activate.delivery import Delivery, Outcome, State, as_rows, begin_attempt, read_delivery
from cauce.activate.destinations import FileTarget, allowed
from cauce.activate.fields import Change, about_person, columns_of, row_of
from cauce.activate.files import write_rows, write_text
from cauce.activate.needs import Members
from cauce.activate.outbox import Attempt, count_attempts, receipt_of
from cauce.activate.records import delivery, receipt
from cauce.activate.runs import Phase, Run, read_run, store_run
from cauce.activate.schedule import read_schedule
from cauce.activate.settings import ActivateSettings
from cauce.storage.records import Reader, Records, Transaction
from cauce.vocabulary.access import Purpose
from cauce.vocabulary.definitions import FileMode
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.moment import Clock, Moment, to_datetime, to_iso

_CHUNK = 1_000
"""Deliveries marked or settled in one transaction, because the fold writes to the same store."""


class FileRun:
    """Writes the files of one destination; see ``Chore``. ``segments`` are those that name it."""

    def __init__(
        self,
        records: Records,
        target: FileTarget,
        segments: Sequence[str],
        members: Members | None,
        clock: Clock,
        settings: ActivateSettings,
    ) -> None:
        self.name = target.name
        self._records = records
        self._target = target
        self._definition = target.definition
        self._columns = columns_of(target.definition)
        self._segments = segments
        self._members = members
        self._clock = clock
        self._settings = settings
        self._schedule = read_schedule(target.definition.schedule)
        self._next: Moment | None = None

    def due(self, now: Moment) -> bool:
        """Whether a scheduled moment has come since the last run, or a run is under way.

        A destination that is new waits for its first scheduled moment.
        """
        if self._next is not None and now < self._next:
            return False
        with self._records.read() as reader:
            run = read_run(reader, self.name)
        latest = self._schedule.latest(now)
        if run is None:
            with self._records.write() as transaction:
                store_run(transaction, Run(destination=self.name, phase=Phase.IDLE, number=0, due=latest))
        elif run.phase is not Phase.IDLE or latest > run.due:
            return True
        self._next = self._schedule.next(now)
        return False

    def do(self, check: Callable[[], None]) -> None:
        """Write the file that is due, however many moments were missed, and go on where a run was left."""
        with self._records.read() as reader:
            run = read_run(reader, self.name)
        assert run is not None
        if run.phase is Phase.IDLE:
            run = replace(run, due=self._schedule.latest(self._clock()))
        more = True
        while more:
            run, more = self._one(run, check)

    def _one(self, run: Run, check: Callable[[], None]) -> tuple[Run, bool]:
        """One file; whether there are more changes than went into it."""
        if run.phase is Phase.IDLE:
            number = run.number + 1
            run = self._store(replace(run, phase=Phase.COLLECTING, number=number, name="", error=""))
        if run.phase is Phase.COLLECTING:
            collected = self._collect(check)
            if not collected and not self._wanted_empty:
                back = replace(run, phase=Phase.IDLE, number=run.number - 1, entries=0, done=self._clock())
                return self._store(back), False
            run = self._store(replace(run, phase=Phase.WRITING, name=self._file_name(run)))
        if run.phase is Phase.WRITING:
            run = self._write(run, check)
        self._settle(run, check)
        self._remove_old()
        more = run.entries >= self._settings.file_rows and not self._full
        run = replace(run, phase=Phase.IDLE, done=self._clock())
        if more:  # the next file belongs to the same moment, also for whoever takes over
            run = replace(run, phase=Phase.COLLECTING, number=run.number + 1)
        return self._store(run), more

    @property
    def _wanted_empty(self) -> bool:
        return self._definition.write_empty or self._definition.mode is FileMode.FULL

    def _store(self, run: Run) -> Run:
        with self._records.write() as transaction:
            store_run(transaction, run)
        return run

    def _file_name(self, run: Run) -> str:
        moment = f"{to_datetime(run.due):%Y%m%dT%H%M%SZ}"
        return f"{self.name}-{moment}-{run.number:06d}.{self._definition.format}"

    def _collect(self, check: Callable[[], None]) -> int:
        """Mark what the file is to cover; returns how many changes that are."""
        with self._records.read() as reader:
            collected = len(reader.select(select(delivery.c.id).where(*self._marked)))
        most = self._settings.file_rows if self._definition.mode is FileMode.CHANGES else None
        while most is None or collected < most:
            check()
            limit = _CHUNK if most is None else min(_CHUNK, most - collected)
            with self._records.write() as transaction:
                found = transaction.select(
                    select(delivery)
                    .where(delivery.c.destination == self.name, delivery.c.kind == "file")
                    .where(delivery.c.due.is_not(None))
                    .order_by(delivery.c.due, delivery.c.sequence)
                    .limit(limit)
                )
                now = self._clock()
                some = [begin_attempt(read_delivery(row), now, now) for row in found]
                transaction.put(delivery, as_rows(some))
            collected += len(found)
            if len(found) < limit:
                break
        return collected

    @property
    def _marked(self) -> tuple[Any, ...]:
        return (
            delivery.c.state == State.SENDING.value,
            delivery.c.destination == self.name,
            delivery.c.kind == "file",
        )

    def _write(self, run: Run, check: Callable[[], None]) -> Run:
        """Write the file and beside it what is in it; raises ``OSError`` and ``CauceError``."""
        name = self._file_name(run)
        try:
            folder = allowed(self._target)
            folder.mkdir(parents=True, exist_ok=True)
            path = allowed(self._target) / name
            with self._records.read() as reader:
                rows = self._everybody(reader, check) if self._full else self._changes(reader)
                written = write_rows(
                    path, self._definition.format, self._columns, rows, bom=self._definition.bom
                )
            manifest = {
                "file": name,
                "destination": self.name,
                "mode": str(self._definition.mode),
                "due": to_iso(run.due),
                "number": run.number,
                "rows": written.rows,
                "bytes": written.size,
                "sha256": written.digest,
                "columns": [column.name for column in self._columns],
            }
            text = msgspec.json.format(msgspec.json.encode(manifest)).decode() + "\n"
            write_text(path.with_name(f"{name}.manifest.json"), text)
        except OSError as error:
            self._store(replace(run, error=f"{type(error).__name__}: {error.strerror}"))
            raise
        return self._store(replace(run, phase=Phase.SETTLING, name=name, entries=written.rows, error=""))

    @property
    def _full(self) -> bool:
        return self._definition.mode is FileMode.FULL

    def _changes(self, reader: Reader) -> Iterator[dict[str, Any]]:
        """What was collected, in the order of the changes."""
        table = delivery.c
        ordered = select(table.body).where(*self._marked).order_by(table.sequence, table.entered, table.id)
        for (body,) in reader.select(ordered):
            row = decode_json(body)
            assert isinstance(row, dict)
            yield row

    def _everybody(self, reader: Reader, check: Callable[[], None]) -> Iterator[dict[str, Any]]:
        """Everybody who is in a segment of this destination, in one snapshot."""
        assert self._members is not None
        purpose = Purpose(self._definition.purpose)
        traits = any(column.value.startswith("trait.") for column in self._columns)
        for segment in sorted(self._segments):
            for members in self._members.of(reader, segment, purpose=purpose, traits=traits):
                check()
                for one in members:
                    change = Change(one.profile_id, segment, True, one.since, one.since, one.since)
                    yield row_of(
                        self._columns, change, about_person(self._columns, one.identifiers, one.trait)
                    )

    def _settle(self, run: Run, check: Callable[[], None]) -> None:
        """Write down that what the file covers was delivered; ``status`` is the file's number."""
        answer = Answer(Outcome.DELIVERED, run.number)
        while True:
            check()
            with self._records.write() as transaction:
                found = transaction.select(select(delivery).where(*self._marked).limit(_CHUNK))
                self._delivered(transaction, [read_delivery(row) for row in found], answer)
            if len(found) < _CHUNK:
                return

    def _delivered(self, transaction: Transaction, some: Sequence[Delivery], answer: Answer) -> None:
        now = self._clock()
        over = [Attempt(one, answer, now) for one in some]
        transaction.put(
            delivery,
            as_rows(
                [
                    replace(one, state=State.DELIVERED, settled=now, status=answer.status, error="", body=b"")
                    for one in some
                ]
            ),
        )
        transaction.put(receipt, as_rows([receipt_of(one) for one in over]))
        count_attempts(transaction, over)

    def _remove_old(self) -> None:
        """Keep the newest files only, if the definition asks for that."""
        if not self._definition.keep:
            return
        folder = allowed(self._target)
        ours = re.compile(re.escape(self.name) + r"-\d{8}T\d{6}Z-(\d{6,})\.(csv|jsonl|parquet)")
        found = [(int(fit[1]), path) for path in folder.iterdir() if (fit := ours.fullmatch(path.name))]
        for _, path in sorted(found)[: -self._definition.keep]:
            path.with_name(f"{path.name}.manifest.json").unlink(missing_ok=True)
            path.unlink(missing_ok=True)
