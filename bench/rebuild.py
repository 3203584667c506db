"""Rebuild: sealed files → identities, fragments, timelines, memberships in a new store, in bulk.

``CAUCE_BENCH_EVENTS`` sets how many events there are, ten for each person; a million
unless it is set, ten million for the target.
"""

import os
import resource
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import duckdb

from bench.figures import Figure
from bench.wide_log import fill, property_of
from cauce.activate.service import Activation
from cauce.app.pipeline import LOG, Pipeline
from cauce.app.rebuild.derive import Derivation, Resources
from cauce.eventlog.sqlite import SqliteLog
from cauce.govern.access import Access
from cauce.identity.rules import default_rules, read_rules
from cauce.identity.service import Identity
from cauce.profile.service import Profiles
from cauce.segment.live import LiveSegment, LiveSegments
from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.language import parse
from cauce.vocabulary.moment import now

EVENTS = int(os.environ.get("CAUCE_BENCH_EVENTS", "1000000"))
EACH = 10
"""Events of a person."""

TARGET, MEMORY = 150_000, 4_096
MANY = 10_000_000
"""From this number of events on the target is asked for."""

SEGMENTS = {
    "buyers": "event('Kind 00').count() >= 1",
    "recent_buyers": "event('Kind 00').within(30 days).count() >= 1",
    "big_spenders": f"event('Kind 03').where(property('{property_of(3, 0)}') >= 200).count() >= 1",
    "browsers": "event('Kind 01').within(30 days).count() >= 2",
    "cart": "event('Kind 02').within(7 days).count() >= 1",
    "abandoned": "event('Kind 02').within(30 days).count() >= 1"
    " AND NOT (event('Kind 00').within(30 days).count() >= 1)",
    "visitors": "event('Page Viewed').within(7 days).count() >= 1",
    "known": "trait('email').exists()",
    "mail_example": "trait('email').ends_with('@Example.org') AND event('Page Viewed').count() >= 1",
    "plan": "trait('plan') = 'category 7'",
}


def composed(file: Path) -> Pipeline:
    """The pipeline over a new store, with the default identity rules and ``SEGMENTS``."""
    records = SqliteRecords(file, STATE)
    identity = Identity("person", read_rules(default_rules()))
    live = LiveSegments(LiveSegment(key, parse(rule), True) for key, rule in SEGMENTS.items())
    profiles = Profiles(records, identity, {}, Access(["operations"]).require)
    return Pipeline(records, identity, profiles, live, Activation({}))


class Steps:
    """Prints what is done, and what the step before took."""

    def __init__(self, *, loud: bool) -> None:
        self._loud = loud
        self._what, self._wall, self._processor = "", perf_counter(), process_time()

    def __call__(self, what: str) -> None:
        """Begin a step."""
        wall, processor = perf_counter(), process_time()
        if self._what and self._loud:
            took, used = wall - self._wall, processor - self._processor
            print(f"  {self._what:24} {took:7.2f} s, {used:7.2f} s of processors")
        self._what, self._wall, self._processor = what, wall, processor


def floor(log: SqliteLog) -> float:
    """Seconds that DuckDB takes to read every column of the same files once."""
    with log.snapshot(log.head()) as snapshot, duckdb.connect(config={"threads": 2}) as lake:
        files = [str(file.path) for file in snapshot.files]
        started = perf_counter()
        lake.execute(
            "SELECT count(*), sum(strlen(body)), sum(len(identifiers)), max(position), max(received), "
            "max(time), max(signature), max(message_id), max(source), max(name), max(call) "
            f"FROM read_parquet({files}, union_by_name = true)"
        ).fetchall()
        return perf_counter() - started


def run(*, loud: bool = False) -> list[Figure]:
    """Rebuild a wide log into a new store."""
    with tempfile.TemporaryDirectory() as temporary:
        space = Path(temporary)
        fill(space, EVENTS, EVENTS // EACH)
        log = SqliteLog(space)
        read = floor(log)
        pipeline = composed(space / "shadow.db")
        how = pipeline.identity.ruleset.normalization
        steps = Steps(loud=loud)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        started, processor = perf_counter(), process_time()
        tick = log.tick(now())
        derivation = Derivation(pipeline, log, lambda _: how, Resources(space / "scratch"), steps)
        derivation.derive(tick.head, tick.moment)
        steps("")
        seconds, processor = perf_counter() - started, process_time() - processor
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        with pipeline.records.read() as reader:
            assert reader.progress(LOG) == EVENTS
        pipeline.records.close()
        log.close()
    rate, full = EVENTS / seconds, EVENTS >= MANY
    ratio = seconds / read
    return [
        Figure(
            f"rebuild of {EVENTS / 1e6:g} M events, {EVENTS // EACH:,} people",
            rate,
            "events/s",
            f"≥ {TARGET:,}" if full else "",
            rate >= TARGET or not full,
            ratio,
            "DuckDB reading the same files",
        ),
        Figure("  processor time", processor, "s", "", True),
        Figure("  memory", peak, "MB", f"≤ {MEMORY:,}", peak <= MEMORY),
        Figure("  memory before", before, "MB", "", True),
    ]


if __name__ == "__main__":
    for figure in run(loud=True):
        print(f"{figure.what:48} {figure.value:12,.1f} {figure.unit} {figure.ratio or ''}")
