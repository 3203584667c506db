"""Sealing the event log: events a second, memory, size, and reading back in order.

The sealer runs as it does in operation, as a process of its own with low
priority. ``python -m bench.eventlog_seal [EVENTS]`` prints JSON.
"""

import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.eventlog_append import CALL_BODY
from bench.figures import Figure
from cauce.eventlog.plan import BySource, Plan
from cauce.eventlog.seal_process import start_sealing
from cauce.eventlog.sqlite import SqliteLog
from cauce.vocabulary.event import Accepted, Call, Position
from cauce.vocabulary.moment import SECOND, Moment

TARGET = 100_000
_BESIDE = (
    "seal_and_compact_events_per_second",
    "processor_microseconds_per_event",
    "peak_megabytes",
    "bytes_per_event",
    "read_back_microseconds_per_event",
)
_PEOPLE = 100_000
_NAMES = 40
_GROUP = 10_000


def run(count: int = 1_000_000) -> list[Figure]:
    """Sealing ``count`` events of 100,000 people and 40 names, and reading them back in order."""
    found = measure(count)
    rate = found["events_per_second"]
    return [
        Figure("seal", rate, "events/s", f"≥ {TARGET:,}", rate >= TARGET),
        *(Figure(f"  {name.replace('_', ' ')}", found[name], "", "", True) for name in _BESIDE),
    ]


def measure(count: int) -> dict[str, Any]:
    """The figures of sealing, by name."""
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        space = Path(folder)
        log = SqliteLog(space)
        for start in range(0, count, _GROUP):
            numbers = range(start, min(count, start + _GROUP))
            log.append([_event(rng, number) for number in numbers], [], now=Moment(start * SECOND))
        began = time.perf_counter()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        told, _ = start_sealing(space, log.head(), Plan(BySource({}))).communicate()
        seconds = time.perf_counter() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        report = json.loads(told)
        figures = {
            "events": report["events"],
            "events_per_second": round(count / (seconds - report["compacting_seconds"])),
            "seal_and_compact_events_per_second": round(count / seconds),
            "processor_microseconds_per_event": round(processor / count * 1e6, 2),
            "peak_megabytes": used.ru_maxrss // 1024,
            "bytes_per_event": round(sum(one.size for one in log.sealed()) / count, 1),
            "read_back_microseconds_per_event": round(_read(log) / count * 1e6, 2),
        }
        log.close()
    return figures


def _event(rng: random.Random, number: int) -> Accepted:
    person = rng.randrange(_PEOPLE)
    name = f"Event {rng.randrange(_NAMES)}"
    message_id = f"{rng.getrandbits(128):032x}"
    body = CALL_BODY | {
        "messageId": message_id,
        "event": name,
        "userId": f"user-{person}",
        "anonymousId": f"{rng.getrandbits(64):016x}",
        "properties": {"order_id": f"o-{number}", "total": rng.randrange(10_000) / 100},
    }
    body["context"] = CALL_BODY["context"] | {"traits": {"email": f"User{person}@Example.org"}}
    return Accepted(
        message_id=message_id,
        time=Moment(number * SECOND),
        call=Call.TRACK,
        name=name,
        source="web",
        body=json.dumps(body, separators=(",", ":")).encode(),
    )


def _read(log: SqliteLog) -> float:
    began = time.perf_counter()
    after = Position(0)
    while rows := log.read(after, 1_000):
        after = rows[-1].position
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(*map(int, sys.argv[1:] or ["1000000"])), indent=1) + "\n")
