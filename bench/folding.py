"""Fold: log → identities, profiles with provenance, ten segments, memberships, queued deliveries."""

import random
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import wraps
from itertools import islice
from pathlib import Path
from time import process_time
from typing import Any

import msgspec

from bench.figures import Figure
from cauce.activate.service import Activation
from cauce.app import pipeline as pipeline_module
from cauce.app.pipeline import LOG, Pipeline
from cauce.app.worker import Worker
from cauce.eventlog.sqlite import SqliteLog
from cauce.govern.access import Access
from cauce.identity.rules import default_rules, read_rules
from cauce.identity.service import Identity
from cauce.identity.session import Session as IdentitySession
from cauce.profile.service import Profiles
from cauce.profile.session import ProfileSession
from cauce.segment.live import LiveSegment, LiveSegments
from cauce.segment.session import SegmentSession
from cauce.storage import garbage
from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Accepted, Call
from cauce.vocabulary.language import parse
from cauce.vocabulary.moment import DAY, SECOND, Moment, now, parse_iso
from demo.load import calls

PEOPLE = 100_000
WARM_UP, MEASURED = 20_000, 60_000
TARGET = 8_000

SEGMENTS = {
    "buyers": "event('Order Completed').count() >= 1",
    "recent_buyers": "event('Order Completed').within(30 days).count() >= 1",
    "big_spenders": "event('Order Completed').where(property('revenue') >= 200).within(30 days).count() >= 1",
    "browsers": "event('Product Viewed').within(7 days).count() >= 3",
    "cart": "event('Product Added').within(7 days).count() >= 1",
    "abandoned": "event('Product Added').within(7 days).count() >= 1"
    " AND NOT (event('Order Completed').within(7 days).count() >= 1)",
    "visitors": "event('Page Viewed').within(1 days).count() >= 1",
    "known": "trait('email').exists()",
    "mail_example": "trait('email').ends_with('@mail.example') AND event('Page Viewed').count() >= 1",
    "plan_b": "trait('plan') = 'B-100'",
}


def accepted(stream: Iterator[bytes]) -> Iterator[Accepted]:
    """Calls of the tracking API as the door would hand them to the log."""
    for body in stream:
        call: Any = msgspec.json.decode(body)
        kind = Call(call["type"])
        name = call.get("event", "Page Viewed" if kind is Call.PAGE else "")
        time = parse_iso(call["timestamp"]) or Moment(0)
        yield Accepted(message_id=call["messageId"], time=time, call=kind, name=name, source="web", body=body)


def filled_log(folder: Path, events: int, until: Moment) -> SqliteLog:
    """A log that holds that many events of ``PEOPLE`` people, received at 1,000 a second."""
    log = SqliteLog(folder)
    stream = accepted(calls(people=PEOPLE, seed=7, until=Moment(until - DAY)))
    received = until - events * SECOND // 1_000
    while chunk := list(islice(stream, min(1_000, events))):
        log.append(chunk, [], now=Moment(received))
        received += SECOND
        events -= len(chunk)
    return log


def composed(folder: Path) -> Pipeline:
    """The pipeline with the default identity rules and ``SEGMENTS``, each told to one destination."""
    records = SqliteRecords(folder / "state.db", STATE)
    identity = Identity("person", read_rules(default_rules()))
    live = LiveSegments(LiveSegment(key, parse(rule), True) for key, rule in SEGMENTS.items())
    profiles = Profiles(records, identity, {}, Access(["operations"]).require)
    return Pipeline(records, identity, profiles, live, Activation({key: ["crm"] for key in SEGMENTS}))


class Shares:
    """Seconds of processor time spent in each step, by wrapping the steps' doors."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stack: list[float] = []

    def wrap(self, owner: Any, name: str, step: str) -> Callable[[], None]:
        """Count what ``owner.name`` takes, less what steps inside it take; returns how to undo it."""
        inner = getattr(owner, name)

        @wraps(inner)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self._stack.append(0.0)
            started = process_time()
            try:
                return inner(*args, **kwargs)
            finally:
                took = process_time() - started
                self.seconds[step] = self.seconds.get(step, 0) + took - self._stack.pop()
                if self._stack:
                    self._stack[-1] += took

        setattr(owner, name, counted)
        return lambda: setattr(owner, name, inner)


def steps(shares: Shares) -> list[Callable[[], None]]:
    """Wrap every step of the pipeline."""
    doors = [(Identity, "begin"), (IdentitySession, "observe"), (IdentitySession, "save")]
    undo = [shares.wrap(owner, name, "identity") for owner, name in doors]
    undo += [shares.wrap(ProfileSession, name, "profile") for name in ("load", "fold", "person", "save")]
    undo += [shares.wrap(SegmentSession, name, "segment") for name in ("load", "look", "retire", "save")]
    undo.append(shares.wrap(Activation, "queue", "activate"))
    undo.append(shares.wrap(SqliteLog, "read", "read the log"))
    undo.append(shares.wrap(sys.modules["cauce.app.worker"], "read_event", "decode"))
    undo.append(shares.wrap(pipeline_module.Pipeline, "fold", "transaction and commit"))
    return undo


def fold_all(worker: Worker, upto: int) -> float:
    """Fold until a position; processor seconds taken."""
    started = process_time()
    while worker.position < upto and worker.step():
        pass
    return process_time() - started


def run() -> list[Figure]:
    """Fold a warm store, then the same again with each step's share counted."""
    events = WARM_UP + MEASURED
    with tempfile.TemporaryDirectory() as temporary:
        folder, until = Path(temporary), now()
        log = filled_log(folder, events, until)
        pipeline = composed(folder)
        worker = Worker(pipeline, log, lambda _: pipeline.identity.ruleset.normalization, lambda: until)
        garbage.look_seldom()  # as the worker's process does
        fold_all(worker, WARM_UP)
        seconds = fold_all(worker, WARM_UP + MEASURED // 2)
        shares = Shares()
        undo = steps(shares)
        fold_all(worker, events)
        for restore in undo:
            restore()
        with pipeline.records.read() as reader:
            assert reader.progress(LOG) == events
        pipeline.records.close()
        log.close()
    rate = MEASURED / 2 / seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    total = sum(shares.seconds.values())
    figures = [
        Figure("fold, one core", rate, "events/s", f"≥ {TARGET:,}", rate >= TARGET),
        Figure("memory of the folding process", peak, "MB", "", True),
    ]
    for step, taken in sorted(shares.seconds.items(), key=lambda one: -one[1]):
        figures.append(Figure(f"  share of {step}", 100 * taken / total, "%", "", True))
    return figures


if __name__ == "__main__":
    random.seed(7)
    for figure in run():
        print(f"{figure.what:40} {figure.value:12,.1f} {figure.unit}")
