"""Refused input is looked at, repaired, judged again and replayed, or discarded.

What is replayed goes to the log in the transaction that settles it, so it counts
once however often it is tried.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import msgspec

from cauce.collect.judge import Arrival, IdFactory, Judge
from cauce.collect.reasons import Problem, Reason
from cauce.collect.repair import NOTHING, Repair
from cauce.collect.settings import CollectSettings
from cauce.collect.split import split, split_leniently, with_shared
from cauce.eventlog.port import Outcome, Quarantined, Settlement
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.errors import Conflict, NotFound
from cauce.vocabulary.event import TRACKING, Accepted, Call, Refused
from cauce.vocabulary.moment import Clock, Moment

_PAGE = 200
_EXAMPLES = 5
_CALLS = {call.value: call for call in TRACKING}
_LINE = Problem(
    Reason.NOT_AN_OBJECT,
    "A line of a file is no event: repair the file and import it again, or write the event by hand.",
)
_CONFLICT = Problem(
    Reason.MESSAGE_ID_USED,
    "Its message id was used before for other content: give it another one, or discard it.",
)


class QuarantineLog(Protocol):
    """The part of the event log that quarantine uses; see ``EventLog``."""

    def quarantined(
        self,
        *,
        after: int = 0,
        limit: int = 100,
        reason: str = "",
        source: str = "",
        settled: bool | None = None,
    ) -> list[Quarantined]:
        """Refused input in the order of its numbers."""

    def settle(
        self,
        numbers: Sequence[int],
        settlement: Settlement,
        events: Sequence[Accepted] = (),
        refused: Sequence[Refused] = (),
        *,
        now: Moment,
    ) -> list[Outcome]:
        """Settle refused input and append what was made of it, in one transaction."""


class Which(NamedTuple):
    """Which open input is meant: these numbers, or all of a reason and a source (empty: any)."""

    numbers: tuple[int, ...] = ()
    reason: str = ""
    source: str = ""


class Example(NamedTuple):
    """What became of one input: the bodies of its events, or why it stays."""

    number: int
    events: list[bytes]
    problem: str


class Replayed(NamedTuple):
    """What a replay came to.

    ``inputs`` were looked at, ``replayed`` of them were settled and made
    ``accepted`` new and ``duplicate`` known events; ``refused`` counts by reason
    what stays or is refused anew.
    """

    inputs: int
    replayed: int
    accepted: int
    duplicate: int
    refused: dict[str, int]
    examples: list[Example]


class _Judged(NamedTuple):
    entry: Quarantined
    arrival: Arrival
    events: list[Accepted]
    problems: list[tuple[Problem, bytes]]


class Quarantine:
    """Refused input of a space."""

    def __init__(
        self,
        log: QuarantineLog,
        limits: CollectSettings,
        new_id: IdFactory,
        clock: Clock,
        require: Callable[[Viewer, str, Purpose], None],
    ) -> None:
        self._log = log
        self._limits = limits
        self._judge = Judge(limits, new_id)
        self._clock = clock
        self._require = require

    def inputs(
        self,
        which: Which,
        *,
        after: int = 0,
        limit: int = 100,
        settled: bool | None = False,
        purpose: Purpose,
        viewer: Viewer,
    ) -> list[Quarantined]:
        """Refused input above the number ``after``, in order; ``settled`` None gives open and settled."""
        self._require(viewer, "read", purpose)
        if which.numbers:
            found = (self._at(number) for number in sorted(set(which.numbers)) if number > after)
            return [one for one in found if one is not None and _is_asked(one, which, settled)][:limit]
        return self._log.quarantined(
            after=after, limit=limit, reason=which.reason, source=which.source, settled=settled
        )

    def find(self, number: int, *, purpose: Purpose, viewer: Viewer) -> Quarantined:
        """One refused input; raises ``NotFound``."""
        self._require(viewer, "read", purpose)
        return self._existing(number)

    def _existing(self, number: int) -> Quarantined:
        found = self._at(number)
        if found is None:
            raise NotFound(f"There is no input {number} in quarantine.", hint="List what there is.")
        return found

    def replay(
        self,
        which: Which,
        repair: Repair = NOTHING,
        *,
        dry_run: bool = False,
        purpose: Purpose,
        viewer: Viewer,
    ) -> Replayed:
        """Repair open input, judge it again as of when it came, and append what is valid.

        Input of which nothing is valid stays open. Of a batch the valid events
        are taken, and the others are refused anew. With ``dry_run`` nothing
        changes, and ``accepted`` counts what would be appended or be known.
        """
        self._require(viewer, "write", purpose)
        total = Replayed(0, 0, 0, 0, {}, [])
        for page in self._open(which):
            judged = [self._judged(entry, repair.text(entry.body), repair) for entry in page]
            total = _added(total, judged, self._settle(judged, dry_run=dry_run))
        return total

    def replay_by_hand(
        self, number: int, body: bytes, *, dry_run: bool = False, purpose: Purpose, viewer: Viewer
    ) -> Replayed:
        """Replay one open input with ``body``, an event or a batch as JSON, in its place.

        Raises ``NotFound`` if there is no such input, and ``Conflict`` if it is settled.
        """
        self._require(viewer, "write", purpose)
        entry = self._existing(number)
        if entry.settled is not None:
            raise Conflict(f"Input {number} is settled already.", hint="Only open input is replayed.")
        whole = entry._replace(call="" if entry.call == Refused.LINE else entry.call)
        judged = [self._judged(whole, body, NOTHING)]
        return _added(Replayed(0, 0, 0, 0, {}, []), judged, self._settle(judged, dry_run=dry_run))

    def discard(self, which: Which, *, purpose: Purpose, viewer: Viewer) -> int:
        """Settle open input without replaying it; how much it was. It stays readable."""
        self._require(viewer, "write", purpose)
        number = 0
        for page in self._open(which):
            self._log.settle([one.number for one in page], Settlement.DISCARDED, now=self._clock())
            number += len(page)
        return number

    def _open(self, which: Which) -> Iterator[list[Quarantined]]:
        """Open input, a page at a time; not what is refused anew meanwhile."""
        if which.numbers:
            found = (self._at(number) for number in sorted(set(which.numbers)))
            yield [one for one in found if one is not None and _is_asked(one, which, False)]
            return
        last = max((page[-1].number for page in self._pages(which)), default=0)
        for page in self._pages(which):
            yield [one for one in page if one.number <= last]

    def _pages(self, which: Which) -> Iterator[list[Quarantined]]:
        after = 0
        while page := self._log.quarantined(
            after=after, limit=_PAGE, reason=which.reason, source=which.source, settled=False
        ):
            yield page
            after = page[-1].number

    def _at(self, number: int) -> Quarantined | None:
        found = self._log.quarantined(after=number - 1, limit=1)
        return found[0] if found and found[0].number == number else None

    def _judged(self, entry: Quarantined, body: bytes, repair: Repair) -> _Judged:
        arrival = Arrival(entry.source, entry.received, entry.sent, entry.call == Refused.HISTORICAL)
        if entry.call == Refused.LINE:
            return _Judged(entry, arrival, [], [(_LINE, body)])
        call = _CALLS.get(entry.call)
        items = [body]
        if entry.call == Refused.BATCH:
            batch = split(body) or split_leniently(body)
            if isinstance(batch, Problem):
                return _Judged(entry, arrival, [], [(batch, body)])
            arrival = arrival._replace(sent=batch.sent, historical=batch.historical)
            items = [with_shared(item, batch.shared) for item in batch.items]
        events, problems = [], []
        for item in map(repair.event, items):
            found = self._judge_one(item, call, arrival)
            if entry.reason == Outcome.CONFLICTING_REPEAT and item == entry.body:
                found = _CONFLICT
            if isinstance(found, Accepted):
                events.append(msgspec.structs.replace(found, came=entry.received))
            else:
                problems.append((found, item))
        return _Judged(entry, arrival, events, problems)

    def _judge_one(self, item: bytes, call: Call | None, arrival: Arrival) -> Accepted | Problem:
        longest = self._limits.max_event_bytes
        if len(item) > longest:
            return Problem(Reason.EVENT_TOO_LARGE, f"The event is longer than {longest} bytes.")
        return self._judge.judge_exactly(item, call, arrival)

    def _settle(self, judged: Sequence[_Judged], *, dry_run: bool) -> list[Outcome]:
        """Append what is valid and settle its input; the outcomes, ACCEPTED of all in a dry run."""
        valid = [one for one in judged if one.events]
        events = [event for one in valid for event in one.events]
        if dry_run or not valid:
            return [Outcome.ACCEPTED] * len(events)
        refused = [
            Refused(
                reason=problem.reason.value,
                detail=problem.detail,
                source=one.entry.source,
                body=item,
                call=Refused.HISTORICAL if one.arrival.historical else "",
                sent=one.arrival.sent,
                came=one.entry.received,
            )
            for one in valid
            for problem, item in one.problems
        ]
        numbers = [one.entry.number for one in valid]
        return self._log.settle(numbers, Settlement.REPLAYED, events, refused, now=self._clock())


def _is_asked(one: Quarantined, which: Which, settled: bool | None) -> bool:
    return (
        (not which.reason or one.reason == which.reason)
        and (not which.source or one.source == which.source)
        and (settled is None or (one.settled is not None) is settled)
    )


def _added(total: Replayed, judged: Sequence[_Judged], outcomes: Sequence[Outcome]) -> Replayed:
    refused = Counter(total.refused)
    refused.update(problem.reason.value for one in judged for problem, _ in one.problems)
    counts = Counter(outcomes)
    if counts[Outcome.CONFLICTING_REPEAT]:
        refused[Outcome.CONFLICTING_REPEAT.value] += counts[Outcome.CONFLICTING_REPEAT]
    examples = [
        Example(
            one.entry.number,
            [event.body for event in one.events],
            "" if one.events else " ".join(problem.detail for problem, _ in one.problems[:1]),
        )
        for one in judged[: _EXAMPLES - len(total.examples)]
    ]
    return Replayed(
        total.inputs + len(judged),
        total.replayed + sum(1 for one in judged if one.events),
        total.accepted + counts[Outcome.ACCEPTED],
        total.duplicate + counts[Outcome.DUPLICATE],
        dict(refused),
        total.examples + examples,
    )
