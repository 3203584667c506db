"""Why two identifiers are one person's or two people's, where the person has 500 identifiers.

Beside 20,000 other people: a user with 5 addresses, 3 phones and 491 browsers, each browser seen
alone, with the user, and with the user and one of the addresses; some tablets of hers are another
user's now. The floor is reading the rows of that person without thinking about them.
"""

import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time

from bench.figures import Figure
from cauce.identity import records
from cauce.identity.rules import default_rules, read_rules
from cauce.identity.service import Identity
from cauce.identity.why import explain
from cauce.identity.why_changes import changes
from cauce.storage import garbage
from cauce.storage.records import STATE, Reader
from cauce.storage.sqlite import SqliteRecords
from cauce.vocabulary.event import Position
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.identifier import Identifier
from cauce.vocabulary.moment import SECOND, Moment

OTHERS, BROWSERS, TABLETS, ASKED = 20_000, 491, 20, 300
MOST_MS = 50
"""Milliseconds that one answer may take, but for one in a hundred."""

Seen = tuple[Identifier, ...]
USER, RIVAL = Identifier("user_id", "heavy"), Identifier("user_id", "rival")


def events(rng: random.Random) -> list[Seen]:
    """What the events carry, in order."""
    found: list[Seen] = []
    for number in range(OTHERS):
        user, device = Identifier("user_id", f"u{number}"), Identifier("anonymous_id", f"a{number}")
        found += [(user, device), (user, Identifier("email", f"u{number}@x.example"))]
    emails = [Identifier("email", f"heavy{n}@x.example") for n in range(5)]
    phones = [Identifier("phone", f"+3460000000{n}") for n in range(3)]
    found += [(USER, one) for one in (*emails, *phones)]
    for number in range(BROWSERS):
        browser = Identifier("anonymous_id", f"browser-{number}")
        found += [(browser,), (USER, browser), (USER, rng.choice(emails), browser)]
    for number in range(TABLETS):
        tablet = Identifier("anonymous_id", f"tablet-{number}")
        found += [(USER, tablet), (RIVAL, tablet)]
    return found


def percentile(times: Sequence[float], share: float) -> float:
    """The time that a share of them does not exceed."""
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def measure(ask: Callable[[], object]) -> list[float]:
    """Milliseconds of processor time of each of many calls."""
    times = []
    for _ in range(ASKED):
        begun = process_time()
        ask()
        times.append((process_time() - begun) * 1e3)
    return times


def read_rows(reader: Reader, identity: Identity) -> None:
    """Read what is stored of the person, and no more."""
    key = identity.find(reader, USER)
    assert key is not None
    row = reader.rows(records.profiles, "profile", [key], view=1)[0]
    ids = [id_ for some in decode_json(row[3]).values() for id_ in some]
    members = reader.rows(records.members, "identifier", ids, view=1)
    reader.rows(records.identifiers, "id", ids)
    numbers = {int(n) for one in (row, *members) for n in one[-1].strip("[]").split(",") if n}
    sets = reader.rows(records.signatures, "id", numbers)
    reader.rows(records.evidence, "identifiers", [one[1] for one in sets])


def fill(store: SqliteRecords, identity: Identity, rng: random.Random) -> None:
    """Resolve everybody's events."""
    with store.write() as transaction:
        found = events(rng)
        session = identity.begin(transaction, found)
        for number, ids in enumerate(found, 1):
            session.observe(ids, time=Moment(number * SECOND), source="web", position=Position(number))
        session.save()


def run() -> list[Figure]:
    """Measure all; times are those of one processor."""
    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteRecords(Path(folder) / "state.db", STATE)
        identity = Identity("person", read_rules(default_rules()))
        fill(store, identity, rng)
        garbage.look_seldom()  # as the API's process does
        with store.read() as reader:
            figures = _figures(rng, reader, identity)
        store.close()
    return figures


def _figures(rng: random.Random, reader: Reader, identity: Identity) -> list[Figure]:
    key = identity.find(reader, USER)
    assert key is not None
    mine = identity.describe(reader, [key])[key].identifiers
    assert len(mine) >= 499

    def ask(other: Callable[[], Identifier]) -> None:
        why, case = explain(identity.graph(reader), rng.choice(mine), other(), whole=False)
        changes(why, case, whole=False)

    floor = percentile(measure(lambda: read_rows(reader, identity)), 0.5)
    one = measure(lambda: ask(lambda: rng.choice(mine)))
    tablets = [Identifier("anonymous_id", f"tablet-{number}") for number in range(TABLETS)]
    two = measure(lambda: ask(lambda: rng.choice(tablets)))
    strangers = measure(lambda: ask(lambda: Identifier("user_id", f"u{rng.randrange(OTHERS)}")))
    return [
        _figure("why: one person of 500 identifiers, p99", one, floor),
        _figure("why: two people who share tablets, p99", two, floor),
        _figure("why: a stranger, p99", strangers, floor),
    ]


def _figure(what: str, times: Sequence[float], floor: float) -> Figure:
    slow = percentile(times, 0.99)
    ratio = percentile(times, 0.5) / floor
    return Figure(what, slow, "ms", f"≤ {MOST_MS}", slow <= MOST_MS, ratio, "reading her rows")


if __name__ == "__main__":
    for figure in run():
        print(f"{figure.what}: {figure.value:,.1f} {figure.unit} {figure.target}; {figure.ratio:.1f} × floor")
