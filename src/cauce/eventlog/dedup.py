"""What the log has seen: the fingerprint of every message id, and of its content.

The newest are in a dict, the others in sorted runs (``runs``). A bit filter
stands before the runs and turns away most ids that are new. A thread of its own
merges runs and enlarges the filter, so that an append never waits for that.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from cauce.eventlog.runs import Prints, Run, from_dict, merge, to_merge

_RECENT = 32_768
_BITS_PER_ID = 16
_PIECE = 65_536

_log = logging.getLogger(__name__)


class Filter:
    """One bit per fingerprint, chosen by its highest bits; "no" is certain, "yes" is likely.

    With 16 to 32 bits an id, 3 to 6 % of new ids pass.
    """

    def __init__(self, capacity: int) -> None:
        self._power = max(20, (capacity * _BITS_PER_ID - 1).bit_length())
        self.capacity = (1 << self._power) // _BITS_PER_ID
        self._shift = np.uint64(64 - self._power)
        self._bytes = np.zeros(1 << (self._power - 3), dtype=np.uint8)

    @property
    def nbytes(self) -> int:
        """Its size in memory."""
        return self._bytes.nbytes

    def add(self, ids: Prints) -> None:
        """Set the bits; in pieces, because numpy holds the interpreter's lock meanwhile."""
        for start in range(0, len(ids), _PIECE):
            byte, bit = self._places(ids[start : start + _PIECE])
            np.bitwise_or.at(self._bytes, byte, bit)

    def passing(self, ids: Prints) -> Prints:
        """Those of ``ids`` that may be known."""
        byte, bit = self._places(ids)
        passing: Prints = ids[(self._bytes[byte] & bit) != 0]
        return passing

    def _places(self, ids: Prints) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
        place = ids >> self._shift
        return place >> np.uint64(3), np.left_shift(np.uint8(1), (place & np.uint64(7)).astype(np.uint8))


class Seen:
    """Fingerprints of ids, each with the fingerprint of its content, by positions.

    ``find``, ``add`` and ``adopt`` are for one thread at a time (the appender's
    mutex sees to it); only the thread of this class works beside them.
    """

    def __init__(self) -> None:
        self._recent: dict[int, bytes] = {}
        self._runs: tuple[Run, ...] = ()
        self._filter = Filter(0)
        self._swap = threading.Lock()  # guards the replacement of _runs and _filter
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="cauce-dedup")
        self._flushed = 0  # what is later is in _recent
        self._kept_to = 0  # what is earlier is in kept runs
        self.known = 0
        """Every event up to this position is remembered."""

    @property
    def kept(self) -> list[Run]:
        """The runs in use that are kept in files, in the order of positions."""
        return [run for run in self._runs if run.kept]

    @property
    def nbytes(self) -> int:
        """Bytes of the runs in memory and the filter; run files are the system's page cache."""
        own = sum(run.ids.nbytes + run.contents.nbytes for run in self._runs if not run.kept)
        return own + self._filter.nbytes

    def find(self, prints: Sequence[int]) -> dict[int, bytes]:
        """Those of ``prints`` that are known, with the fingerprints of their contents."""
        recent = self._recent
        known = {print_: recent[print_] for print_ in prints if print_ in recent}
        with self._swap:
            runs, filter_ = self._runs, self._filter
        if runs:
            wanted = filter_.passing(np.array(prints, dtype=np.uint64))
            if wanted.size:
                wanted.sort()
                for run in runs:
                    known |= run.find(wanted)
        return known

    def add(self, new: dict[int, bytes], upto: int) -> None:
        """Remember the events that the log now holds durably, up to position ``upto``."""
        self._recent |= new
        self.known = upto
        if len(self._recent) >= _RECENT:
            self._flush()

    def adopt(self, kept: Sequence[Run], upto: int) -> None:
        """Use runs kept in files, which hold everything up to ``upto``, in place of those in memory."""
        unknown = [run for run in kept if run.last > self._flushed]  # the filter lacks their ids
        with self._swap:
            if upto <= self._kept_to:  # a newer call was faster
                return
            self._kept_to = upto
            self._runs = (*kept, *(run for run in self._runs if not run.kept and run.last > upto))
            for run in unknown:
                self._filter.add(run.ids)
        if unknown:
            self._enlarge()
        if upto > self.known:
            self._recent = {}
            self.known = self._flushed = upto

    def in_background(self, work: Callable[[], None]) -> None:
        """Do ``work`` on the thread of this class; what fails there costs memory or time, never an id."""
        self._worker.submit(_guarded, work)

    def close(self) -> None:
        """Wait for the background thread and end it."""
        self._worker.shutdown(wait=True)

    def _flush(self) -> None:
        run = from_dict(self._flushed + 1, self.known, self._recent)
        with self._swap:
            self._filter.add(run.ids)
            self._runs = (*self._runs, run)
        self._recent, self._flushed = {}, self.known
        self.in_background(self._tidy)

    def _tidy(self) -> None:
        self._enlarge()
        while self._merge():
            pass

    def _merge(self) -> bool:
        """Merge the next runs that want it, of those in memory only; False if none does."""
        runs = [run for run in self._runs if not run.kept]
        which = to_merge([len(run.ids) for run in runs])
        if which is None:
            return False
        merged = merge(runs[which])
        gone = {id(run) for run in runs[which]}
        with self._swap:
            present = [id(run) for run in self._runs]
            if gone <= set(present):  # else they were replaced by kept runs meanwhile
                at = min(present.index(one) for one in gone)
                rest = [run for run in self._runs if id(run) not in gone]
                self._runs = (*rest[:at], merged, *rest[at:])
        return True

    def _enlarge(self) -> None:
        """A filter of twice the size when this one is full."""
        runs = self._runs
        count = sum(len(run.ids) for run in runs)
        if count <= self._filter.capacity:
            return
        larger = Filter(2 * count)
        for run in runs:
            larger.add(run.ids)
        done = {id(run) for run in runs}
        with self._swap:
            for run in self._runs:
                if id(run) not in done:  # flushed or adopted meanwhile
                    larger.add(run.ids)
            self._filter = larger


def _guarded(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        _log.exception("Tidying the index of message ids failed; it goes on untidied.")
