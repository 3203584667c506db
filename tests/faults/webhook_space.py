"""A state store with deliveries in it, and a deliverer that runs until something is true."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Event, Thread
from time import monotonic, sleep

import httpx
from sqlalchemy import select

from cauce.activate.deliverer import Deliverer
from cauce.activate.deliveries import Deliveries
from cauce.activate.delivery import SETTLED, Delivery, Receipt, State, read_delivery, read_receipt
from cauce.activate.destinations import WebhookTarget
from cauce.activate.records import delivery, receipt
from cauce.activate.secrets import Secret
from cauce.activate.service import Activation
from cauce.activate.settings import ActivateSettings
from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.membership import MembershipChange
from cauce.vocabulary.moment import SECOND, Clock, Moment, now
from cauce.vocabulary.profile import ProfileKey

SECRET = b"a secret of the destination"
QUICK = ActivateSettings(backoff_seconds=0.02, poll_seconds=0.02, stop_seconds=0.2)


def change(
    number: int, *, person: str = "", entered: bool = True, segment: str = "buyers"
) -> MembershipChange:
    """The ``number``-th change of the feed."""
    who = person or f"p{number}"
    return MembershipChange(
        sequence=number,
        segment=segment,
        profile=ProfileKey(1),
        profile_id=who,
        entered=entered,
        at=Moment(1_700_000_000 * SECOND + number),
        position=Position(number),
        message_id=f"m{number}",
        identifiers=(Identifier("user_id", who), Identifier("email", f"{who}@example.org")),
    )


def destination(url: str, name: str = "crm", **given: object) -> WebhookTarget:
    """A destination that may be on this machine."""
    known: dict = {"allow_private": True, "rate": 10_000, "timeout": 5.0, "secret": Secret(SECRET)}
    return WebhookTarget(name=name, url=httpx.URL(url), **(known | given))


class Space:
    """A state store and what is queued in it; segment ``buyers`` goes to the named destinations."""

    def __init__(self, folder: Path, destinations: Sequence[str] = ("crm",)) -> None:
        self.records = SqliteRecords(folder / "state.db", STATE)
        self.activation = Activation({"buyers": destinations})
        self.deliveries = Deliveries(self.records, now, lambda *_: None)

    def queue(self, *changes: MembershipChange) -> None:
        with self.records.write() as transaction:
            self.activation.queue(transaction, changes)

    def all(self) -> list[Delivery]:
        with self.records.read() as reader:
            ordered = select(delivery).order_by(delivery.c.sequence, delivery.c.destination)
            return [read_delivery(row) for row in reader.select(ordered)]

    def receipts(self) -> list[Receipt]:
        with self.records.read() as reader:
            ordered = select(receipt).order_by(receipt.c.delivery, receipt.c.attempt)
            return [read_receipt(row) for row in reader.select(ordered)]

    def states(self) -> set[State]:
        return {one.state for one in self.all()}

    def settled(self) -> bool:
        return self.states() <= SETTLED

    @contextmanager
    def delivering(
        self,
        *destinations: WebhookTarget,
        settings: ActivateSettings = QUICK,
        clock: Clock = now,
        records: object = None,
        **more: object,
    ) -> Iterator[Deliverer]:
        """Run a deliverer on a thread during the block."""
        store = records or self.records
        deliverer = Deliverer(store, destinations, clock, Random(1), settings, **more)
        stop = Event()
        thread = Thread(target=deliverer.run, args=(stop,))
        thread.start()
        try:
            yield deliverer
        finally:
            stop.set()
            deliverer.wake()
            thread.join()

    def deliver(self, *destinations: WebhookTarget, **given: object) -> None:
        """Run a deliverer until everything is delivered or dead."""
        with self.delivering(*destinations, **given):
            until(self.settled)


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something is true; fail after ``seconds``."""
    deadline = monotonic() + seconds
    while not true():
        assert monotonic() < deadline, "it did not become true in time"
        sleep(0.005)
