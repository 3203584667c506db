"""The import of a file: read rows, gather groups, make events, hand them to the log."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from operator import itemgetter
from pathlib import Path

from cauce.collect.files.delivery import GROUP_BYTES, Delivery, ImportLog, Unlogged
from cauce.collect.files.events import EventMaker, Lines, Unfit
from cauce.collect.files.groups import KeyOf, grouped, scattered
from cauce.collect.files.line_maker import LineMaker
from cauce.collect.files.mapping import Mapping
from cauce.collect.files.mapping.model import Kind
from cauce.collect.files.reasons import FileReason
from cauce.collect.files.result import ImportResult, Progress, Report
from cauce.collect.files.rows import BadRow, Row, read_rows
from cauce.collect.files.side_by_side import Work, fits, made_side_by_side
from cauce.collect.files.stream import FileBytes
from cauce.collect.settings import CollectSettings
from cauce.eventlog.history import BYTES_PER_CHUNK
from cauce.eventlog.pool import pool_of
from cauce.eventlog.port import EVENTS_PER_CHUNK
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.event import Accepted
from cauce.vocabulary.exact import encode_json
from cauce.vocabulary.moment import Clock

PROGRESS_LINES = 10_000
"""Progress is told after each so many lines."""


def import_file(
    path: Path,
    mapping: Mapping,
    log: ImportLog,
    *,
    clock: Clock,
    source: str = "",
    progress: Report | None = None,
    dry_run: bool = False,
    at_most: int | None = None,
    bulk: bool = False,
    processes: int = 1,
    settings: CollectSettings = CollectSettings(),
) -> ImportResult:
    """Import a CSV or JSON Lines file, also gzipped; ``source`` replaces the mapping's.

    Importing the same file again, or after a kill in the middle, adds only what
    is missing: message ids derive from content, and the log takes each once.
    A ``dry_run`` appends nothing and counts as if the log were empty; its result
    has the first events. ``at_most`` so many rows are read, for a trial.
    ``bulk``: the log takes very many events at once. With several ``processes``
    a long file of lines is read side by side, with the same result.

    Raises ``InvalidInput`` if the file cannot be opened, has a format that
    cannot be read or lacks mapped columns, and ``Transient`` if the log is
    locked or full; then what was appended before stays, and a second run
    finishes the work.
    """
    if not path.is_file():
        raise InvalidInput(
            f"{path} is no file.", hint="Give the path of a file; what a pipe brings must be saved first."
        )
    groups = (EVENTS_PER_CHUNK, BYTES_PER_CHUNK) if bulk else (settings.group_events, GROUP_BYTES)
    one = _Import(
        path, mapping, source or mapping.source, clock, progress, settings, at_most, groups, processes
    )
    if not dry_run:
        return one.run(log)
    trial = Unlogged()
    result = one.run(trial)
    result.first_events = trial.first
    return result


class _Import:
    """One import."""

    def __init__(
        self,
        path: Path,
        mapping: Mapping,
        source: str,
        clock: Clock,
        progress: Report | None,
        settings: CollectSettings,
        at_most: int | None,
        groups: tuple[int, int],
        processes: int,
    ) -> None:
        self._processes = processes
        self._settings = settings
        self._at_most = at_most
        self._path = path
        self._mapping = mapping
        self._source = source
        self._clock = clock
        self._progress = progress
        self._received = clock()
        self._group_events, self._group_bytes = groups
        self._makers = [EventMaker(rule, mapping, source, settings) for rule in mapping.events]
        self._repeats: Counter[tuple[object, ...]] = Counter()
        self.result = ImportResult()

    def run(self, log: ImportLog) -> ImportResult:
        """Read the file to its end and append what it gives."""
        delivery = Delivery(
            log,
            self.result,
            file=self._path.name,
            source=self._source,
            clock=self._clock,
            group_events=self._group_events,
            group_bytes=self._group_bytes,
        )
        if self._mapping.group_by:
            self._import_groups(delivery)
        else:
            self._import_rows(delivery)
        if self.result.problem:
            delivery.note_problem(FileReason.TRUNCATED_FILE, self.result.problem)
        delivery.flush()
        return self.result

    def _import_rows(self, delivery: Delivery) -> None:
        """Each line makes an event of its own."""
        side_by_side = self._processes > 1 and self._at_most is None and fits(self._mapping, self._path)
        for made in self._made_side_by_side() if side_by_side else self._made_here():
            if isinstance(made, BadRow):
                delivery.refuse(made)
            else:
                delivery.event(made, 1)

    def _made_here(self) -> Iterator[Accepted | BadRow]:
        maker = LineMaker(self._mapping, self._source, self._settings, self._received)
        for row in self._rows("importing", self._mapping):
            content: tuple[object, ...] = row.content if isinstance(row, Row) else ()
            if self._mapping.keep_repeated:
                self._repeats[content] += 1
                content = (*content, self._repeats[content])
            yield maker.of(row, content)

    def _made_side_by_side(self) -> Iterator[Accepted | BadRow]:
        tell = self._progress or _tell_nobody
        work = Work(self._mapping, self._source, self._settings, self._received)
        number = 0
        try:
            data = FileBytes(self._path)
            with pool_of(self._processes) as pool:
                for batch in made_side_by_side(data, work, pool, self._processes):
                    number += len(batch)
                    tell(Progress("importing", number, data.done, data.total))
                    yield from batch
        except OSError as failed:
            raise InvalidInput(f"{self._path} cannot be read: {failed.strerror}.") from failed
        self.result.problem = data.problem

    def _import_groups(self, delivery: Delivery) -> None:
        """All lines with the same key make one event, or one for each rule that takes some of them."""
        mapping = self._mapping
        keys = replace(mapping, columns={name: mapping.columns[name] for name in mapping.group_by})
        runs = scattered(self._rows("grouping", keys), _key_of(keys))
        key_of = _key_of(mapping)
        ending: list[Row] = []
        for group in grouped(self._rows("importing", mapping), key_of, runs):
            if isinstance(group, BadRow):
                delivery.refuse(group)
                continue
            if ending:
                self._deliver_group(delivery, ending, key_of)
            ending = group
        if self.result.problem:
            self._refuse(delivery, ending, FileReason.TRUNCATED_FILE, "The file ends within these lines.")
        elif ending:
            self._deliver_group(delivery, ending, key_of)

    def _deliver_group(self, delivery: Delivery, rows: list[Row], key_of: KeyOf) -> None:
        key = key_of(rows[0])
        if not self._mapping.keep_repeated:
            first: dict[tuple[str, ...], Row] = {}
            for row in rows:
                first.setdefault(row.content, row)
            delivery.duplicate(len(rows) - len(first))
            rows = list(first.values())
        self._deliver(delivery, rows, key if isinstance(key, tuple) else (key,))

    def _deliver(self, delivery: Delivery, rows: list[Row], content: tuple[object, ...]) -> None:
        """The rows of a group as events: one for each rule that takes some of them."""
        taken: dict[EventMaker | None, list[Row]] = {}
        for row in rows:
            taken.setdefault(self._maker(row), []).append(row)
        for maker, those in taken.items():
            self._make(delivery, maker, those, [row.values for row in those], content)

    def _make(
        self,
        delivery: Delivery,
        maker: EventMaker | None,
        rows: list[Row],
        lines: Lines,
        content: tuple[object, ...],
    ) -> None:
        """One event, or the rows refused."""
        if maker is None:
            self._refuse(delivery, rows, FileReason.NO_EVENT, "No event of the mapping takes the line.")
            return
        try:
            event = maker.make(lines, content, self._received)
        except Unfit as unfit:
            self._refuse(delivery, rows, unfit.reason, str(unfit))
        else:
            delivery.event(event, len(rows))

    def _maker(self, row: Row) -> EventMaker | None:
        """The first rule that takes the row."""
        for maker in self._makers:
            if maker.takes(row.values):
                return maker
        return None

    def _refuse(self, delivery: Delivery, rows: list[Row], reason: str, detail: str) -> None:
        for row in rows:
            delivery.refuse(BadRow(row.line, row.raw, reason, detail))

    def _rows(self, step: str, mapping: Mapping) -> Iterator[Row | BadRow]:
        """The rows of the file, telling progress; in the end a problem of the file is noted."""
        tell = self._progress or _tell_nobody
        number = 0
        try:
            data = FileBytes(self._path)
            for row in islice(read_rows(data, mapping), self._at_most):
                number += 1
                if number % PROGRESS_LINES == 0:
                    tell(Progress(step, number, data.done, data.total))
                yield row
        except OSError as failed:
            raise InvalidInput(f"{self._path} cannot be read: {failed.strerror}.") from failed
        tell(Progress(step, number, data.done, data.total))
        self.result.problem = data.problem


def _tell_nobody(_: Progress) -> None:
    """Progress nobody asked for."""


def _key_of(mapping: Mapping) -> KeyOf:
    """How to read the key of a row's group."""
    names = list(mapping.columns)
    indexes = [names.index(name) for name in mapping.group_by]
    pick = itemgetter(*indexes)
    if any(mapping.columns[name].kind is Kind.ANY for name in mapping.group_by):
        return lambda row: tuple(encode_json(row.values[index]).decode() for index in indexes)
    return lambda row: pick(row.values)
