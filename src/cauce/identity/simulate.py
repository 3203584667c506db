"""Simulation: the profiles that rules make of a list of events, with nothing kept between calls.

The format is that of ``identity.md`` sections 2 and 7; the code is that of the stream.
"""

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from cauce.identity.graph import Graph
from cauce.identity.naming import Names
from cauce.identity.past import Remembered, Seen
from cauce.identity.policy import Policy
from cauce.identity.resolve import Resolver, keys_of
from cauce.identity.revise import Reviser
from cauce.identity.rules import read_rules
from cauce.identity.simulated import Event, Observation, read_events
from cauce.vocabulary.event import Position


def simulate(
    rules: Mapping[str, Any], events: Iterable[Mapping[str, Any]], *, bulk: bool = False
) -> dict[str, list[str]]:
    """The profiles of some events: anchor ``type:value`` → its members, in order of their text.

    An event is ``{"id", "ts", "op"?, "ids"?, "source"?}``: ``ts`` in seconds since 1970
    or as ISO 8601 text with a zone, ``ids`` type → value or values. The same id again
    is a repeated delivery. ``bulk`` has all events resolved at once, as a rebuild does,
    instead of one after another. Raises ``BadSettings`` for rules and ``InvalidInput``
    for events that are wrong.
    """
    policy = Policy(read_rules(rules))
    found = read_events(policy, events)
    return _in_bulk(policy, found) if bulk else resolve_all(policy, found)


def _in_bulk(policy: Policy, events: Iterable[Event]) -> dict[str, list[str]]:
    """The same by columns; loaded when it is asked for, as long-lived processes need no DuckDB."""
    found: dict[str, list[str]] = import_module("cauce.identity.bulk_simulation").in_bulk(policy, events)
    return found


def resolve_all(policy: Policy, events: Iterable[Event]) -> dict[str, list[str]]:
    """The profiles of some events, each id counted once."""
    simulation = Simulation(policy)
    for event in events:
        simulation.fold(event)
    return simulation.profiles()


class Simulation:
    """Folds events one after another, all in memory."""

    def __init__(self, policy: Policy) -> None:
        self._resolver = Resolver(Graph(policy), Names("simulation"))
        self._past = Remembered()
        self._delivered: set[str] = set()

    def fold(self, event: Event) -> None:
        """Fold one event; a repeated delivery changes nothing."""
        if event.id in self._delivered:
            return
        self._delivered.add(event.id)
        position = Position(len(self._delivered))
        if isinstance(event, Observation):
            self._observe(event, position)
        else:
            Reviser(self._resolver, self._past).fold(event._replace(position=position))

    def _observe(self, event: Observation, position: Position) -> None:
        self._resolver.observe(
            event.identifiers, time=event.time, source=event.source, position=position, id=event.id
        )
        self._past.add(Seen(event.id, event.time, event.source), frozenset(keys_of(event.identifiers)))

    def profiles(self) -> dict[str, list[str]]:
        """Anchor → members, in order of their text."""
        graph = self._resolver.graph
        return {
            graph.nodes[group.key].key: sorted(graph.nodes[id_].key for id_ in group.ids())
            for group in graph.groups.values()
            if group is not None
        }
