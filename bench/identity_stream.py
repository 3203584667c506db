"""Identity alone: what an event costs through SQLite and in memory, and where data is bad.

Random events of 100,000 people, one to three identifiers each, on a state that grows;
a device that thousands of users share; one user with a thousand devices.
"""

import random
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from time import process_time
from typing import NamedTuple

from bench.figures import Figure
from cauce.identity.graph import Graph
from cauce.identity.naming import Names
from cauce.identity.policy import Policy
from cauce.identity.resolve import Resolver
from cauce.identity.rules import default_rules, read_rules
from cauce.identity.service import Identity
from cauce.storage.records import STATE
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import SECOND, Moment

PEOPLE = 100_000
BATCH = 1_000
WARM_UP, MEASURED = 150_000, 50_000
ODD = 100
"""Microseconds that an event of odd data may take at most, the commit included."""

Observed = tuple[tuple[Identifier, ...], Moment]


def random_events(seed: int = 7) -> Iterator[Observed]:
    """Events of random people without end, one second apart: two of three anonymous, as in ``demo/load.py``.

    One in a hundred comes from a tablet that eight people share.
    """
    rng = random.Random(seed)
    moment = 1_700_000_000
    while True:
        moment += 1
        person = rng.randrange(PEOPLE)
        device = Identifier("anonymous_id", f"{_digits(2 * person + rng.randrange(2))}-{person:08x}")
        if rng.random() < 0.01:
            person = rng.randrange(4_000)
            device = Identifier("anonymous_id", f"tablet-{person // 8}")
        user = Identifier("user_id", _digits(person))
        email = Identifier("email", f"{_digits(person)}@mail.example")
        kinds = ((device,), (user, device), (user, email, device))
        yield rng.choices(kinds, (65, 25, 10))[0], Moment(moment * SECOND)


def _digits(number: int) -> str:
    """Sixteen digits in no order that an index could profit from."""
    return f"{number * 0x9E3779B97F4A7C15 % (1 << 64):016x}"


def junk_events() -> Iterator[Observed]:
    """Each event another user on the same device."""
    number = 0
    while True:
        number += 1
        identifiers = Identifier("user_id", _digits(number)), Identifier("anonymous_id", "junk")
        yield identifiers, Moment(number * SECOND)


def heavy_events() -> Iterator[Observed]:
    """One user on a thousand devices, over and over."""
    number = 0
    while True:
        number += 1
        identifiers = Identifier("user_id", "heavy"), Identifier("anonymous_id", _digits(number % 1_000))
        yield identifiers, Moment(number * SECOND)


def in_memory(events: Sequence[Observed]) -> float:
    """Seconds to resolve events in memory."""
    resolver = Resolver(Graph(Policy(read_rules(default_rules()))), Names("bench"))
    begun = process_time()
    for position, (identifiers, moment) in enumerate(events, 1):
        resolver.observe(identifiers, time=moment, source="web", position=Position(position))
    return process_time() - begun


class Spent(NamedTuple):
    """Processor seconds: resolving, and committing what was resolved."""

    resolving: float
    committing: float

    def per_event(self, events: int) -> "Spent":
        """The same in microseconds per event."""
        return Spent(self.resolving / events * 1e6, self.committing / events * 1e6)


class Store:
    """Identity on a state store of its own."""

    def __init__(self, folder: Path) -> None:
        self._records = SqliteRecords(folder / "state.db", STATE)
        self._identity = Identity("person", read_rules(default_rules()))
        self._position = 0

    def resolve(self, events: Iterable[Observed], size: int = BATCH) -> Spent:
        """Resolve events in batches, each in a transaction."""
        resolving = committing = 0.0
        stream = iter(events)
        while batch := list(islice(stream, size)):
            with self._records.write() as transaction:
                begun = process_time()
                session = self._identity.begin(transaction, [identifiers for identifiers, _ in batch])
                for identifiers, moment in batch:
                    self._position += 1
                    position = Position(self._position)
                    session.observe(identifiers, time=moment, source="web", position=position)
                session.save()
                saved = process_time()
            resolving += saved - begun
            committing += process_time() - saved
        return Spent(resolving, committing)

    def close(self) -> None:
        """Release the file."""
        self._records.close()


def through_sqlite(events: Iterator[Observed], warm_up: int, measured: int) -> Spent:
    """Microseconds for each of the measured events, after others that made the state grow."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        store.resolve(islice(events, warm_up))
        spent = store.resolve(islice(events, measured)).per_event(measured)
        store.close()
    return spent


def run() -> list[Figure]:
    """Measure all; times are those of one processor."""
    stored = through_sqlite(random_events(), WARM_UP, MEASURED)
    junk = sum(through_sqlite(junk_events(), 10_000, 10_000))
    heavy = sum(through_sqlite(heavy_events(), 10_000, 10_000))
    memory = MEASURED / in_memory(list(islice(random_events(), MEASURED)))
    return [
        Figure("identity: begin, observe, save", stored.resolving, "µs/event", "", True),
        Figure("identity: its part of the commit", stored.committing, "µs/event", "", True),
        Figure("identity: one device of 20,000 users", junk, "µs/event", f"≤ {ODD}", junk <= ODD),
        Figure("identity: one user of 1,000 devices", heavy, "µs/event", f"≤ {ODD}", heavy <= ODD),
        Figure("identity: in memory", memory, "events/s", "", True),
    ]


if __name__ == "__main__":
    for figure in run():
        print(f"{figure.what}: {figure.value:,.1f} {figure.unit} {figure.target}")
