"""Snapshots of the state between two rounds: within one, it is the state of no single position."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from cauce.app.pipeline import MovedOn, require_no_round
from cauce.storage.records import Reader, Records

_WAIT_SECONDS = 30.0
_AGAIN_SECONDS = 0.002


@contextmanager
def settled(records: Records, wait_seconds: float = _WAIT_SECONDS) -> Iterator[Reader]:
    """A snapshot that was taken while no round of several workers was open.

    Raises ``MovedOn`` if there is no such moment for a while: rounds follow one
    another without a gap, or one was left open and nobody folds it.
    """
    deadline = monotonic() + wait_seconds
    while True:
        with records.read() as reader:
            try:
                require_no_round(reader)
            except MovedOn:
                if monotonic() > deadline:
                    raise
            else:
                yield reader
                return
        sleep(_AGAIN_SECONDS)
