"""Small worlds made to collide: few values, tight limits, hubs, junk, late and contradicting events."""

import random
from typing import Any

TYPES = ("user_id", "email", "phone", "device")


def random_world(rng: random.Random) -> tuple[dict[str, Any], list[dict[str, Any]], int]:
    """Rules, events in order of delivery, and the cap of links per identifier."""
    rules = random_rules(rng)
    events = random_events(rng, rng.choice((4, 8, 14, 24)))
    return rules, events, rng.choice((1000, 1000, 5, 3))


def random_history(rng: random.Random) -> tuple[dict[str, Any], list[dict[str, Any]], int]:
    """The same, with windows, statements, consent, and events that take others back."""
    rules, events, cap = random_world(rng)
    for kind in rules["identifiers"]:
        if "limit" in kind and rng.random() < 0.25:
            kind["window"] = rng.choice((1, 2, 5, 30))
    if rng.random() < 0.5:
        rules["purpose"] = "ads"
    ops = rng.choice((("same", "never"), ("retract",), ("withdraw", "grant"), OPS, OPS))
    values = ("a", "b", "c", "d", "0")[: rng.choice((2, 3, 4, 5))]
    for number in range(rng.choice((1, 2, 5, 9))):
        event = _statement(rng, rng.choice(ops), f"s{number}", values, events)
        events.insert(rng.randrange(len(events) + 1), event)
    return rules, events, cap


OPS = ("same", "same", "never", "never", "retract", "withdraw", "grant")


def _statement(
    rng: random.Random, op: str, id_: str, values: tuple[str, ...], events: list[dict[str, Any]]
) -> dict[str, Any]:
    ts = rng.randrange(rng.choice((2, 6, 30)))
    if op == "retract":
        names = [event["id"] for event in events] + ["unknown", "s0", "s1", "s2"]
        return {"id": id_, "ts": ts, "op": op, "events": rng.sample(names, rng.choice((1, 1, 2, 3)))}
    types = rng.choices((*TYPES, *TYPES, "other"), k=2)
    if op in ("withdraw", "grant"):
        event = {"id": id_, "ts": ts, "op": op, "ids": {type_: rng.choice(values) for type_ in types}}
        purposes = rng.choice((None, [], ["ads"], ["ads", "mail"], ["mail"]))
        return event if purposes is None else {**event, "purposes": purposes}
    ids: dict[str, Any] = {}
    for type_ in types:
        ids[type_] = [*ids.get(type_, []), rng.choice(values)]
    return {"id": id_, "ts": ts, "op": op, "ids": ids}


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
