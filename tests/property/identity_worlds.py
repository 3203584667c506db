"""Small worlds made to collide: few values, tight limits, hubs, junk, late and contradicting events."""

import random
from typing import Any

TYPES = ("user_id", "email", "phone", "device")


def random_world(rng: random.Random) -> tuple[dict[str, Any], list[dict[str, Any]], int]:
    """Rules, events in order of delivery, and the cap of links per identifier."""
    rules = random_rules(rng)
    events = random_events(rng, rng.choice((4, 8, 14, 24)))
    return rules, events, rng.choice((1000, 1000, 5, 3))


def random_rules(rng: random.Random) -> dict[str, Any]:
    kinds = []
    for place, type_ in enumerate(TYPES[: rng.choice((2, 3, 3, 4))]):
        kind: dict[str, Any] = {"type": type_}
        limit = rng.choice((1, 1, 2, 3) if place == 0 else (None, None, 1, 2, 3))
        if limit is not None:
            kind["limit"] = limit
        if rng.random() < 0.4:
            kind["conflict"] = rng.choice(("newest", "oldest"))
        if place and rng.random() < 0.35:
            kind["max_owners"] = rng.choice((1, 2, 3))
        kinds.append(kind)
    rules: dict[str, Any] = {"identifiers": kinds}
    if rng.random() < 0.3:
        rules["blocked"] = [
            {"type": rng.choice(("*", "email")), "value": "a"},
            {"type": "*", "regex": "[0-]*"},
        ]
    if rng.random() < 0.5:
        rules["strength"] = {"crm": rng.choice((1, 2, 5)), "form": rng.choice((-1, 1))}
    if rng.random() < 0.2:
        rules["max_ids_per_event"] = rng.choice((2, 3))
    return rules


def random_events(rng: random.Random, count: int) -> list[dict[str, Any]]:
    values = ("a", "b", "c", "d", "0")[: rng.choice((2, 3, 4, 5))]
    span = rng.choice((2, 6, 100))
    known: list[dict[str, Any]] = []
    events = []
    for number in range(count):
        if known and rng.random() < 0.15:
            ids = rng.choice(known)
        else:
            ids = _ids(rng, values)
            known.append(ids)
        ts = rng.randrange(span) if rng.random() < 0.6 else number
        event = {"id": f"m{number}", "ts": ts, "ids": ids}
        if rng.random() < 0.7:
            event["source"] = rng.choice(("web", "crm", "form"))
        events.append(event)
        if rng.random() < 0.08:
            events.append(rng.choice(events))
    return events


def _ids(rng: random.Random, values: tuple[str, ...]) -> dict[str, Any]:
    ids: dict[str, Any] = {}
    for type_ in rng.sample((*TYPES, "other"), rng.choice((1, 2, 2, 2, 3, 3, 4))):
        if rng.random() < 0.12:
            ids[type_] = [rng.choice(values) for _ in range(rng.choice((2, 3)))]
        else:
            ids[type_] = rng.choice(values)
    return ids
