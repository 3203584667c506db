"""What a worker says of itself: whether it works, how far it is, and what it costs."""

import resource
import sys
from collections.abc import Callable, Iterator
from time import process_time

from cauce.app.metrics_text import family
from cauce.vocabulary.event import Position

SILENT_SECONDS = 30.0
"""A worker that folds and shows no sign of life for so long is not healthy."""

_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1_024


class Vitals:
    """Written by the worker's thread after each step, read by the one that answers.

    ``monotonic`` is a clock of seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._started = monotonic()
        self._beat: float | None = None  # None: it prepares, which may take long
        self._position = 0
        self._folded = 0

    def beat(self, position: Position) -> None:
        """A step is done; everything up to ``position`` is folded."""
        if self._beat is not None and position > self._position:
            self._folded += position - self._position
        self._position = position
        self._beat = self._monotonic()

    def prepare(self) -> None:
        """Something begins that may last: definitions brought into force, or waiting for a lock."""
        self._beat = None

    @property
    def state(self) -> str:
        """``preparing``, ``working``, or ``silent`` if it has not stepped for too long."""
        if self._beat is None:
            return "preparing"
        return "working" if self._monotonic() - self._beat < SILENT_SECONDS else "silent"

    def lines(self) -> Iterator[str]:
        """The figures in the form that Prometheus reads."""
        beat = self._started if self._beat is None else self._beat
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_BYTES
        for name, kind, sentence, value in (
            ("folded_total", "counter", "Events folded since the process began.", float(self._folded)),
            ("position", "gauge", "The last position that is folded.", float(self._position)),
            ("step_age_seconds", "gauge", "Since the last step.", round(self._monotonic() - beat, 3)),
            ("cpu_seconds_total", "counter", "Processor time of the process.", round(process_time(), 3)),
            ("memory_peak_bytes", "gauge", "The most memory that the process had.", float(memory)),
        ):
            yield from family(f"cauce_worker_{name}", kind, sentence, {(): value})
