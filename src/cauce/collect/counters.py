"""What the collector counts, and its text form for Prometheus (exposition format 0.0.4)."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

from cauce.eventlog.port import Outcome
from cauce.vocabulary.event import Refused

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_INFINITE = "+Inf"


class Counters:
    """Counts since the process began. Lives on the event loop's thread."""

    def __init__(self) -> None:
        self.requests: Counter[int] = Counter()
        self.pixels: Counter[int] = Counter()
        self.events: Counter[str] = Counter({outcome.value: 0 for outcome in Outcome})
        self.quarantined: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._buckets = [0] * (len(_BUCKETS) + 1)
        self._seconds = 0.0

    def committed(self, outcomes: Sequence[Outcome], refused: Sequence[Refused], seconds: float) -> None:
        """Count a group that is durable, and how long that took."""
        rest = len(outcomes) - outcomes.count(Outcome.ACCEPTED)
        self.events[Outcome.ACCEPTED.value] += len(outcomes) - rest
        if rest:
            duplicates = outcomes.count(Outcome.DUPLICATE)
            self.events[Outcome.DUPLICATE.value] += duplicates
            self.events[Outcome.CONFLICTING_REPEAT.value] += rest - duplicates
            self.quarantined[Outcome.CONFLICTING_REPEAT.value] += rest - duplicates
        for one in refused:
            self.quarantined[one.reason] += 1
        self._buckets[bisect_left(_BUCKETS, seconds)] += 1
        self._seconds += seconds

    def failed(self, error: BaseException) -> None:
        """Count a group that the log refused."""
        self.failures[getattr(error, "code", type(error).__name__)] += 1

    def text(self, waiting_events: int) -> str:
        """All counts in the form that Prometheus reads."""
        lines = [
            *_family("requests_total", "counter", "Requests, by status.", "status", self.requests),
            *_family("pixels_total", "counter", "Pixels, by the status of a post.", "status", self.pixels),
            *_family("events_total", "counter", "Valid events, by outcome.", "outcome", self.events),
            *_family("quarantined_total", "counter", "Refused input, by reason.", "reason", self.quarantined),
            *_family(
                "commit_failures_total", "counter", "Groups the log refused, by error.", "code", self.failures
            ),
            *_head("waiting_events", "gauge", "Events that wait for the disk."),
            f"cauce_collector_waiting_events {waiting_events}",
            *self._histogram(),
        ]
        return "\n".join(lines) + "\n"

    def _histogram(self) -> Iterator[str]:
        name = "commit_seconds"
        yield from _head(name, "histogram", "Time to make a group of events durable.")
        total = 0
        for bound, count in zip((*map(str, _BUCKETS), _INFINITE), self._buckets, strict=True):
            total += count
            yield f'cauce_collector_{name}_bucket{{le="{bound}"}} {total}'
        yield f"cauce_collector_{name}_sum {self._seconds}"
        yield f"cauce_collector_{name}_count {total}"


def _head(name: str, kind: str, help_: str) -> Iterator[str]:
    yield f"# HELP cauce_collector_{name} {help_}"
    yield f"# TYPE cauce_collector_{name} {kind}"


def _family(
    name: str, kind: str, help_: str, label: str, counts: Counter[str] | Counter[int]
) -> Iterator[str]:
    yield from _head(name, kind, help_)
    for value, count in sorted(counts.items(), key=str):
        yield f'cauce_collector_{name}{{{label}="{value}"}} {count}'
