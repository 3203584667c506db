"""Leases: with several workers, each destination is delivered to by one of them at a time.

Rate limits, the order of a person's changes, files and tables all belong to a
destination as a whole, so the whole of it is handed out.
"""

from collections.abc import Collection

from sqlalchemy import select

from cauce.activate.records import destination_lease
from cauce.storage.records import Records
from cauce.vocabulary.moment import SECOND, Clock, Moment


class Leases:
    """What ``holder`` may deliver to; a lease lasts ``seconds`` from when it was last renewed.

    The clocks of the workers may differ by less than a lease.
    """

    def __init__(
        self, records: Records, holder: str, names: Collection[str], seconds: float, clock: Clock
    ) -> None:
        self._records = records
        self._holder = holder
        self._names = frozenset(names)
        self._span = int(seconds * SECOND)
        self._clock = clock
        self._renewed = Moment(0)
        self._mine: frozenset[str] = frozenset()

    def held(self) -> frozenset[str]:
        """The destinations that are ours; none if they could not be renewed for too long."""
        return self._mine if self._clock() < self._renewed + self._span else frozenset()

    def renew(self) -> frozenset[str]:
        """Take what is free or ours, and hold it anew; returns what was not ours before.

        Raises ``Transient`` if the store refuses.
        """
        now = self._clock()
        with self._records.write() as transaction:
            found = transaction.select(select(destination_lease))
            others = {name for name, holder, until in found if holder != self._holder and until > now}
            mine = self._names - others
            rows = [(name, self._holder, now + self._span) for name in sorted(mine)]
            transaction.put(destination_lease, rows)
        before, self._mine, self._renewed = self.held(), mine, now
        return mine - before

    def give_back(self) -> None:
        """Let others have at once what is ours; raises ``Transient`` if the store refuses."""
        if not self._mine:
            return
        with self._records.write() as transaction:
            transaction.remove(destination_lease, "destination", sorted(self._mine), holder=self._holder)
        self._mine = frozenset()
