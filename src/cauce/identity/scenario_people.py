"""The people that a policy makes of a scenario: groups of identifiers, who did what, and who is in doubt."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cauce.identity.policy import Policy
from cauce.identity.rules import read_rules
from cauce.identity.scenario_policies import Pair, ScenarioPolicy
from cauce.identity.scenarios import Scenario, Told
from cauce.identity.simulate import simulate
from cauce.identity.simulated import Observation, read_events
from cauce.vocabulary.identifier import normalize, parse_identifier
from cauce.vocabulary.postal_address import address_identifiers

_SIMILAR = "similar"
"""The weakest identifier type, under which records that are one person by weight are joined."""


class Happened(NamedTuple):
    """An event, its observation, and the group it belongs to; None if it has no live identifier."""

    told: Told
    seen: Observation
    group: int | None


class People(NamedTuple):
    """Groups of identifiers, each ``type:value``, and their anchors; ``doubts``: groups that may be one."""

    anchors: list[str]
    groups: list[frozenset[str]]
    by_identifier: Mapping[str, int]
    happened: list[Happened]
    doubts: frozenset[frozenset[int]]

    def of(self, identifier: str) -> int | None:
        """The group of an identifier in its normal form; None if nobody has it."""
        return self.by_identifier.get(identifier)

    def beside(self, group: int) -> set[int]:
        """The groups that may be the same person as this one."""
        return {other for pair in self.doubts if group in pair for other in pair if other != group}


class Prepared(NamedTuple):
    """A policy ready for use."""

    rules: Mapping[str, Any]
    policy: Policy

    def normal(self, identifier: str) -> str:
        """``type:value`` with its value in normal form."""
        found = parse_identifier(identifier)
        if found is None:
            return identifier
        return f"{found.type}:{normalize(*found, self.policy.ruleset.normalization)}"


def prepare(rules: Mapping[str, Any]) -> Prepared:
    """A policy of some rules; raises ``BadSettings`` if they are wrong."""
    return Prepared(rules, Policy(read_rules(rules)))


def simulated(told: Told, place: int, prepared: Prepared) -> dict[str, Any]:
    """An event in the simulation format; its postal address becomes an identifier if the rules ask for it."""
    kinds = prepared.policy.ruleset.normalization.by_type
    ids = dict(address_identifiers(told.traits, kinds) if told.op is None else ()) | told.ids
    event: dict[str, Any] = {"id": told.id or f"event {place}", "ts": told.ts, "ids": ids}
    if told.op is None:
        return event | {"source": told.source}
    event["op"] = str(told.op)
    return event | {name: value for name in ("events", "purposes") if (value := getattr(told, name))}


def people_of(scenario: Scenario, policy: ScenarioPolicy) -> People:
    """What a policy makes of a scenario."""
    prepared = prepare(policy.rules)
    events = [simulated(told, place, prepared) for place, told in enumerate(scenario.events, 1)]
    people = _people(prepared, scenario, events, simulate(policy.rules, events))
    if policy.matcher is None:
        return people
    pairs = policy.matcher.pairs([_record(people, group) for group in range(len(people.groups))])
    joined = [pair for pair in pairs if pair.weight >= policy.matcher.join]
    profiles = _joined(policy, events, people, joined) if joined else simulate(policy.rules, events)
    after = _people(prepared, scenario, events, profiles)
    doubts = [
        frozenset((_moved(people, after, one), _moved(people, after, other))) for one, other, _ in pairs
    ]
    return after._replace(doubts=frozenset(pair for pair in doubts if len(pair) == 2))


def _people(
    prepared: Prepared,
    scenario: Scenario,
    events: Sequence[Mapping[str, Any]],
    profiles: Mapping[str, Sequence[str]],
) -> People:
    groups = [frozenset(members) for members in profiles.values()]
    by_identifier = {identifier: number for number, group in enumerate(groups) for identifier in group}
    happened = []
    for told, seen in zip(scenario.events, read_events(prepared.policy, events), strict=True):
        if isinstance(seen, Observation):
            happened.append(Happened(told, seen, _owner(prepared.policy, seen, by_identifier)))
    return People(list(profiles), groups, by_identifier, happened, frozenset())


def _owner(policy: Policy, seen: Observation, by_identifier: Mapping[str, int]) -> int | None:
    """An event belongs to the group of its strongest live identifier."""
    live = [one for one in seen.identifiers if str(one) in by_identifier]
    if not live:
        return None
    return by_identifier[str(min(live, key=lambda one: (policy.rank[one.type], one.value)))]


def _record(people: People, group: int) -> dict[str, Any]:
    """What is known of a group: of each trait and identifier type the newest value."""
    record: dict[str, Any] = {}
    own = (one for one in people.happened if one.group == group)
    for told, seen, _ in sorted(own, key=lambda one: one.seen.time):
        record |= dict(seen.identifiers) | told.traits
    return record


def _joined(
    policy: ScenarioPolicy, events: Sequence[Mapping[str, Any]], people: People, pairs: Sequence[Pair]
) -> dict[str, list[str]]:
    """The profiles with links by weight as the last layer: limits and ``never`` hold for them, too."""
    rules = {**policy.rules, "identifiers": [*policy.rules["identifiers"], {"type": _SIMILAR}]}
    links: list[dict[str, Any]] = []
    for rank, pair in enumerate(sorted(pairs, key=lambda one: (one.weight, -one.one, -one.other)), 1):
        for group in (pair.one, pair.other):
            type_, _, value = people.anchors[group].partition(":")
            ids = {type_: value, _SIMILAR: f"pair {rank}"}
            links.append({"id": f"{_SIMILAR} {rank} {group}", "ts": rank, "ids": ids})
    found = simulate(rules, [*events, *links])
    without = {
        anchor: [one for one in members if not one.startswith(f"{_SIMILAR}:")]
        for anchor, members in found.items()
    }
    return {anchor: members for anchor, members in without.items() if members}


def _moved(before: People, after: People, group: int) -> int:
    """Where a group's identifiers went."""
    return after.by_identifier[before.anchors[group]]
