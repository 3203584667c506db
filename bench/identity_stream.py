"""Identity alone: what an event costs through SQLite and in memory, and where data is bad.

Random events of 100,000 people, one to three identifiers each, on a state that grows;
a device that thousands of users share; one user with a thousand devices.
"""

import random
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import NamedTuple

from bench.figures import Figure
from cauce.identity.graph import Graph
from cauce.identity.naming import Names
from cauce.identity.policy import Policy
from cauce.identity.resolve import Resolver
from cauce.identity.rules import default_rules, read_rules
from cauce.identity.service import Identity
from cauce.storage import garbage
from cauce.storage.postgres import PostgresRecords
from cauce.storage.records import STATE, Records
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Position
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import SECOND, Moment
from tests.services.postgres import own_cluster

PEOPLE = 100_000
BATCH = 1_000
WARM_UP, MEASURED = 150_000, 50_000
IN_MEMORY, SQLITE, POSTGRES = 40_000, 15_000, 10_000
OWNERS, HUB = 100_000, 1.2
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

    def __init__(self, records: Records) -> None:
        self._records = records
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


@contextmanager
def sqlite_store() -> Iterator[Store]:
    """Identity on SQLite."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(SqliteRecords(Path(folder) / "state.db", STATE)) as at,
    ):
        yield Store(at)


def through_sqlite(events: Iterator[Observed], warm_up: int, measured: int) -> Spent:
    """Microseconds for each of the measured events, after others that made the state grow."""
    with sqlite_store() as store:
        store.resolve(islice(events, warm_up))
        return store.resolve(islice(events, measured)).per_event(measured)


def through_postgres(events: Iterator[Observed], warm_up: int, measured: int) -> float:
    """Events a second on PostgreSQL, after others that made the state grow."""
    with own_cluster() as cluster:
        records = PostgresRecords(cluster.url, "bench_identity", STATE, durable=False)
        with closing(records):
            store = Store(records)
            store.resolve(islice(events, warm_up))
            wanted = list(islice(events, measured))
            begun = perf_counter()
            store.resolve(wanted)
            return measured / (perf_counter() - begun)


def with_a_hub(share: int = 10) -> float:
    """How much longer an event takes where one in ten comes from a device that has ``OWNERS`` users.

    Compared with the same events from devices of their own, in turns on two stores.
    """
    spent: list[list[float]] = [[], []]
    with sqlite_store() as hub, sqlite_store() as plain:
        hub.resolve(islice(junk_events(), OWNERS))
        plain.resolve(islice(random_events(), OWNERS))
        streams = _mixed(share, shared=True), _mixed(share, shared=False)
        for _ in range(5):
            for store, stream, times in zip((hub, plain), streams, spent, strict=True):
                times.append(sum(store.resolve(islice(stream, 5_000))))
    return float(median(one / other for one, other in zip(*spent, strict=True)))


def _mixed(share: int, *, shared: bool) -> Iterator[Observed]:
    """Random events, one in ``share`` of a user who is new on the device that all share, or on her own."""
    for number, (identifiers, moment) in enumerate(random_events(seed=8)):
        if number % share == 0:
            device = Identifier("anonymous_id", "junk" if shared else _digits(-number))
            identifiers = Identifier("user_id", _digits(-1 - number)), device
        yield identifiers, moment


def run() -> list[Figure]:
    """Measure all; times but PostgreSQL's are those of one processor."""
    garbage.look_seldom()
    memory = MEASURED / in_memory(list(islice(random_events(), MEASURED)))
    stored = through_sqlite(random_events(), WARM_UP, MEASURED)
    sqlite = 1e6 / sum(stored)
    postgres = through_postgres(random_events(), WARM_UP // 3, MEASURED // 2)
    junk = sum(through_sqlite(junk_events(), 10_000, 10_000))
    heavy = sum(through_sqlite(heavy_events(), 10_000, 10_000))
    hub = with_a_hub()
    return [
        Figure("identity: in memory", memory, "events/s", f"≥ {IN_MEMORY:,}", memory >= IN_MEMORY),
        Figure("identity: through SQLite", sqlite, "events/s", f"≥ {SQLITE:,}", sqlite >= SQLITE),
        Figure("  of it begin, observe, save", stored.resolving, "µs/event", "", True),
        Figure("  of it its part of the commit", stored.committing, "µs/event", "", True),
        Figure("identity: through PostgreSQL", postgres, "events/s", f"≥ {POSTGRES:,}", postgres >= POSTGRES),
        Figure("identity: one device of 20,000 users", junk, "µs/event", f"≤ {ODD}", junk <= ODD),
        Figure("identity: one user of 1,000 devices", heavy, "µs/event", f"≤ {ODD}", heavy <= ODD),
        Figure(f"identity: a device of {OWNERS:,} users, beside none", hub, "×", f"≤ {HUB}", hub <= HUB),
    ]


if __name__ == "__main__":
    for figure in run():
        print(f"{figure.what}: {figure.value:,.1f} {figure.unit} {figure.target}")
