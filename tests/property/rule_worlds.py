"""Random people with odd values, as rules see them one by one and as rows in DuckDB."""

import random
from dataclasses import dataclass, field
from itertools import product

import duckdb
import pyarrow as pa

from cauce.segment.bulk import BulkSource
from cauce.vocabulary.event import Call, Logged, Position, read_event
from cauce.vocabulary.exact import decode_json
from cauce.vocabulary.identifier import DEFAULT_NORMALIZATION
from cauce.vocabulary.language import Entry, Rule, reduce_properties
from cauce.vocabulary.moment import DAY, HOUR, SECOND, Moment
from tests.property.rule_texts import EVENTS, NUMBERS, SOURCES, TIMES

NOW = Moment(1_767_261_600_000_000)  # 2026-01-01T10:00:00Z
AGES = [
    age + edge
    for age in (0, SECOND, HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY, -DAY, -HOUR)
    for edge in (-1, 0, 1)
]

BEYOND = [
    *("99999999999999999999999999999.9999999996", "1e400", "100000000000000000000000000000"),
    "123456789012345678901234567890123456789",
]
TEXTS = [
    *("", "gold", "Gold", "silver", "100", "1e2", "007", "-0", " 5", "100.5", "0.1234567895", "true", "null"),
    *("caf\\u00e9", "cafe\\u0301", "café", "cafe\u0301", "\u212aey", "Key", "日本", "\\ud83d\\ude00", "😀"),
    *('a\\"b', "a\\\\b", "a\\/b", "tab\\t", "\\u0001", "\\u0002", "it's", "\\\\u0041", "\\u0041", "sgold"),
    *("ann@example.org", "'; DROP TABLE events; --", "{", "[1]", "e\u0323\u0301", "\U0001e4ee\U0001e4ef"),
]
NAMES = [
    ["price"] * 6 + ["pr\\u0069ce"],
    ["café", "cafe\u0301", "caf\\u00e9"],
    ["Kind"] * 3 + ["\u212aind"],
    ["a b"],
    ["a.b", "a\\u002eb"],
    ["page_name"],
    ["user"],
]
SPELLINGS = {"Café": ["Café", "Cafe\u0301"], "Kiosk": ["Kiosk", "\u212aiosk"]}


def json_value(chance: random.Random, depth: int = 0) -> str:
    """JSON text of a value, often one that rules mention."""
    kind = chance.random()
    if kind < 0.35:
        return chance.choice(NUMBERS + BEYOND)
    if kind < 0.6:
        return f'"{chance.choice(TEXTS)}"'
    if kind < 0.72:
        return f'"{chance.choice(TIMES)}"'
    if kind < 0.82:
        return chance.choice(["true", "false", "null"])
    if depth > 2 or kind < 0.92:
        return f"[{', '.join(json_value(chance, depth + 1) for _ in range(chance.randrange(4)))}]"
    members = [f'"{n}": {json_value(chance, depth + 1)}' for n in ("tier", "tags", chance.choice(NAMES[1]))]
    return f"{{{', '.join(members)}}}"


def json_object(chance: random.Random) -> str:
    """JSON text of properties; a name may occur twice, and in two spellings."""
    members = []
    for spellings in NAMES:
        for _ in range(chance.choice([0, 1, 1, 1, 1, 2])):
            members.append(f'"{chance.choice(spellings)}":{json_value(chance)}')
    chance.shuffle(members)
    return f"{{{','.join(members)}}}"


@dataclass
class Someone:
    """A person as rules see her, from the same rows that the bulk path reads."""

    traits: dict[str, object] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)

    def trait(self, name: str) -> object:
        return self.traits.get(name)

    def events(self, name: str) -> list[Entry]:
        return self.entries.get(name, [])

    def reduced(self, rule: Rule) -> "Someone":
        """The same person with what the rule mentions alone."""
        entries = {
            name: [e._replace(properties=reduce_properties(e.properties, paths)) for e in self.events(name)]
            for name, paths in rule.mentions.events.items()
        }
        return Someone({name: self.trait(name) for name in rule.mentions.traits}, entries)


class World:
    """People, and the same people as rows in DuckDB."""

    def __init__(self, seed: int, people: dict[int, Someone], source: BulkSource) -> None:
        self.seed = seed
        self.people = people
        self.source = source

    def __repr__(self) -> str:
        return f"world({self.seed}, {len(self.people)})"

    def close(self) -> None:
        self.source.connection.close()
        del self.source  # or DuckDB complains at the end of the process


