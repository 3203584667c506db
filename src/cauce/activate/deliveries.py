"""The door to deliveries: what was told to whom, what waits, and dead letters sent again."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import func, select

from cauce.activate.delivery import (
    REPLAYABLE,
    UNSETTLED,
    Delivery,
    Receipt,
    State,
    as_rows,
    read_delivery,
    read_receipt,
)
from cauce.activate.lanes import deliveries_in, is_obsolete, lane_of, release
from cauce.activate.records import delivery, receipt, tally
from cauce.storage.records import Records, Transaction
from cauce.vocabulary.access import Access, Purpose, Viewer
from cauce.vocabulary.errors import NotFound
from cauce.vocabulary.moment import Clock, Moment

_CHUNK = 500
"""Dead letters replayed in one transaction."""

_OPEN = tuple(str(state) for state in State if state is not State.DELIVERED)


class Told(NamedTuple):
    """A delivery with a receipt of each of its attempts, in order."""

    delivery: Delivery
    receipts: list[Receipt]


class Replayed(NamedTuple):
    """How many dead letters were queued again, and how many a newer change had made obsolete."""

    queued: int
    superseded: int


class Deliveries:
    """Reads the deliveries of a space and replays its dead letters."""

    def __init__(self, records: Records, clock: Clock, access: Access) -> None:
        self._records = records
        self._clock = clock
        self._access = access

    def recent(
        self,
        *,
        purpose: Purpose,
        viewer: Viewer,
        state: State | None = None,
        destination: str | None = None,
        people: Collection[str] | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> list[Delivery]:
        """Up to ``limit`` deliveries, newest change first, with ids that sort before ``before``.

        ``people`` are the profile ids of those that are wanted.
        """
        self._access(viewer, "read", purpose)
        wanted = select(delivery).order_by(delivery.c.id.desc()).limit(limit)
        if state is not None:
            wanted = wanted.where(delivery.c.state == state.value)
        if destination is not None:
            wanted = wanted.where(delivery.c.destination == destination)
        if people is not None:
            wanted = wanted.where(delivery.c.profile_id.in_(people))
        if before is not None:
            wanted = wanted.where(delivery.c.id < before)
        with self._records.read() as reader:
            return [read_delivery(row) for row in reader.select(wanted)]

    def find(self, id_: str, *, purpose: Purpose, viewer: Viewer) -> Told:
        """One delivery and its receipts; raises ``NotFound``."""
        self._access(viewer, "read", purpose)
        with self._records.read() as reader:
            found = reader.rows(delivery, "id", [id_])
            receipts = sorted(reader.rows(receipt, "delivery", [id_]))
        if not found:
            raise NotFound(f"There is no delivery {id_}.", hint="Old ones are removed after `keep_days`.")
        return Told(read_delivery(found[0]), [read_receipt(row) for row in receipts])

    def backlog(self) -> dict[tuple[str, State], int]:
        """How many deliveries of each destination stand in each state other than delivered."""
        counted = (
            select(delivery.c.destination, delivery.c.state, func.count())
            .where(delivery.c.state.in_(_OPEN))
            .group_by(delivery.c.destination, delivery.c.state)
        )
        with self._records.read() as reader:
            return {(name, State(state)): count for name, state, count in reader.select(counted)}

    def oldest(self) -> dict[str, Moment]:
        """The moment of the oldest change that each destination is still to be told."""
        waiting = (
            select(delivery.c.destination, func.min(delivery.c.sequence))
            .where(delivery.c.state.in_(UNSETTLED))
            .group_by(delivery.c.destination)
        )
        with self._records.read() as reader:
            return {name: Moment(since) for name, since in reader.select(waiting)}

    def attempts(self) -> dict[tuple[str, str], int]:
        """How many attempts at each destination had each outcome since the space began."""
        with self._records.read() as reader:
            return {(name, outcome): count for name, outcome, count in reader.select(select(tally))}

    def replay(
        self,
        *,
        purpose: Purpose,
        viewer: Viewer,
        ids: Sequence[str] | None = None,
        destination: str | None = None,
        superseded: bool = False,
    ) -> Replayed:
        """Queue dead and dropped ones again: those named, those of a destination, or all.

        Their keys and bodies stay. Where a newer change of the same person and
        segment was delivered or is on its way, sending the old one would leave
        the destination wrong: it becomes superseded unless ``superseded`` is set.
        """
        self._access(viewer, "write", purpose)
        total = Replayed(0, 0)
        after = ""
        while True:
            dead = self._dead(after, ids, destination, superseded=superseded)
            if not dead:
                return total
            with self._records.write() as transaction:
                queued = self._queue_again(transaction, dead, superseded=superseded)
            total = Replayed(total.queued + queued, total.superseded + len(dead) - queued)
            after = dead[-1]

    def _dead(
        self, after: str, ids: Sequence[str] | None, destination: str | None, *, superseded: bool
    ) -> list[str]:
        states = [str(one) for one in REPLAYABLE if superseded or one is not State.SUPERSEDED]
        wanted = select(delivery.c.id).where(delivery.c.state.in_(states), delivery.c.id > after)
        if ids is not None:
            wanted = wanted.where(delivery.c.id.in_(ids))
        if destination is not None:
            wanted = wanted.where(delivery.c.destination == destination)
        with self._records.read() as reader:
            return [row[0] for row in reader.select(wanted.order_by(delivery.c.id).limit(_CHUNK))]

    def _queue_again(self, transaction: Transaction, ids: Sequence[str], *, superseded: bool) -> int:
        rows = map(read_delivery, transaction.rows(delivery, "id", ids))
        dead = [one for one in rows if one.state in REPLAYABLE]
        lanes = deliveries_in(transaction, map(lane_of, dead))
        wanted = [one for one in dead if superseded or not is_obsolete(one, lanes[lane_of(one)])]
        again = [
            replace(one, state=State.QUEUED, due=None, tries=0, begun=None, settled=None) for one in wanted
        ]
        left = {one.id for one in dead} - {one.id for one in again}
        stale = [replace(one, state=State.SUPERSEDED) for one in dead if one.id in left]
        held = map(read_delivery, transaction.rows(delivery, "after", [one.id for one in again]))
        back = [replace(one, due=None) for one in held if one.state is State.QUEUED and not one.attempts]
        ids_again = {one.id for one in again}
        transaction.put(
            delivery, as_rows([*again, *stale, *(one for one in back if one.id not in ids_again)])
        )
        release(transaction, again, self._clock())
        return len(again)
