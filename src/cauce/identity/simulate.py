"""Simulation: the profiles that rules make of a list of events, with nothing kept between calls.

The format is that of ``identity.md`` sections 2 and 7; the code is that of the stream.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from cauce.identity.graph import Graph
from cauce.identity.naming import Names
from cauce.identity.policy import Policy
from cauce.identity.resolve import Resolver
from cauce.identity.rules import read_rules
from cauce.vocabulary.errors import InvalidInput, Unsupported
from cauce.vocabulary.event import Position
from cauce.vocabulary.exact import exact
from cauce.vocabulary.identifier import Identifier, normalize
from cauce.vocabulary.moment import SECOND, Moment, parse_iso
from cauce.vocabulary.nearest import did_you_mean

_KEYS = ("id", "ts", "op", "ids", "source", "events", "purposes")
_LATER = ("same", "never", "retract", "withdraw", "grant")


class Observation(NamedTuple):
    """An event of a simulation: identifiers that were seen together."""

    id: str
    time: Moment
    source: str
    identifiers: tuple[Identifier, ...]


def simulate(rules: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The profiles of some events: anchor ``type:value`` → its members, in order of their text.

    An event is ``{"id", "ts", "ids"?, "source"?}``: ``ts`` in seconds since 1970 or
    as ISO 8601 text with a zone, ``ids`` type → value or values. The same id again
    is a repeated delivery. Raises ``BadSettings`` for rules and ``InvalidInput`` for
    events that are wrong, ``Unsupported`` for an ``op`` that is not built yet.
    """
    policy = Policy(read_rules(rules))
    return resolve_all(policy, read_observations(policy, events))


def resolve_all(policy: Policy, observations: Iterable[Observation]) -> dict[str, list[str]]:
    """The profiles of some observations, each id counted once."""
    resolver = Resolver(Graph(policy), Names("simulation"))
    delivered: set[str] = set()
    for position, one in enumerate(observations, 1):
        if one.id not in delivered:
            delivered.add(one.id)
            resolver.observe(one.identifiers, time=one.time, source=one.source, position=Position(position))
    return profiles_of(resolver.graph)


def profiles_of(graph: Graph) -> dict[str, list[str]]:
    """The profiles of a graph that is wholly in memory: anchor → members, in order of their text."""
    return {
        graph.nodes[group.key].key: sorted(graph.nodes[id_].key for id_ in group.ids())
        for group in graph.groups.values()
        if group is not None
    }


def read_observations(policy: Policy, events: Iterable[Mapping[str, Any]]) -> Iterator[Observation]:
    """Decoded events as observations, normalized by the rules."""
    for number, event in enumerate(events):
        if not isinstance(event, Mapping):
            raise InvalidInput(f"events[{number}] is no mapping.", hint="Give id, ts and ids.")
        _check_shape(event, number)
        source = event.get("source")
        yield Observation(
            id=str(event["id"]),
            time=_time(event["ts"], number),
            source="" if source is None else str(source),
            identifiers=tuple(_identifiers(policy, event.get("ids") or {}, number)),
        )


def _check_shape(event: Mapping[str, Any], number: int) -> None:
    op = event.get("op")
    if op in _LATER:
        raise Unsupported(
            f"events[{number}]: the op {op} is not supported yet.",
            hint="Only observations, events without op, can be simulated.",
        )
    if op is not None:
        raise InvalidInput(f"events[{number}]: there is no op {op}.", hint=did_you_mean(str(op), _LATER))
    for key in event:
        if key not in _KEYS:
            raise InvalidInput(f"events[{number}]: unknown key {key}.", hint=did_you_mean(str(key), _KEYS))
    for key in ("id", "ts"):
        if event.get(key) is None:
            raise InvalidInput(f"events[{number}] has no {key}.", hint="Every event needs id and ts.")


def _time(ts: object, number: int) -> Moment:
    moment = parse_iso(ts) if isinstance(ts, str) else None
    if moment is not None:
        return moment
    seconds = exact(Decimal(str(ts)) if isinstance(ts, float) else ts)
    if seconds is None:
        raise InvalidInput(
            f"events[{number}].ts names no moment.",
            hint="Give seconds since 1970, or ISO 8601 with a zone: 2024-05-01T10:00:00Z.",
        )
    return Moment(round(seconds * SECOND))


def _identifiers(policy: Policy, ids: object, number: int) -> Iterator[Identifier]:
    if not isinstance(ids, Mapping):
        raise InvalidInput(f"events[{number}].ids is no mapping.", hint="Give type → value or values.")
    how = policy.ruleset.normalization
    for type_, values in ids.items():
        for value in values if isinstance(values, list | tuple) else (values,):
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, str | int):
                raise InvalidInput(
                    f"events[{number}].ids.{type_} is no text.", hint="Give a text or a list of texts."
                )
            raw = str(value)
            normal = normalize(type_, raw, how)
            if normal and not policy.blocks(type_, raw.strip()):
                yield Identifier(type_, normal)