def world(seed: int, size: int) -> World:
    """Random people; closing the world closes its connection."""
    chance = random.Random(seed)
    people = {profile: Someone() for profile in range(1, size + 1)}
    traits = [
        _trait(chance, profile, spellings[0], someone)
        for profile, someone in people.items()
        for spellings in NAMES
        if chance.random() < 0.8
    ]
    events = [
        _event(chance, profile, number, people)
        for number, profile in enumerate(p for p in people for _ in range(chance.randrange(8)))
    ]
    events += [_event(chance, size + 1, 10**6, {size + 1: Someone()})]  # someone no segment asks for
    for someone in people.values():
        for entries in someone.entries.values():
            entries.sort(key=lambda e: (e.time, e.received, e.message_id))
    return _loaded(seed, people, traits, events)


def _loaded(seed: int, people: dict[int, Someone], traits: list[tuple], events: list[tuple]) -> World:
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    _load(connection, "people", ["profile"], [(profile,) for profile in people])
    _load(connection, "traits", ["profile", "name", "value"], traits)
    _load(
        connection,
        "events",
        ["profile", "time", "received", "message_id", "source", "call", "name", "body"],
        events,
    )
    return World(seed, people, BulkSource(connection))


def _load(connection: duckdb.DuckDBPyConnection, name: str, columns: list[str], rows: list[tuple]) -> None:
    table = pa.table({column: [row[n] for row in rows] for n, column in enumerate(columns)})
    connection.register("incoming", table)
    connection.execute(f"CREATE TABLE {name} AS FROM incoming")
    connection.unregister("incoming")


def _trait(chance: random.Random, profile: int, name: str, someone: Someone) -> tuple:
    value = json_value(chance)
    someone.traits[name] = decode_json(value)
    return profile, name, value


def _event(chance: random.Random, profile: int, number: int, people: dict[int, Someone]) -> tuple:
    name = chance.choice(EVENTS)
    call = Call.PAGE if name == "Page Viewed" and chance.random() < 0.7 else Call.TRACK
    members = [f'"type":"{call}"', f'"properties":{json_object(chance)}', f'"name":{json_value(chance)}']
    if chance.random() < 0.05:
        members.append(f'"properties":{json_object(chance)}')
    chance.shuffle(members)
    logged = Logged(
        position=Position(number),
        received=Moment(NOW - chance.randrange(10)),
        time=Moment(NOW - chance.choice(AGES)),
        call=call,
        name=chance.choice(SPELLINGS.get(name, [name])),
        message_id=f"m{number}",
        source=chance.choice(SOURCES),
        body=f"{{{','.join(members)}}}".encode(),
    )
    return _record(people[profile], profile, logged)


def _record(someone: Someone, profile: int, logged: Logged) -> tuple:
    event = read_event(logged, DEFAULT_NORMALIZATION)
    entry = Entry(event.time, event.received, event.message_id, event.source, event.properties)
    someone.entries.setdefault(event.name, []).append(entry)
    at = (logged.time, logged.received, logged.message_id)
    return profile, *at, logged.source, str(logged.call), logged.name, logged.body.decode()


ALL_VALUES = [
    *NUMBERS,
    *BEYOND,
    *(f'"{text}"' for text in TEXTS),
    *(f'"{time}"' for time in TIMES),
    *(
        "true",
        "false",
        "null",
        "[]",
        "[1]",
        "[1.0]",
        "[[1]]",
        '["gold", null]',
        '["cafe\u0301"]',
        "[1e40, 2]",
    ),
    *("[[1e40]]", "{}", '{"a": 1}', '{"a": 1.0, "b": null}', '{"a": 1e40}', '["1"]', "[0.30000000000000004]"),
]
BODIES = [
    '{"properties":{"Key":%s}}',
    '{"properties":{"Key":7,"Key":%s}}',
    '{"properties":{"\\u004bey":%s}}',
    '{"properties":{"\u212aey":%s}}',
    '{"properties":{"Key":null,"\u212aey":%s}}',
    '{"properties":{"Key":7},"properties":{"Key":%s}}',
    '{"properties":{"Key":%s},"name":"Key"}',
]


def pairs() -> World:
    """A person for every pair of values: her trait ``Key``, and that property of her one event."""
    people, traits, events = {}, [], []
    for profile, (mine, other) in enumerate(product(ALL_VALUES, ALL_VALUES), 1):
        people[profile] = Someone({"Key": decode_json(mine)})
        traits.append((profile, "Key", mine))
        body = (BODIES[profile % len(BODIES)] % other).encode()
        logged = Logged(
            position=Position(profile),
            received=NOW,
            time=NOW,
            call=Call.TRACK,
            name="Pair",
            message_id=f"m{profile}",
            source="web",
            body=body,
        )
        events.append(_record(people[profile], profile, logged))
    return _loaded(0, people, traits, events)
